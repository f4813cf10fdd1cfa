/** The checks of single commits, put together: what a history of commits must never show. */
import type { Change } from '../../../src/manager/store/change.ts';
import { Addresses } from './addresses.ts';
import { Certificates } from './certificates.ts';
import type { Check, Violate } from './check.ts';
import { Jobs } from './jobs.ts';
import { PlacementFits } from './placement.ts';
import { References } from './references.ts';
import { Restarts } from './restarts.ts';
import { Slots } from './slots.ts';
import { TaskLife } from './task-life.ts';
import { TaskSteps } from './task-steps.ts';
import { Updates } from './updates.ts';
import { World } from './world.ts';

type CheckKind = new (violate: Violate) => Check;

/** Those that hold for the orchestrator alone, whoever plays the other loops. */
export const ORCHESTRATOR_CHECKS: readonly CheckKind[] = [TaskLife, Slots, Restarts, Updates, Jobs];
const ALL_CHECKS: readonly CheckKind[] = [
  ...ORCHESTRATOR_CHECKS,
  TaskSteps,
  PlacementFits,
  Addresses,
  References,
  Certificates,
];

export class Invariants {
  readonly violations: string[] = [];
  readonly world = new World();
  readonly violate: Violate = (invariant, what) => {
    this.violations.push(`${typeof invariant === 'number' ? `invariant ${invariant}` : invariant}: ${what}`);
  };
  readonly #checks: readonly Check[];

  constructor(checks = ALL_CHECKS) {
    this.#checks = checks.map((Kind) => new Kind(this.violate));
  }

  /** Takes in one commit. */
  readonly observe = (changes: readonly Change[]): void => {
    this.world.apply(changes);
    for (const check of this.#checks) check.observe(changes, this.world);
  };
}

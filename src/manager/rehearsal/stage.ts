/** A copy of the cluster's state on which the leader's loops work under a clock of their own; nothing leaves it. */
import { FakeClock } from '../../common/clock.ts';
import type { IdSource } from '../../common/ids.ts';
import type { Logger } from '../../common/log.ts';
import type { Random } from '../../common/random.ts';
import { Allocator } from '../allocator/allocator.ts';
import type { ControlService } from '../control/control.ts';
import { localControl } from '../control/local-control.ts';
import { LeaderLoops } from '../leader-loops.ts';
import { ConstraintEnforcer } from '../orchestrator/constraint-enforcer.ts';
import { Orchestrator } from '../orchestrator/orchestrator.ts';
import { TaskReaper } from '../orchestrator/task-reaper.ts';
import { Scheduler } from '../scheduler/scheduler.ts';
import { Store, type StoreCapture } from '../store/store.ts';
import { IdealAgents } from './ideal-agents.ts';

export interface StageOptions {
  readonly state: StoreCapture;
  /** Wall-clock time in ms at which the play begins. */
  readonly nowMs: number;
  readonly random: Random;
  readonly newId: IdSource;
  readonly log: Logger;
  /** How long an agent takes for a step of a task, in ms. @default 100: what stops is still there when the next task is placed */
  readonly stepMs?: (taskId: string) => number;
}

const STEP_MS = 100;

export class Stage {
  readonly clock: FakeClock;
  readonly store: Store;
  /** The use cases, acting on the copy. */
  readonly control: ControlService;
  readonly #loops: LeaderLoops;

  constructor({ state, nowMs, random, newId, log, stepMs = () => STEP_MS }: StageOptions) {
    const clock = new FakeClock(nowMs);
    const store = ownStore(state, clock);
    this.clock = clock;
    this.store = store;
    this.control = localControl({
      store,
      clock,
      newId,
      members: { has: () => true, canRemove: () => true },
      newJoinToken: () => '',
      newUnlockKey: () => new Uint8Array(),
      reachAuthorities: () => Promise.resolve(),
    });
    const options = { store, clock, random, newId, log };
    this.#loops = new LeaderLoops({
      clock,
      random,
      log,
      create: () => [
        Object.assign(new Orchestrator(options), { name: 'orchestrator' }),
        Object.assign(new TaskReaper(options), { name: 'reaper' }),
        Object.assign(new ConstraintEnforcer(options), { name: 'enforcer' }),
        new Allocator(options),
        new Scheduler(options),
        new IdealAgents({ store, clock, stepMs }),
      ],
    });
  }

  /** From here on the loops and agents react. */
  start(): void {
    this.#loops.start();
  }

  stop(): Promise<void> {
    return this.#loops.stop();
  }
}

/** A store that commits by itself and at once. */
function ownStore(state: StoreCapture, clock: FakeClock): Store {
  const waiting: { readonly index: number; readonly data: Uint8Array }[] = [];
  let index = state.version;
  let requests = 0;
  const store = new Store({
    clock,
    newRequestId: () => String(++requests),
    proposer: {
      propose: (data) => {
        waiting.push({ index: ++index, data });
        queueMicrotask(() => {
          for (const entry of waiting.splice(0)) store.applyEntry(entry.index, entry.data);
        });
        return index;
      },
    },
  });
  // Ids of earlier requests would clash with those counted here.
  store.restore({ ...state, requestIds: [] });
  return store;
}

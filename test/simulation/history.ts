/** The one history of commits that all managers share, put together from what each of them sees, and checked as it grows. */
import type { ConfigurationChanged } from 'raft-ts';
import type { Commit } from '../../src/manager/store/watch.ts';
import { CommitOrder } from './checks/commit-order.ts';
import { Invariants } from './checks/invariants.ts';
import type { Violate } from './checks/check.ts';
import type { World } from './checks/world.ts';
import { tellCommit, type Tell } from './trace.ts';

export class SharedHistory {
  readonly #invariants = new Invariants();
  readonly #order = new CommitOrder(this.#invariants.violate);
  readonly #leaders = new Map<number, string>();
  /** Members after each change of them, by its index. */
  readonly #configurations = new Map<number, string>();
  readonly #removed = new Set<string>();
  readonly #tell: Tell | undefined;
  #version = 0;
  commits = 0;

  constructor(tell?: Tell) {
    this.#tell = tell;
  }

  get violations(): readonly string[] {
    return this.#invariants.violations;
  }

  /** The committed state. */
  get world(): World {
    return this.#invariants.world;
  }

  /** A manager, in one of its lives, applied a commit; whoever is first tells what was in it. */
  readonly observe = (life: string, commit: Commit): void => {
    this.#order.watched(life, commit);
    if (commit.version <= this.#version) return;
    this.#version = commit.version;
    this.commits++;
    if (this.#tell) tellCommit(this.#tell, commit);
    this.#order.observe(commit, this.world);
    this.#invariants.observe(commit.changes);
  };

  leads(id: string, term: number): void {
    this.#tell?.(`manager ${id} leads in term ${term}`);
    const known = this.#leaders.get(term) ?? id;
    if (known !== id) this.violate(32, `managers ${known} and ${id} both lead in term ${term}`);
    this.#leaders.set(term, id);
  }

  /** A manager applied a change of the members: one at a time, the same for all, and nobody comes back under an old id. */
  readonly configures = (id: string, { index, change, confState }: ConfigurationChanged): void => {
    const voters = confState.voters.join(' ');
    const text = `voters ${voters}, learners ${confState.learners.join(' ')}`;
    const known = this.#configurations.get(index);
    if (known !== undefined) {
      if (known !== text) this.violate(33, `change ${index} of the members gives ${text} on ${id}, elsewhere ${known}`);
      return;
    }
    this.#configurations.set(index, text);
    this.#tell?.(`${index} ${text}`);
    if (confState.votersOutgoing.length > 0 || change.changes.length > 1)
      this.violate(33, `change ${index} of the members changes several at once`);
    if (confState.voters.length === 0) this.violate(33, `change ${index} leaves no manager`);
    for (const { type, nodeId } of change.changes) {
      if (type === REMOVE_NODE) this.#removed.add(nodeId);
      else if (this.#removed.has(nodeId)) this.violate(33, `manager ${nodeId} comes back under its old id`);
    }
  };

  get elections(): number {
    return this.#leaders.size;
  }

  readonly violate: Violate = (invariant, what) => this.#invariants.violate(invariant, what);
}

const REMOVE_NODE = 1;

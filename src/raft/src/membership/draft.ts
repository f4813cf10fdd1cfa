/** A configuration being edited: sets of ids and the progress of each member, kept consistent by the three edits. */
import type { ConfState, PeerId } from '../types.ts';
import { sortedPeerIds } from '../peer-id.ts';
import type { Progress } from '../tracker/progress.ts';

/** A configuration and the progress of everyone in it. Never changed in place. */
export interface Membership {
  readonly config: ConfState;
  readonly progress: ReadonlyMap<PeerId, Progress>;
}

export class MembershipDraft {
  readonly incoming: Set<PeerId>;
  outgoing: Set<PeerId>;
  autoLeave: boolean;
  readonly #learners: Set<PeerId>;
  readonly #learnersNext: Set<PeerId>;
  readonly #progress = new Map<PeerId, Progress>();
  readonly #newProgress: (isLearner: boolean) => Progress;

  constructor(base: Membership, newProgress: (isLearner: boolean) => Progress) {
    this.incoming = new Set(base.config.voters);
    this.outgoing = new Set(base.config.votersOutgoing);
    this.autoLeave = base.config.autoLeave;
    this.#learners = new Set(base.config.learners);
    this.#learnersNext = new Set(base.config.learnersNext);
    for (const [id, progress] of base.progress) this.#progress.set(id, progress.clone());
    this.#newProgress = newProgress;
  }

  makeVoter(id: PeerId): void {
    const progress = this.#progress.get(id);
    if (progress === undefined) this.#progress.set(id, this.#newProgress(false));
    else progress.isLearner = false;
    this.#learners.delete(id);
    this.#learnersNext.delete(id);
    this.incoming.add(id);
  }

  /** A voter of the outgoing half becomes a learner only when the joint configuration is left. */
  makeLearner(id: PeerId): void {
    const progress = this.#progress.get(id);
    if (progress === undefined) {
      this.#progress.set(id, this.#newProgress(true));
      this.#learners.add(id);
      return;
    }
    if (progress.isLearner) return;
    this.remove(id);
    this.#progress.set(id, progress);
    if (this.outgoing.has(id)) {
      this.#learnersNext.add(id);
    } else {
      progress.isLearner = true;
      this.#learners.add(id);
    }
  }

  /** A voter of the outgoing half stays tracked until the joint configuration is left. */
  remove(id: PeerId): void {
    this.incoming.delete(id);
    this.#learners.delete(id);
    this.#learnersNext.delete(id);
    if (!this.outgoing.has(id)) this.#progress.delete(id);
  }

  /** Drops the outgoing half: waiting learners become learners, and whoever is in no set is no longer tracked. */
  leaveJoint(): void {
    for (const id of this.#learnersNext) {
      this.#learners.add(id);
      const progress = this.#progress.get(id);
      if (progress !== undefined) progress.isLearner = true;
    }
    this.#learnersNext.clear();
    for (const id of this.outgoing) {
      if (!this.incoming.has(id) && !this.#learners.has(id)) this.#progress.delete(id);
    }
    this.outgoing = new Set();
    this.autoLeave = false;
  }

  /** The finished configuration, ids in numeric order. */
  finish(): Membership {
    const config: ConfState = {
      voters: sortedPeerIds(this.incoming),
      learners: sortedPeerIds(this.#learners),
      votersOutgoing: sortedPeerIds(this.outgoing),
      learnersNext: sortedPeerIds(this.#learnersNext),
      autoLeave: this.autoLeave,
    };
    assertConsistent({ config, progress: this.#progress });
    return { config, progress: this.#progress };
  }
}

/** Throws if a configuration contradicts itself; only a defect or a corrupted ConfState gets here. */
export function assertConsistent({ config, progress }: Membership): void {
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = config;
  const broken = (why: string): never => {
    throw new Error(`inconsistent configuration ${describeConfiguration(config)}: ${why}`);
  };
  for (const id of [...voters, ...votersOutgoing, ...learners, ...learnersNext]) {
    if (!progress.has(id)) broken(`no progress for ${id}`);
  }
  for (const id of learnersNext) {
    if (!votersOutgoing.includes(id)) broken(`${id} is in learnersNext but not an outgoing voter`);
    if (progress.get(id)?.isLearner === true) broken(`${id} is in learnersNext but already a learner`);
  }
  for (const id of learners) {
    if (votersOutgoing.includes(id)) broken(`${id} is a learner and an outgoing voter`);
    if (voters.includes(id)) broken(`${id} is a learner and a voter`);
    if (progress.get(id)?.isLearner !== true) broken(`${id} is in learners but not marked as learner`);
  }
  if (votersOutgoing.length === 0) {
    if (learnersNext.length > 0) broken('learnersNext outside of a joint configuration');
    if (autoLeave) broken('autoLeave outside of a joint configuration');
  }
}

/** `voters=(1 2)&&(1) learners=(3)`, with hexadecimal ids by way of `format`. */
export function describeConfiguration(config: ConfState, format: (id: PeerId) => string = (id) => id): string {
  const list = (ids: readonly PeerId[]) => `(${ids.map(format).join(' ')})`;
  return (
    `voters=${list(config.voters)}` +
    (config.votersOutgoing.length > 0 ? `&&${list(config.votersOutgoing)}` : '') +
    (config.learners.length > 0 ? ` learners=${list(config.learners)}` : '') +
    (config.learnersNext.length > 0 ? ` learners_next=${list(config.learnersNext)}` : '') +
    (config.autoLeave ? ' autoleave' : '')
  );
}

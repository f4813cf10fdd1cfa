import { NO_PEER } from '../types.ts';
import type { PeerId } from '../types.ts';

/**
 * When to stand for election after the connection to the leader broke, instead of waiting for the election timeout.
 *
 * Safety does not rest on this: an election needs a majority as ever, and reads are confirmed by a majority, not by a lease. What
 * it could do is depose a leader that works. That takes a majority whose connections broke at the same time: the campaign begins
 * with a pre-vote, and a voter that still hears from the leader ignores it. Whoever was wrong follows again at the next heartbeat.
 *
 * Voters take turns by their ids, so that two do not stand at the same moment and split the votes.
 */
export class LostLeader {
  #ticksLeft = 0;

  /** @param leader the one that was lost, which has no turn */
  lost(leader: PeerId, own: PeerId, voters: readonly PeerId[]): void {
    const turn = voters
      .filter((id) => id !== leader)
      .toSorted()
      .indexOf(own);
    this.#ticksLeft = turn < 0 ? 0 : 1 + turn * TICKS_PER_TURN;
  }

  /** One tick; true when it is time to stand for election. A leader that is known, also the lost one, ends the wait. */
  tick(leader: PeerId): boolean {
    if (this.#ticksLeft === 0) return false;
    if (leader !== NO_PEER) {
      this.#ticksLeft = 0;
      return false;
    }
    this.#ticksLeft--;
    return this.#ticksLeft === 0;
  }
}

/** Enough for votes to come back from the disks of the others. */
const TICKS_PER_TURN = 2;

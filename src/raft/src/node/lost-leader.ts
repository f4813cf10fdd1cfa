import { NO_PEER } from '../types.ts';
import type { PeerId } from '../types.ts';

/**
 * When to stand for election after the connection to the leader broke, instead of waiting for the election timeout.
 *
 * Safety does not rest on this: an election needs a majority as ever, and reads are confirmed by a majority, not by a lease. What
 * it could do is depose a leader that works. That takes a majority whose connections broke at the same time: the campaign begins
 * with a pre-vote, and a voter that still hears from the leader ignores it. Whoever was wrong follows again at the next heartbeat.
 *
 * Voters take turns by their ids, so that two do not stand at the same moment and split the votes. On busy machines an election may
 * take longer than a turn, and the votes are split all the same: then the turns begin again, each time twice as long.
 */
export class LostLeader {
  #ticksLeft = 0;
  /** This voter's place among those that stand. */
  #turn = 0;
  #voters = 0;
  #ticksPerTurn = 0;

  /** @param leader the one that was lost, which has no turn */
  lost(leader: PeerId, own: PeerId, voters: readonly PeerId[]): void {
    const standing = voters.filter((id) => id !== leader).toSorted();
    this.#turn = standing.indexOf(own);
    this.#voters = standing.length;
    this.#ticksPerTurn = TICKS_OF_FIRST_TURNS;
    this.#ticksLeft = this.#turn < 0 ? 0 : 1 + this.#turn * this.#ticksPerTurn;
  }

  /** One tick; true when it is time to stand for election. A leader that is known, also the lost one, ends the wait. */
  tick(leader: PeerId): boolean {
    if (this.#ticksLeft === 0) return false;
    if (leader !== NO_PEER) {
      this.#ticksLeft = 0;
      return false;
    }
    if (--this.#ticksLeft > 0) return false;
    const restOfTurns = (this.#voters - this.#turn) * this.#ticksPerTurn;
    this.#ticksPerTurn *= 2;
    this.#ticksLeft = restOfTurns + this.#turn * this.#ticksPerTurn;
    return true;
  }
}

/** Enough for votes to come back from the disks of the others. */
const TICKS_OF_FIRST_TURNS = 2;

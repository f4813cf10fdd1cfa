/** Arithmetic of one set of voters deciding by majority. */
import type { PeerId } from '../types.ts';
import { VoteResult } from './vote-result.ts';

/**
 * The largest index that a majority has reached; Infinity without voters (so that a joint decision looks at the other half only).
 * `indexes` holds one value per voter, 0 where nothing is known; it is sorted in place.
 */
export function majorityIndex(indexes: number[]): number {
  const n = indexes.length;
  if (n === 0) return Infinity;
  // Insertion sort: groups have a handful of voters.
  for (let i = 1; i < n; i++) {
    const value = indexes[i] as number;
    let at = i - 1;
    for (; at >= 0 && (indexes[at] as number) > value; at--) indexes[at + 1] = indexes[at] as number;
    indexes[at + 1] = value;
  }
  return indexes[n - ((n >> 1) + 1)] as number;
}

/** Won with the consent of a majority, lost once a majority can no longer consent; an empty set consents. */
export function majorityVote(voters: readonly PeerId[], votes: ReadonlyMap<PeerId, boolean>): VoteResult {
  if (voters.length === 0) return VoteResult.Won;
  let granted = 0;
  let missing = 0;
  for (const id of voters) {
    const vote = votes.get(id);
    if (vote === true) granted++;
    else if (vote === undefined) missing++;
  }
  const quorum = (voters.length >> 1) + 1;
  if (granted >= quorum) return VoteResult.Won;
  return granted + missing >= quorum ? VoteResult.Pending : VoteResult.Lost;
}

/** Decisions of two sets of voters that must both agree (Ongaro's thesis §4.3); a set that is empty always agrees. */
import type { PeerId } from '../types.ts';
import { majorityIndex, majorityVote } from './majority.ts';
import { VoteResult } from './vote-result.ts';

/** The largest index that a majority of each half has reached. Both arrays are sorted in place. */
export function jointIndex(incoming: number[], outgoing: number[]): number {
  return Math.min(majorityIndex(incoming), majorityIndex(outgoing));
}

export function jointVote(
  incoming: readonly PeerId[],
  outgoing: readonly PeerId[],
  votes: ReadonlyMap<PeerId, boolean>,
): VoteResult {
  const first = majorityVote(incoming, votes);
  const second = majorityVote(outgoing, votes);
  if (first === second) return first;
  if (first === VoteResult.Lost || second === VoteResult.Lost) return VoteResult.Lost;
  return VoteResult.Pending;
}

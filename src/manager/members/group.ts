/** What the membership loops need of the consensus group. */
import { SwarmError } from '../../common/errors.ts';
import type { Consensus } from '../consensus/consensus.ts';
import type { Member } from '../consensus/member-list.ts';

export interface Group {
  /** Raft id of this manager. */
  readonly localId: string;
  members(): readonly Member[];
  /** Whether a member answers at the moment; the local one always does. */
  isReachable(raftId: string): boolean;
  /** Takes a member out. Throws failedPrecondition when too few reachable members would remain. */
  removeMember(raftId: string): Promise<void>;
  /** Hands leadership to the best other member. Throws failedPrecondition when there is none. */
  transferLeadership(): Promise<void>;
  /** Calls `listener` when members or their reachability change; returns how to stop that. */
  onChange(listener: () => void): () => void;
}

/**
 * Whether a member may be taken out: those that are reachable afterwards must be a majority of those that remain
 * (SwarmKit's rule), so that a removal never stops the group. Learners, who still catch up, count for nothing.
 * @param voters raft ids of all that vote
 */
export function canRemove(
  voters: readonly string[],
  raftId: string,
  isReachable: (raftId: string) => boolean,
): boolean {
  const remaining = voters.filter((voter) => voter !== raftId);
  if (remaining.length === 0) return false;
  return remaining.filter(isReachable).length >= Math.floor(remaining.length / 2) + 1;
}

/** What a group is made of: a manager's place in it. */
type Place = Pick<
  Consensus,
  'localId' | 'members' | 'voters' | 'isReachable' | 'remove' | 'transferLeadership' | 'onChange'
>;

/** The group as this manager's place in it shows it. */
export const groupOf = (consensus: Place): Group => ({
  localId: consensus.localId,
  members: () => consensus.members.all(),
  isReachable: (raftId) => consensus.isReachable(raftId),
  removeMember: async (raftId) => {
    if (!canRemove(consensus.voters, raftId, (id) => consensus.isReachable(id))) {
      throw new SwarmError('failedPrecondition', 'the managers that can be reached would be no majority without it');
    }
    await consensus.remove(raftId);
  },
  transferLeadership: () => consensus.transferLeadership(),
  onChange: (listener) => consensus.onChange(listener),
});

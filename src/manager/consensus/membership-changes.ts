/** Configuration changes of the group. New members start as learners, so that one that never comes up does not cost the group its quorum. */
import { ConfChangeTransition, ConfChangeType, type ConfChangeV2, type ConfState } from 'raft-ts';
import type { Member } from './member-list.ts';

const change = (type: ConfChangeType, nodeId: string, context: Uint8Array): ConfChangeV2 => ({
  transition: ConfChangeTransition.Auto,
  changes: [{ type, nodeId }],
  context,
});

/** Adds a member, or updates the address of one that is known. */
export function addMember(member: Member, current: ConfState, context: Uint8Array): ConfChangeV2 {
  const isKnown = [...current.voters, ...current.learners, ...current.votersOutgoing, ...current.learnersNext].includes(
    member.raftId,
  );
  return change(isKnown ? ConfChangeType.UpdateNode : ConfChangeType.AddLearnerNode, member.raftId, context);
}

export const promoteLearner = (raftId: string, context: Uint8Array): ConfChangeV2 =>
  change(ConfChangeType.AddNode, raftId, context);

export const removeMember = (raftId: string): ConfChangeV2 =>
  change(ConfChangeType.RemoveNode, raftId, new Uint8Array(0));

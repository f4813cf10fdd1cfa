/** Applying changes of membership, and what follows from them (thesis §4). */
import { ConfChangeTransition, ConfChangeType, NO_PEER } from '../types.ts';
import type { ConfChangeV2, ConfState } from '../types.ts';
import { LogLevel } from '../logger.ts';
import { changeMembership } from '../membership/changer.ts';
import type { NewProgress } from '../membership/changer.ts';
import { describeConfiguration } from '../membership/draft.ts';
import type { Membership } from '../membership/draft.ts';
import { hexId } from '../peer-id.ts';
import type { Raft } from './raft.ts';
import { releaseConfirmedReads } from './reads.ts';
import { becomeFollower } from './roles.ts';
import { broadcastAppend, maybeCommit, maybeSendAppend } from './sending.ts';

/** A new member is probed from the end of the log; it will most likely answer that it needs a snapshot. */
export function newMemberProgress(raft: Raft): NewProgress {
  const next = Math.max(raft.log.lastIndex(), 1);
  return (isLearner) => raft.tracker.newProgress(next, isLearner);
}

/** Applies a committed change. Throws if it cannot be applied: every node would be in that situation, so no node may go on. */
export function applyConfChange(raft: Raft, change: ConfChangeV2): ConfState {
  const result = changeMembership(raft.tracker, change, newMemberProgress(raft));
  if (!result.ok) throw new Error(`committed configuration change cannot be applied: ${result.error}`);
  return switchConfiguration(raft, result.membership);
}

/** Makes a configuration the active one. */
export function switchConfiguration(raft: Raft, membership: Membership): ConfState {
  const { tracker } = raft;
  tracker.install(membership.config, membership.progress);
  if (raft.logs(LogLevel.Info)) {
    raft.write(LogLevel.Info, `${hexId(raft.id)} switched to configuration ${describeCurrent(raft)}`);
  }
  const own = tracker.progress.get(raft.id);
  raft.isLearner = own !== undefined && own.isLearner;
  if (raft.role !== 'leader') return tracker.config;
  if (own === undefined || raft.isLearner) {
    // Without the option a removed leader goes on until the others elect one of them; it does not count itself.
    if (raft.config.stepDownOnRemoval) becomeFollower(raft, raft.term, NO_PEER);
    return tracker.config;
  }
  if (tracker.config.voters.length === 0) return tracker.config;
  if (maybeCommit(raft)) {
    // A removal can make the remaining voters a quorum for more entries.
    broadcastAppend(raft);
  } else {
    for (const { id, progress } of tracker.peers) {
      if (id !== raft.id) maybeSendAppend(raft, id, progress, false);
    }
  }
  releaseConfirmedReads(raft);
  if (raft.leadTransferee !== NO_PEER && !tracker.isVoter(raft.leadTransferee)) raft.leadTransferee = NO_PEER;
  return tracker.config;
}

export function describeCurrent(raft: Raft): string {
  return describeConfiguration(raft.tracker.config, hexId);
}

const TRANSITION_NAMES: Readonly<Record<ConfChangeTransition, string>> = {
  [ConfChangeTransition.Auto]: 'ConfChangeTransitionAuto',
  [ConfChangeTransition.JointImplicit]: 'ConfChangeTransitionJointImplicit',
  [ConfChangeTransition.JointExplicit]: 'ConfChangeTransitionJointExplicit',
};

const CHANGE_NAMES: Readonly<Record<ConfChangeType, string>> = {
  [ConfChangeType.AddNode]: 'ConfChangeAddNode',
  [ConfChangeType.RemoveNode]: 'ConfChangeRemoveNode',
  [ConfChangeType.UpdateNode]: 'ConfChangeUpdateNode',
  [ConfChangeType.AddLearnerNode]: 'ConfChangeAddLearnerNode',
};

export function describeChange(change: ConfChangeV2): string {
  const singles = change.changes.map(({ type, nodeId }) => ` changes:{type:${CHANGE_NAMES[type]} node_id:${nodeId}}`);
  return `transition:${TRANSITION_NAMES[change.transition]}${singles.join('')}`;
}

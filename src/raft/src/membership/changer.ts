/**
 * Changes of membership as functions from one configuration to the next. A simple change may touch at most one voter; anything more
 * goes through a joint configuration, in which majorities of the old and of the new voters must agree (thesis §4.3).
 */
import { ConfChangeType, NO_PEER } from '../types.ts';
import type { ConfChangeSingle, ConfChangeV2, ConfState, PeerId } from '../types.ts';
import { EMPTY_CONF_STATE } from '../storage.ts';
import type { Progress } from '../tracker/progress.ts';
import { jointTransition, leavesJoint } from './conf-change.ts';
import { MembershipDraft } from './draft.ts';
import type { Membership } from './draft.ts';

type MembershipError =
  | 'config is already joint'
  | "can't make a zero-voter config joint"
  | "can't leave a non-joint config"
  | "can't apply simple config change in joint config"
  | 'more than one voter changed without entering joint config'
  | 'removed all voters'
  | `unexpected conf type ${number}`;

export type ChangeResult =
  { readonly ok: true; readonly membership: Membership } | { readonly ok: false; readonly error: MembershipError };

/** Makes the progress of a member that is new. */
export type NewProgress = (isLearner: boolean) => Progress;

/** Applies a change the way its transition asks for. */
export function changeMembership(base: Membership, change: ConfChangeV2, newProgress: NewProgress): ChangeResult {
  if (leavesJoint(change)) return leaveJoint(base, newProgress);
  const joint = jointTransition(change);
  if (joint !== undefined) return enterJoint(base, change.changes, joint.autoLeave, newProgress);
  return simpleChange(base, change.changes, newProgress);
}

/** Copies the voters to the outgoing half and applies the changes to the incoming one. */
export function enterJoint(
  base: Membership,
  changes: readonly ConfChangeSingle[],
  autoLeave: boolean,
  newProgress: NewProgress,
): ChangeResult {
  if (base.config.votersOutgoing.length > 0) return failed('config is already joint');
  if (base.config.voters.length === 0) return failed("can't make a zero-voter config joint");
  const draft = new MembershipDraft(base, newProgress);
  draft.outgoing = new Set(draft.incoming);
  const error = applyChanges(draft, changes);
  if (error !== undefined) return failed(error);
  draft.autoLeave = autoLeave;
  return { ok: true, membership: draft.finish() };
}

/** Drops the outgoing half. */
export function leaveJoint(base: Membership, newProgress: NewProgress): ChangeResult {
  if (base.config.votersOutgoing.length === 0) return failed("can't leave a non-joint config");
  const draft = new MembershipDraft(base, newProgress);
  draft.leaveJoint();
  return { ok: true, membership: draft.finish() };
}

/** Changes without a joint phase; any number of learners, at most one voter. */
export function simpleChange(
  base: Membership,
  changes: readonly ConfChangeSingle[],
  newProgress: NewProgress,
): ChangeResult {
  if (base.config.votersOutgoing.length > 0) return failed("can't apply simple config change in joint config");
  const draft = new MembershipDraft(base, newProgress);
  const error = applyChanges(draft, changes);
  if (error !== undefined) return failed(error);
  if (countDifferences(base.config.voters, draft.incoming) > 1) {
    return failed('more than one voter changed without entering joint config');
  }
  return { ok: true, membership: draft.finish() };
}

/** Rebuilds the membership a saved configuration describes. Throws if it contradicts itself or has learners but no voters. */
export function restoreMembership(saved: ConfState, newProgress: NewProgress): Membership {
  const draft = new MembershipDraft({ config: EMPTY_CONF_STATE, progress: new Map() }, newProgress);
  for (const id of saved.votersOutgoing) draft.makeVoter(id);
  draft.outgoing = new Set(draft.incoming);
  for (const id of saved.votersOutgoing) draft.remove(id);
  for (const id of saved.voters) draft.makeVoter(id);
  for (const id of saved.learners) draft.makeLearner(id);
  for (const id of saved.learnersNext) draft.makeLearner(id);
  draft.autoLeave = saved.autoLeave;
  const membership = draft.finish();
  const { config } = membership;
  const isSame =
    sameIds(saved.voters, config.voters) &&
    sameIds(saved.learners, config.learners) &&
    sameIds(saved.votersOutgoing, config.votersOutgoing) &&
    sameIds(saved.learnersNext, config.learnersNext);
  if (!isSame) throw new Error(`saved configuration contradicts itself: ${JSON.stringify(saved)}`);
  if (config.voters.length === 0 && membership.progress.size > 0) {
    throw new Error(`saved configuration has members but no voters: ${JSON.stringify(saved)}`);
  }
  return membership;
}

function applyChanges(draft: MembershipDraft, changes: readonly ConfChangeSingle[]): MembershipError | undefined {
  for (const { type, nodeId } of changes) {
    // The zero id marks a change that was called off.
    if (nodeId === NO_PEER) continue;
    switch (type) {
      case ConfChangeType.AddNode:
        draft.makeVoter(nodeId);
        break;
      case ConfChangeType.AddLearnerNode:
        draft.makeLearner(nodeId);
        break;
      case ConfChangeType.RemoveNode:
        draft.remove(nodeId);
        break;
      case ConfChangeType.UpdateNode:
        break;
      default:
        return `unexpected conf type ${type as number}`;
    }
  }
  return draft.incoming.size === 0 ? 'removed all voters' : undefined;
}

function countDifferences(before: readonly PeerId[], after: ReadonlySet<PeerId>): number {
  const kept = before.filter((id) => after.has(id)).length;
  return before.length + after.size - 2 * kept;
}

function sameIds(saved: readonly PeerId[], restored: readonly PeerId[]): boolean {
  const ids = new Set(saved);
  return ids.size === restored.length && restored.every((id) => ids.has(id));
}

function failed(error: MembershipError): ChangeResult {
  return { ok: false, error };
}

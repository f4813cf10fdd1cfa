/** Proposals: what may enter the leader's log, and how they get there from other nodes. */
import { EntryType, MessageType, NO_PEER } from '../types.ts';
import type { ConfChangeV2, Message } from '../types.ts';
import { decodeConfChange } from '../codec/conf-change-codec.ts';
import { LogLevel } from '../logger.ts';
import { draftMessage, forwarded, NO_BYTES } from '../messages.ts';
import { asConfChangeV2 } from '../membership/conf-change.ts';
import { changeMembership } from '../membership/changer.ts';
import { hexId } from '../peer-id.ts';
import { refuse } from '../refusal.ts';
import type { ProposalRefusal, ProposeResult } from '../refusal.ts';
import { appendEntries } from './own-log.ts';
import type { EntryDraft } from './own-log.ts';
import type { Raft } from './raft.ts';
import { describeChange, describeCurrent, newMemberProgress } from './reconfiguration.ts';
import { broadcastAppend } from './sending.ts';

/** Takes, forwards or refuses a proposal, whatever role this node has. `entries` is not empty. */
export function propose(raft: Raft, entries: readonly EntryDraft[], message?: Message): ProposeResult {
  if (raft.role === 'leader') return proposeAsLeader(raft, entries);
  if (raft.leader === NO_PEER) {
    if (raft.logs(LogLevel.Info)) {
      raft.write(LogLevel.Info, `${hexId(raft.id)} no leader at term ${raft.term}; dropping proposal`);
    }
    return refuse('no-leader');
  }
  if (raft.config.disableProposalForwarding) {
    if (raft.logs(LogLevel.Info)) {
      raft.write(
        LogLevel.Info,
        `${hexId(raft.id)} not forwarding to leader ${hexId(raft.leader)} at term ${raft.term}; dropping proposal`,
      );
    }
    return refuse('not-leader');
  }
  forward(raft, entries, message);
  return { ok: true, index: 0, term: 0, forwarded: true };
}

function forward(raft: Raft, entries: readonly EntryDraft[], message: Message | undefined): void {
  const copy = message === undefined ? draftMessage(MessageType.MsgProp, raft.leader) : forwarded(message, raft.leader);
  copy.entries = entries.map(({ type, data }) => ({ type, term: 0, index: 0, data }));
  raft.send(copy);
}

function proposeAsLeader(raft: Raft, entries: readonly EntryDraft[]): ProposeResult {
  if (!raft.tracker.progress.has(raft.id)) return refuse('removed');
  if (raft.leadTransferee !== NO_PEER) {
    if (raft.logs(LogLevel.Debug)) {
      raft.write(
        LogLevel.Debug,
        `${hexId(raft.id)} [term ${raft.term}] transfer leadership to ${hexId(raft.leadTransferee)} is in progress; dropping proposal`,
      );
    }
    return refuse('transferring');
  }
  // A refusal must leave no trace, so the pending index is taken over only once the entries are in the log.
  const before = raft.pendingConfIndex;
  const checked = checkConfChanges(raft, entries);
  if (typeof checked === 'string') {
    raft.pendingConfIndex = before;
    return refuse(checked);
  }
  const index = appendEntries(raft, checked);
  if (index === 0) {
    raft.pendingConfIndex = before;
    return refuse('uncommitted-limit');
  }
  broadcastAppend(raft);
  // A lone change that was replaced by an empty entry did not happen, and its proposer should know.
  if (checked !== entries && entries.length === 1) return refuse('change-not-now');
  return { ok: true, index, term: raft.term, forwarded: false };
}

/**
 * Lets one configuration change at a time through. A change that comes at the wrong time is replaced by an empty entry; one that could
 * never be applied refuses the whole proposal, because applying it on every node would stop them all.
 */
function checkConfChanges(raft: Raft, entries: readonly EntryDraft[]): readonly EntryDraft[] | ProposalRefusal {
  let checked: EntryDraft[] | undefined;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i] as EntryDraft;
    if (entry.type === EntryType.Normal) continue;
    const decoded = decodeConfChange(entry.type, entry.data);
    if (!decoded.ok) return 'malformed-change';
    const change = asConfChangeV2(decoded.value);
    const reason = raft.config.disableConfChangeValidation ? undefined : whyNotNow(raft, change);
    if (reason !== undefined) {
      logIgnored(raft, change, reason);
      checked ??= entries.slice();
      checked[i] = { type: EntryType.Normal, data: NO_BYTES };
      continue;
    }
    if (!raft.config.disableConfChangeValidation) {
      const result = changeMembership(raft.tracker, change, newMemberProgress(raft));
      if (!result.ok) {
        logIgnored(raft, change, result.error);
        return 'invalid-change';
      }
    }
    raft.pendingConfIndex = raft.log.lastIndex() + i + 1;
  }
  return checked ?? entries;
}

function whyNotNow(raft: Raft, change: ConfChangeV2): string | undefined {
  const isJoint = raft.tracker.isJoint();
  const wantsToLeave = change.changes.length === 0;
  if (raft.pendingConfIndex > raft.log.applied) {
    return `possible unapplied conf change at index ${raft.pendingConfIndex} (applied to ${raft.log.applied})`;
  }
  if (isJoint && !wantsToLeave) return 'must transition out of joint config first';
  if (!isJoint && wantsToLeave) return 'not in joint state; refusing empty conf change';
  return undefined;
}

function logIgnored(raft: Raft, change: ConfChangeV2, reason: string): void {
  if (!raft.logs(LogLevel.Info)) return;
  raft.write(
    LogLevel.Info,
    `${hexId(raft.id)} ignoring conf change ${describeChange(change)} at config ${describeCurrent(raft)}: ${reason}`,
  );
}

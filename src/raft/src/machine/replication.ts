/** Sending entries and heartbeats to followers within their flow control, and a follower's answers to them (paper §5.3). */
import { MessageType } from '../types.ts';
import type { Entry, Message, PeerId } from '../types.ts';
import { payloadBytes } from '../entry-size.ts';
import { LogLevel } from '../logger.ts';
import { draftMessage } from '../messages.ts';
import { hexId } from '../peer-id.ts';
import { ProgressState } from '../tracker/progress.ts';
import type { Progress } from '../tracker/progress.ts';
import type { Raft } from './raft.ts';
import { releasePostponedReads } from './reads.ts';
import { sendSnapshot } from './snapshots.ts';
import { sendTimeoutNow } from './transfer.ts';

const NONE: readonly Entry[] = [];

/** Sends an append, empty if there is nothing new, unless the follower is paused. */
export function sendAppend(raft: Raft, to: PeerId): void {
  maybeSendAppend(raft, to, true);
}

/** Sends an append, or a snapshot if the entries are gone. False if nothing was sent. */
export function maybeSendAppend(raft: Raft, to: PeerId, sendIfEmpty: boolean): boolean {
  const progress = progressOf(raft, to);
  if (progress.isPaused()) return false;
  const previous = progress.next - 1;
  const previousTerm = raft.log.term(previous);
  if (typeof previousTerm === 'string') return sendSnapshot(raft, to, progress);
  let entries = NONE;
  // With a full window only empty appends go out: if everything in flight was lost, one of them makes the follower answer.
  if (progress.state !== ProgressState.Replicate || !progress.inflights.isFull()) {
    const next = raft.log.entriesFrom(progress.next, raft.config.maxMessageBytes);
    if (typeof next === 'string') return sendSnapshot(raft, to, progress);
    entries = next;
  }
  if (entries.length === 0 && !sendIfEmpty) return false;
  const message = draftMessage(MessageType.MsgApp, to);
  message.index = previous;
  message.logTerm = previousTerm;
  message.entries = entries;
  message.commit = raft.log.committed;
  raft.send(message);
  progress.sentEntries(entries.length, payloadBytes(entries));
  progress.sentCommitIndex(message.commit);
  return true;
}

export function broadcastAppend(raft: Raft): void {
  for (const id of raft.tracker.ids) {
    if (id !== raft.id) sendAppend(raft, id);
  }
}

/** Heartbeats carry the commit index only as far as the follower is known to match, and the number of the newest waiting read. */
export function broadcastHeartbeat(raft: Raft): void {
  const context = raft.readOnly.heartbeatContext();
  for (const id of raft.tracker.ids) {
    if (id === raft.id) continue;
    const progress = progressOf(raft, id);
    const message = draftMessage(MessageType.MsgHeartbeat, id);
    message.commit = Math.min(progress.match, raft.log.committed);
    message.context = context;
    raft.send(message);
    progress.sentCommitIndex(message.commit);
  }
}

/** Commits what a quorum holds; true if the commit index moved. */
export function maybeCommit(raft: Raft): boolean {
  return raft.log.maybeCommit(raft.tracker.committed(), raft.term);
}

/** Leader: the answer to an append or to a snapshot, also its own once its entries are durable. */
export function handleAppendResponse(raft: Raft, message: Message, progress: Progress): void {
  progress.recentActive = true;
  if (message.reject) {
    handleRejection(raft, message, progress);
    return;
  }
  const isNews = progress.maybeUpdate(message.index);
  // An old acknowledgement at match still shows that a probed follower is caught up.
  if (!isNews && !(progress.match === message.index && progress.state === ProgressState.Probe)) return;
  const { from } = message;
  switch (progress.state) {
    case ProgressState.Probe:
      progress.becomeReplicate();
      break;
    case ProgressState.Snapshot:
      // Whatever snapshot the follower applied: what counts is that the log can take over from it.
      if (progress.match + 1 >= raft.log.firstIndex()) {
        if (raft.logs(LogLevel.Debug)) {
          raft.write(
            LogLevel.Debug,
            `${hexId(raft.id)} recovered from needing snapshot, resumed sending replication messages to ${hexId(from)} [${progress}]`,
          );
        }
        progress.becomeProbe();
        progress.becomeReplicate();
      }
      break;
    default:
      progress.inflights.freeUpTo(message.index);
  }
  if (maybeCommit(raft)) {
    releasePostponedReads(raft);
    broadcastAppend(raft);
  } else if (from !== raft.id && progress.canBumpCommit(raft.log.committed)) {
    sendAppend(raft, from);
  }
  if (from !== raft.id) {
    // The window may have room for several messages now.
    while (maybeSendAppend(raft, from, false));
  }
  if (from === raft.leadTransferee && progress.match === raft.log.lastIndex()) {
    if (raft.logs(LogLevel.Info)) {
      raft.write(LogLevel.Info, `${hexId(raft.id)} sent MsgTimeoutNow to ${hexId(from)} after received MsgAppResp`);
    }
    sendTimeoutNow(raft, from);
  }
}

/** Leader: goes back to where the logs may agree, skipping whole terms on both sides. */
function handleRejection(raft: Raft, message: Message, progress: Progress): void {
  const { from, index, rejectHint, logTerm } = message;
  if (raft.logs(LogLevel.Debug)) {
    raft.write(
      LogLevel.Debug,
      `${hexId(raft.id)} received MsgAppResp(rejected, hint: (index ${rejectHint}, term ${logTerm})) from ${hexId(from)} for index ${index}`,
    );
  }
  const probe = logTerm > 0 ? raft.log.findConflictByTerm(rejectHint, logTerm).index : rejectHint;
  if (!progress.maybeDecreaseTo(index, probe)) return;
  if (raft.logs(LogLevel.Debug)) {
    raft.write(LogLevel.Debug, `${hexId(raft.id)} decreased progress of ${hexId(from)} to [${progress}]`);
  }
  if (progress.state === ProgressState.Replicate) progress.becomeProbe();
  sendAppend(raft, from);
}

/** Leader: a follower is alive; send what it may be missing. */
export function handleHeartbeatResponse(raft: Raft, message: Message, progress: Progress): void {
  progress.recentActive = true;
  progress.appendPaused = false;
  if (progress.match < raft.log.lastIndex() || progress.state === ProgressState.Probe) sendAppend(raft, message.from);
}

/** Leader: a message did not arrive; in Replicate appends were probably lost too. */
export function handleUnreachable(raft: Raft, message: Message, progress: Progress): void {
  if (progress.state === ProgressState.Replicate) progress.becomeProbe();
  if (raft.logs(LogLevel.Debug)) {
    raft.write(
      LogLevel.Debug,
      `${hexId(raft.id)} failed to send message to ${hexId(message.from)} because it is unreachable [${progress}]`,
    );
  }
}

/** Follower: takes entries, or refuses with a hint at which (index, term) the logs may agree. */
export function handleAppend(raft: Raft, message: Message): void {
  const { log } = raft;
  const answer = draftMessage(MessageType.MsgAppResp, message.from);
  if (message.index < log.committed) {
    answer.index = log.committed;
    raft.send(answer);
    return;
  }
  const lastNew = log.maybeAppend(message.index, message.logTerm, message.entries, message.commit);
  if (lastNew !== undefined) {
    answer.index = lastNew;
    raft.send(answer);
    return;
  }
  if (raft.logs(LogLevel.Debug)) {
    raft.write(
      LogLevel.Debug,
      `${hexId(raft.id)} [logterm: ${log.termOrZero(message.index)}, index: ${message.index}] rejected MsgApp ` +
        `[logterm: ${message.logTerm}, index: ${message.index}] from ${hexId(message.from)}`,
    );
  }
  const hint = log.findConflictByTerm(Math.min(message.index, log.lastIndex()), message.logTerm);
  answer.index = message.index;
  answer.reject = true;
  answer.rejectHint = hint.index;
  answer.logTerm = hint.term;
  raft.send(answer);
}

/** Follower: commits as far as the leader knows that the logs match. */
export function handleHeartbeat(raft: Raft, message: Message): void {
  raft.log.commitTo(message.commit);
  const answer = draftMessage(MessageType.MsgHeartbeatResp, message.from);
  answer.context = message.context;
  raft.send(answer);
}

function progressOf(raft: Raft, id: PeerId): Progress {
  const progress = raft.tracker.progress.get(id);
  if (progress === undefined) throw new Error(`no progress for ${id}`);
  return progress;
}

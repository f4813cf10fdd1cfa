/** A leader's side of replication: what the answers of followers say about their logs (paper §5.3). */
import type { Message } from '../types.ts';
import { LogLevel } from '../logger.ts';
import { hexId } from '../peer-id.ts';
import { ProgressState } from '../tracker/progress.ts';
import type { Progress } from '../tracker/progress.ts';
import type { Raft } from './raft.ts';
import { releasePostponedReads } from './reads.ts';
import { broadcastAppend, maybeCommit, maybeSendAppend, sendAppend, sendTimeoutNow } from './sending.ts';

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
            `${hexId(raft.id)} recovered from needing snapshot, resumed sending replication messages to ${hexId(from)} [${progress.toString()}]`,
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
    sendAppend(raft, from, progress);
  }
  if (from !== raft.id) {
    // The window may have room for several messages now.
    while (maybeSendAppend(raft, from, progress, false));
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
    raft.write(LogLevel.Debug, `${hexId(raft.id)} decreased progress of ${hexId(from)} to [${progress.toString()}]`);
  }
  if (progress.state === ProgressState.Replicate) progress.becomeProbe();
  sendAppend(raft, from, progress);
}

/** Leader: a follower is alive; send what it may be missing. */
export function handleHeartbeatResponse(raft: Raft, message: Message, progress: Progress): void {
  progress.recentActive = true;
  progress.appendPaused = false;
  if (progress.match < raft.log.lastIndex() || progress.state === ProgressState.Probe)
    sendAppend(raft, message.from, progress);
}

/** Leader: a message did not arrive; in Replicate appends were probably lost too. */
export function handleUnreachable(raft: Raft, message: Message, progress: Progress): void {
  if (progress.state === ProgressState.Replicate) progress.becomeProbe();
  if (raft.logs(LogLevel.Debug)) {
    raft.write(
      LogLevel.Debug,
      `${hexId(raft.id)} failed to send message to ${hexId(message.from)} because it is unreachable [${progress.toString()}]`,
    );
  }
}

/** A follower's side of replication: taking entries and commit indexes (paper §5.3). */
import { MessageType } from '../types.ts';
import type { Message } from '../types.ts';
import { LogLevel } from '../logger.ts';
import { draftMessage } from '../messages.ts';
import { hexId } from '../peer-id.ts';
import type { Raft } from './raft.ts';

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

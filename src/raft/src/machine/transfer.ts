/** Handing leadership over (thesis §3.10): no proposals are taken until the target leads or an election timeout has passed. */
import { NO_PEER } from '../types.ts';
import type { Message } from '../types.ts';
import { LogLevel } from '../logger.ts';
import { forwarded } from '../messages.ts';
import { hexId } from '../peer-id.ts';
import type { Progress } from '../tracker/progress.ts';
import type { Raft } from './raft.ts';
import { sendAppend, sendTimeoutNow } from './sending.ts';

/** Leader: starts to hand over to the sender of the message; a second target replaces the first. */
export function startTransfer(raft: Raft, message: Message, progress: Progress): void {
  const target = message.from;
  const id = hexId(raft.id);
  if (progress.isLearner) {
    if (raft.logs(LogLevel.Debug)) {
      raft.write(LogLevel.Debug, `${id} is learner. Ignored transferring leadership`);
    }
    return;
  }
  const previous = raft.leadTransferee;
  if (previous !== NO_PEER) {
    if (previous === target) {
      if (raft.logs(LogLevel.Info)) {
        raft.write(
          LogLevel.Info,
          `${id} [term ${raft.term}] transfer leadership to ${hexId(target)} is in progress, ignores request to same node ${hexId(target)}`,
        );
      }
      return;
    }
    raft.leadTransferee = NO_PEER;
    if (raft.logs(LogLevel.Info)) {
      raft.write(
        LogLevel.Info,
        `${id} [term ${raft.term}] abort previous transferring leadership to ${hexId(previous)}`,
      );
    }
  }
  if (target === raft.id) {
    if (raft.logs(LogLevel.Debug)) {
      raft.write(LogLevel.Debug, `${id} is already leader. Ignored transferring leadership to self`);
    }
    return;
  }
  if (raft.logs(LogLevel.Info)) {
    raft.write(LogLevel.Info, `${id} [term ${raft.term}] starts to transfer leadership to ${hexId(target)}`);
  }
  // It has one election timeout from now on.
  raft.electionElapsed = 0;
  raft.leadTransferee = target;
  if (progress.match === raft.log.lastIndex()) {
    sendTimeoutNow(raft, target);
    if (raft.logs(LogLevel.Info)) {
      raft.write(
        LogLevel.Info,
        `${id} sends MsgTimeoutNow to ${hexId(target)} immediately as ${hexId(target)} already has up-to-date log`,
      );
    }
  } else {
    sendAppend(raft, target, progress);
  }
}

/** Follower: passes the request on to the leader. */
export function forwardTransfer(raft: Raft, message: Message): void {
  if (raft.leader === NO_PEER) {
    if (raft.logs(LogLevel.Info)) {
      raft.write(LogLevel.Info, `${hexId(raft.id)} no leader at term ${raft.term}; dropping leader transfer msg`);
    }
    return;
  }
  raft.send(forwarded(message, raft.leader));
}

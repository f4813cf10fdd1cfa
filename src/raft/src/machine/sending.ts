/** What a leader sends: entries and heartbeats within each follower's flow control, and a snapshot where entries are gone. */
import { MessageType } from '../types.ts';
import type { Entry, PeerId } from '../types.ts';
import { payloadBytes } from '../entry-size.ts';
import { LogLevel } from '../logger.ts';
import { draftMessage } from '../messages.ts';
import { hexId } from '../peer-id.ts';
import { includesMember, SNAPSHOT_TEMPORARILY_UNAVAILABLE } from '../storage.ts';
import { ProgressState } from '../tracker/progress.ts';
import type { Progress } from '../tracker/progress.ts';
import type { Raft } from './raft.ts';

const NONE: readonly Entry[] = [];

/** Sends an append, empty if there is nothing new, unless the follower is paused. */
export function sendAppend(raft: Raft, to: PeerId, progress: Progress): void {
  maybeSendAppend(raft, to, progress, true);
}

/** Sends an append, or a snapshot if the entries are gone. False if nothing was sent. */
export function maybeSendAppend(raft: Raft, to: PeerId, progress: Progress, sendIfEmpty: boolean): boolean {
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
  for (const { id, progress } of raft.tracker.peers) {
    if (id !== raft.id) sendAppend(raft, id, progress);
  }
}

/** Heartbeats carry the commit index only as far as the follower is known to match, and the number of the newest waiting read. */
export function broadcastHeartbeat(raft: Raft): void {
  const context = raft.readOnly.heartbeatContext();
  for (const { id, progress } of raft.tracker.peers) {
    if (id === raft.id) continue;
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

/** Tells a follower to stand for election at once. */
export function sendTimeoutNow(raft: Raft, to: PeerId): void {
  raft.send(draftMessage(MessageType.MsgTimeoutNow, to));
}

/** Sends the newest snapshot if the follower seems alive. False if nothing was sent. */
function sendSnapshot(raft: Raft, to: PeerId, progress: Progress): boolean {
  if (!progress.recentActive) {
    if (raft.logs(LogLevel.Debug)) {
      raft.write(LogLevel.Debug, `ignore sending snapshot to ${hexId(to)} since it is not recently active`);
    }
    return false;
  }
  const snapshot = raft.log.snapshot();
  // A snapshot from before the follower became a member would be refused by it: as good as none.
  if (snapshot === SNAPSHOT_TEMPORARILY_UNAVAILABLE || !includesMember(snapshot, to)) {
    raft.wantsSnapshot = true;
    if (raft.logs(LogLevel.Debug)) {
      raft.write(
        LogLevel.Debug,
        `${hexId(raft.id)} failed to send snapshot to ${hexId(to)} because snapshot is temporarily unavailable`,
      );
    }
    return false;
  }
  raft.wantsSnapshot = false;
  const { index, term } = snapshot.metadata;
  if (raft.logs(LogLevel.Debug)) {
    raft.write(
      LogLevel.Debug,
      `${hexId(raft.id)} [firstindex: ${raft.log.firstIndex()}, commit: ${raft.log.committed}] ` +
        `sent snapshot[index: ${index}, term: ${term}] to ${hexId(to)} [${progress.toString()}]`,
    );
  }
  progress.becomeSnapshot(index);
  if (raft.logs(LogLevel.Debug)) {
    raft.write(
      LogLevel.Debug,
      `${hexId(raft.id)} paused sending replication messages to ${hexId(to)} [${progress.toString()}]`,
    );
  }
  const message = draftMessage(MessageType.MsgSnap, to);
  message.snapshot = snapshot;
  raft.send(message);
  return true;
}

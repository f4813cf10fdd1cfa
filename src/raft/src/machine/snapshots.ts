/** Restoring a snapshot, and how sending one ended (paper §7). */
import { MessageType, NO_PEER } from '../types.ts';
import type { ConfState, Message, PeerId, Snapshot } from '../types.ts';
import { LogLevel } from '../logger.ts';
import { draftMessage } from '../messages.ts';
import { restoreMembership } from '../membership/changer.ts';
import { hexId } from '../peer-id.ts';
import { EMPTY_SNAPSHOT, includesMember } from '../storage.ts';
import { ProgressState } from '../tracker/progress.ts';
import type { Progress } from '../tracker/progress.ts';
import type { Raft } from './raft.ts';
import { newMemberProgress, switchConfiguration } from './reconfiguration.ts';
import { becomeFollower } from './roles.ts';

/** Leader: the transport reports how sending a snapshot ended. Either way the next append waits for the follower or a heartbeat. */
export function handleSnapshotStatus(raft: Raft, message: Message, progress: Progress): void {
  if (progress.state !== ProgressState.Snapshot) return;
  // After a failure the follower is probed from match, not from where the snapshot would have ended.
  if (message.reject) progress.pendingSnapshot = 0;
  progress.becomeProbe();
  if (raft.logs(LogLevel.Debug)) {
    raft.write(
      LogLevel.Debug,
      `${hexId(raft.id)} snapshot ${message.reject ? 'failed' : 'succeeded'}, resumed sending replication messages to ` +
        `${hexId(message.from)} [${progress.toString()}]`,
    );
  }
  progress.appendPaused = true;
}

/** Follower: restores a snapshot unless it knows better, and says how far its log reaches. */
export function handleSnapshot(raft: Raft, message: Message): void {
  const snapshot = message.snapshot ?? EMPTY_SNAPSHOT;
  const { index, term } = snapshot.metadata;
  const restored = restore(raft, snapshot);
  if (raft.logs(LogLevel.Info)) {
    raft.write(
      LogLevel.Info,
      `${hexId(raft.id)} [commit: ${raft.log.committed}] ${restored ? 'restored' : 'ignored'} snapshot ` +
        `[index: ${index}, term: ${term}]`,
    );
  }
  const answer = draftMessage(MessageType.MsgAppResp, message.from);
  answer.index = restored ? raft.log.lastIndex() : raft.log.committed;
  raft.send(answer);
}

function restore(raft: Raft, snapshot: Snapshot): boolean {
  const { index, term, confState } = snapshot.metadata;
  if (index <= raft.log.committed) return false;
  if (raft.role !== 'follower') {
    // Cannot happen; moving on to a term of its own keeps a defect from doing harm.
    raft.write(LogLevel.Warn, `${hexId(raft.id)} attempted to restore snapshot as leader; should never happen`);
    becomeFollower(raft, raft.term + 1, NO_PEER);
    return false;
  }
  if (!includesMember(snapshot, raft.id)) {
    if (raft.logs(LogLevel.Warn)) {
      raft.write(
        LogLevel.Warn,
        `${hexId(raft.id)} attempted to restore snapshot but it is not in the ConfState ${describeConfState(confState)}; should never happen`,
      );
    }
    return false;
  }
  if (raft.log.matchesTerm(index, term)) {
    if (raft.logs(LogLevel.Info)) {
      raft.write(
        LogLevel.Info,
        `${describeLog(raft)} fast-forwarded commit to snapshot [index: ${index}, term: ${term}]`,
      );
    }
    raft.log.commitTo(index);
    return false;
  }
  raft.log.restore(snapshot);
  const restored = restoreMembership(confState, newMemberProgress(raft));
  switchConfiguration(raft, restored);
  if (raft.logs(LogLevel.Info)) {
    raft.write(LogLevel.Info, `${describeLog(raft)} restored snapshot [index: ${index}, term: ${term}]`);
  }
  return true;
}

function describeLog(raft: Raft): string {
  const { log } = raft;
  return `${hexId(raft.id)} [commit: ${log.committed}, lastindex: ${log.lastIndex()}, lastterm: ${log.lastTerm()}]`;
}

function describeConfState(config: ConfState): string {
  const list = (name: string, ids: readonly PeerId[]) => ids.map((id) => `${name}:${id}`);
  const fields = [
    ...list('voters', config.voters),
    ...list('learners', config.learners),
    ...list('voters_outgoing', config.votersOutgoing),
    ...list('learners_next', config.learnersNext),
    `auto_leave:${config.autoLeave}`,
  ];
  return `{${fields.join(' ')}}`;
}

/** What a leader does with a message of its own term. */
import { MessageType, NO_PEER } from '../types.ts';
import type { Message } from '../types.ts';
import { LogLevel } from '../logger.ts';
import { hexId } from '../peer-id.ts';
import type { Raft } from './raft.ts';
import { confirmReads, requestRead } from './reads.ts';
import { handleAppendResponse, handleHeartbeatResponse, handleUnreachable } from './replication.ts';
import { becomeFollower } from './roles.ts';
import { broadcastHeartbeat } from './sending.ts';
import { handleSnapshotStatus } from './snapshots.ts';
import { startTransfer } from './transfer.ts';

export function stepLeader(raft: Raft, message: Message): void {
  switch (message.type) {
    case MessageType.MsgBeat:
      broadcastHeartbeat(raft);
      return;
    case MessageType.MsgCheckQuorum:
      checkQuorum(raft);
      return;
    case MessageType.MsgReadIndex:
      requestRead(raft, message);
      return;
    case MessageType.MsgForgetLeader:
      return;
    default:
      stepAboutPeer(raft, message);
  }
}

/** Everything that concerns the progress of the sender. */
function stepAboutPeer(raft: Raft, message: Message): void {
  const progress = raft.tracker.progress.get(message.from);
  if (progress === undefined) {
    if (raft.logs(LogLevel.Debug)) {
      raft.write(LogLevel.Debug, `${hexId(raft.id)} no progress available for ${hexId(message.from)}`);
    }
    return;
  }
  switch (message.type) {
    case MessageType.MsgAppResp:
      handleAppendResponse(raft, message, progress);
      break;
    case MessageType.MsgHeartbeatResp:
      handleHeartbeatResponse(raft, message, progress);
      confirmReads(raft, message);
      break;
    case MessageType.MsgSnapStatus:
      handleSnapshotStatus(raft, message, progress);
      break;
    case MessageType.MsgUnreachable:
      handleUnreachable(raft, message, progress);
      break;
    case MessageType.MsgTransferLeader:
      startTransfer(raft, message, progress);
      break;
    default:
    // Late votes are of no use.
  }
}

/** A leader that a quorum no longer answers steps down, so that clients do not wait for it (thesis §6.2). */
function checkQuorum(raft: Raft): void {
  if (!raft.tracker.isQuorumActive()) {
    if (raft.logs(LogLevel.Warn)) {
      raft.write(LogLevel.Warn, `${hexId(raft.id)} stepped down to follower since quorum is not active`);
    }
    becomeFollower(raft, raft.term, NO_PEER);
  }
  for (const { id, progress } of raft.tracker.peers) {
    if (id !== raft.id) progress.recentActive = false;
  }
}

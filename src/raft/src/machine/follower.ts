/** What a follower does with a message of its own term. Hearing from the leader restarts its election timeout. */
import { MessageType, NO_PEER } from '../types.ts';
import type { Message } from '../types.ts';
import { LogLevel } from '../logger.ts';
import { hexId } from '../peer-id.ts';
import { handleAppend, handleHeartbeat } from './appending.ts';
import { startElection } from './elections.ts';
import type { Raft } from './raft.ts';
import { forwardRead, handleReadAnswer } from './reads.ts';
import { handleSnapshot } from './snapshots.ts';
import { forwardTransfer } from './transfer.ts';

export function stepFollower(raft: Raft, message: Message): void {
  switch (message.type) {
    case MessageType.MsgApp:
      followSender(raft, message);
      handleAppend(raft, message);
      break;
    case MessageType.MsgHeartbeat:
      followSender(raft, message);
      handleHeartbeat(raft, message);
      break;
    case MessageType.MsgSnap:
      followSender(raft, message);
      handleSnapshot(raft, message);
      break;
    case MessageType.MsgTransferLeader:
      forwardTransfer(raft, message);
      break;
    case MessageType.MsgForgetLeader:
      forgetLeader(raft);
      break;
    case MessageType.MsgTimeoutNow:
      if (raft.logs(LogLevel.Info)) {
        raft.write(
          LogLevel.Info,
          `${hexId(raft.id)} [term ${raft.term}] received MsgTimeoutNow from ${hexId(message.from)} and starts an election to get leadership.`,
        );
      }
      // No pre-vote: the leader asked, so this node is not one that was cut off.
      startElection(raft, 'transfer');
      break;
    case MessageType.MsgReadIndex:
      forwardRead(raft, message);
      break;
    case MessageType.MsgReadIndexResp:
      handleReadAnswer(raft, message);
      break;
    default:
    // Answers to an earlier role are of no use.
  }
}

function followSender(raft: Raft, message: Message): void {
  raft.electionElapsed = 0;
  raft.leader = message.from;
}

/** Lets this node vote again in the lease of a leader that is known to be gone; would break lease-based reads. */
function forgetLeader(raft: Raft): void {
  if (raft.config.readOnly === 'lease-based') {
    if (raft.logs(LogLevel.Error)) raft.write(LogLevel.Error, 'ignoring MsgForgetLeader due to ReadOnlyLeaseBased');
    return;
  }
  if (raft.leader === NO_PEER) return;
  if (raft.logs(LogLevel.Info)) {
    raft.write(LogLevel.Info, `${hexId(raft.id)} forgetting leader ${hexId(raft.leader)} at term ${raft.term}`);
  }
  raft.leader = NO_PEER;
}

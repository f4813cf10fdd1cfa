/** What a candidate or pre-candidate does with a message of its own term. Hearing from a leader ends the candidacy. */
import { MessageType } from '../types.ts';
import type { Message } from '../types.ts';
import { LogLevel } from '../logger.ts';
import { hexId } from '../peer-id.ts';
import { handleAppend, handleHeartbeat } from './appending.ts';
import { handleVoteResponse } from './elections.ts';
import type { Raft } from './raft.ts';
import { becomeFollower } from './roles.ts';
import { handleSnapshot } from './snapshots.ts';

export function stepCandidate(raft: Raft, message: Message): void {
  switch (message.type) {
    case MessageType.MsgApp:
      becomeFollower(raft, message.term, message.from);
      handleAppend(raft, message);
      break;
    case MessageType.MsgHeartbeat:
      becomeFollower(raft, message.term, message.from);
      handleHeartbeat(raft, message);
      break;
    case MessageType.MsgSnap:
      becomeFollower(raft, message.term, message.from);
      handleSnapshot(raft, message);
      break;
    case MessageType.MsgVoteResp:
      // A late answer to a pre-vote must not count in the election that followed it, nor the other way round.
      if (raft.role === 'candidate') handleVoteResponse(raft, message);
      break;
    case MessageType.MsgPreVoteResp:
      if (raft.role === 'pre-candidate') handleVoteResponse(raft, message);
      break;
    case MessageType.MsgTimeoutNow:
      if (raft.logs(LogLevel.Debug)) {
        const state = raft.role === 'candidate' ? 'StateCandidate' : 'StatePreCandidate';
        raft.write(
          LogLevel.Debug,
          `${hexId(raft.id)} [term ${raft.term} state ${state}] ignored MsgTimeoutNow from ${hexId(message.from)}`,
        );
      }
      break;
    default:
    // Nothing else concerns a candidate.
  }
}

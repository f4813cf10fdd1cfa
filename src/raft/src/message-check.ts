/** A look at messages from outside before they can do harm: a defect in a peer must not look like one in this node. */
import { MessageType } from './types.ts';
import type { Message } from './types.ts';

/** True if terms and indexes are whole safe numbers and the entries make sense for the type. */
export function isWellFormed(message: Message): boolean {
  if (!isIndex(message.term) || !isIndex(message.index) || !isIndex(message.logTerm)) return false;
  if (!isIndex(message.commit) || !isIndex(message.rejectHint)) return false;
  switch (message.type) {
    case MessageType.MsgApp:
      return message.term > 0 && hasConsecutiveEntries(message);
    case MessageType.MsgProp:
      return message.entries.length > 0;
    case MessageType.MsgReadIndex:
      return message.entries.length === 1;
    case MessageType.MsgAppResp:
    case MessageType.MsgVote:
    case MessageType.MsgVoteResp:
    case MessageType.MsgSnap:
    case MessageType.MsgHeartbeat:
    case MessageType.MsgHeartbeatResp:
    case MessageType.MsgTimeoutNow:
    case MessageType.MsgReadIndexResp:
    case MessageType.MsgPreVote:
    case MessageType.MsgPreVoteResp:
      // Term 0 marks messages of the node itself and would skip the comparison of terms.
      return message.term > 0;
    default:
      return true;
  }
}

/** True for types that a node never gets from itself: claiming its name must not make it answer itself. */
export function comesFromOthers(type: MessageType): boolean {
  switch (type) {
    case MessageType.MsgApp:
    case MessageType.MsgVote:
    case MessageType.MsgSnap:
    case MessageType.MsgHeartbeat:
    case MessageType.MsgHeartbeatResp:
    case MessageType.MsgTimeoutNow:
    case MessageType.MsgReadIndexResp:
    case MessageType.MsgPreVote:
      return true;
    default:
      return false;
  }
}

/** Entries follow the previous one without a gap, terms never go back and never pass that of the leader. */
function hasConsecutiveEntries(message: Message): boolean {
  let { index, logTerm } = message;
  for (const entry of message.entries) {
    if (entry.index !== index + 1 || entry.term < logTerm || entry.term > message.term) return false;
    index = entry.index;
    logTerm = entry.term;
  }
  return Number.isSafeInteger(index);
}

function isIndex(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

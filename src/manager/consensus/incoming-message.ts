/** A raft message as it arrives from another manager. */
import type { Message } from 'raft-ts';
import { SwarmError } from '../../common/errors.ts';
import type { Message as MessagePb } from '../../proto/generated/raftpb/raftpb.ts';
import type { MemberList } from './member-list.ts';
import { messageFromWire } from './wire.ts';

/** Text by which a manager says that the sender is no member any more; Docker managers use the same words. */
export const MEMBER_REMOVED = 'raft: member was removed';

/** Throws SwarmError: invalidArgument (nothing sent, or of a kind not known) and notFound (of a member that was removed). */
export function incomingMessage(wire: MessagePb | undefined, members: MemberList): Message {
  if (!wire) throw new SwarmError('invalidArgument', 'message: nothing was sent');
  const message = messageFromWire(wire);
  if (members.isRemoved(message.from)) throw new SwarmError('notFound', MEMBER_REMOVED);
  return message;
}

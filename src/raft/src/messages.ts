/** Making messages and telling their kinds apart. */
import { APPEND_THREAD, APPLY_THREAD, MessageType, NO_PEER } from './types.ts';
import type { Entry, Message, PeerId } from './types.ts';

/** A message its maker may still fill in. */
export type DraftMessage = { -readonly [Field in keyof Message]: Message[Field] };

/** Shared by all messages without entries, responses or context, so that making a message is one allocation. */
const NO_ENTRIES: readonly Entry[] = [];
const NO_RESPONSES: readonly Message[] = [];
export const NO_BYTES = new Uint8Array(0);

/** All fields in one order keep every message of one shape, which is what makes stepping fast. */
export function draftMessage(type: MessageType, to: PeerId): DraftMessage {
  return {
    type,
    to,
    from: NO_PEER,
    term: 0,
    logTerm: 0,
    index: 0,
    entries: NO_ENTRIES,
    commit: 0,
    vote: NO_PEER,
    snapshot: undefined,
    reject: false,
    rejectHint: 0,
    context: NO_BYTES,
    responses: NO_RESPONSES,
  };
}

/** A message from the given fields, all others zero. Transports should make theirs here too: one shape for all. */
export function newMessage(fields: Partial<Message> & Pick<Message, 'type'>): Message {
  const message = draftMessage(fields.type, fields.to ?? NO_PEER);
  Object.assign(message, fields);
  return message;
}

/** A copy to another address, without the term it came with (the sender's own is set when it is sent on). */
export function forwarded(message: Message, to: PeerId): DraftMessage {
  const copy = draftMessage(message.type, to);
  Object.assign(copy, message);
  copy.to = to;
  copy.term = 0;
  return copy;
}

const NAMES: readonly string[] = Object.keys(MessageType);

const LOCAL = flags([
  MessageType.MsgHup,
  MessageType.MsgBeat,
  MessageType.MsgUnreachable,
  MessageType.MsgSnapStatus,
  MessageType.MsgCheckQuorum,
  MessageType.MsgStorageAppend,
  MessageType.MsgStorageAppendResp,
  MessageType.MsgStorageApply,
  MessageType.MsgStorageApplyResp,
]);

const RESPONSE = flags([
  MessageType.MsgAppResp,
  MessageType.MsgVoteResp,
  MessageType.MsgHeartbeatResp,
  MessageType.MsgUnreachable,
  MessageType.MsgReadIndexResp,
  MessageType.MsgPreVoteResp,
  MessageType.MsgStorageAppendResp,
  MessageType.MsgStorageApplyResp,
]);

/** Types that never travel between peers. */
export function isLocalMessage(type: MessageType): boolean {
  return LOCAL[type] === true;
}

/** Types that answer something. */
export function isResponseMessage(type: MessageType): boolean {
  return RESPONSE[type] === true;
}

/** True for the two names of the own storage. */
export function isStorageThread(id: PeerId): boolean {
  return id === APPEND_THREAD || id === APPLY_THREAD;
}

/** The name as in the protocol, for example `MsgApp`. */
export function messageTypeName(type: MessageType): string {
  return NAMES[type] ?? `MsgUnknown(${String(type)})`;
}

function flags(types: readonly MessageType[]): readonly boolean[] {
  return NAMES.map((_, type) => (types as readonly number[]).includes(type));
}

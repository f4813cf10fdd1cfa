/** Raft messages of raft-ts ↔ raftpb, the form they have between managers. */
import {
  ConfState as ConfStatePb,
  type Message as MessagePb,
  type Entry as EntryPb,
} from '../../proto/generated/raftpb/raftpb.ts';
import { SwarmError } from '../../common/errors.ts';
import {
  NO_PEER,
  type ConfState,
  type Entry,
  type EntryType,
  type Message,
  type MessageType,
  type Snapshot,
} from 'raft-ts';

const EMPTY = new Uint8Array(0);
const HIGHEST_ENTRY_TYPE = 2;
const HIGHEST_MESSAGE_TYPE = 23;

/** Zero-copy view of bytes as a Buffer. */
const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export function messageToWire(message: Message): MessagePb {
  return {
    type: message.type,
    to: message.to,
    from: message.from,
    term: message.term,
    logTerm: message.logTerm,
    index: message.index,
    entries: message.entries.map((e): EntryPb => ({
      Type: e.type,
      Term: e.term,
      Index: e.index,
      Data: asBuffer(e.data),
    })),
    commit: message.commit,
    snapshot: message.snapshot && {
      data: asBuffer(message.snapshot.data),
      metadata: {
        confState: confStateToWire(message.snapshot.metadata.confState),
        index: message.snapshot.metadata.index,
        term: message.snapshot.metadata.term,
      },
    },
    reject: message.reject,
    rejectHint: message.rejectHint,
    context: asBuffer(message.context),
    vote: message.vote,
    responses: [],
  };
}

/** Throws invalidArgument when the message is of a type this version does not know. */
export function messageFromWire(message: MessagePb): Message {
  const type = message.type ?? 0;
  if (type < 0 || type > HIGHEST_MESSAGE_TYPE)
    throw new SwarmError('invalidArgument', `raft message type ${type} is not known`);
  return {
    type: type as MessageType,
    to: message.to ?? NO_PEER,
    from: message.from ?? NO_PEER,
    term: message.term ?? 0,
    logTerm: message.logTerm ?? 0,
    index: message.index ?? 0,
    entries: message.entries.map(entryFromWire),
    commit: message.commit ?? 0,
    vote: message.vote ?? NO_PEER,
    snapshot: snapshotFromWire(message),
    reject: message.reject ?? false,
    rejectHint: message.rejectHint ?? 0,
    context: message.context ?? EMPTY,
    responses: [],
  };
}

function entryFromWire(entry: EntryPb): Entry {
  const type = entry.Type ?? 0;
  if (type < 0 || type > HIGHEST_ENTRY_TYPE)
    throw new SwarmError('invalidArgument', `raft entry type ${type} is not known`);
  return { type: type as EntryType, term: entry.Term ?? 0, index: entry.Index ?? 0, data: entry.Data ?? EMPTY };
}

/** Older peers put an explicit empty snapshot on every message: that counts as none. */
function snapshotFromWire(message: MessagePb): Snapshot | undefined {
  const metadata = message.snapshot?.metadata;
  if (!metadata || (metadata.index ?? 0) === 0) return undefined;
  return {
    data: message.snapshot?.data ?? EMPTY,
    metadata: {
      confState: confStateFromWire(metadata.confState),
      index: metadata.index ?? 0,
      term: metadata.term ?? 0,
    },
  };
}

const confStateToWire = (state: ConfState): ConfStatePb => ({ ...state });

function confStateFromWire(state: ConfStatePb | undefined): ConfState {
  const { voters, learners, votersOutgoing, learnersNext, autoLeave } = state ?? ConfStatePb.fromPartial({});
  return { voters, learners, votersOutgoing, learnersNext, autoLeave: autoLeave ?? false };
}

/**
 * The vocabulary of raft-ts: entries, messages and the state a node must keep.
 * Values are plain objects; numbers of message and entry types are those of etcd's raftpb, so a transport can map them one to one.
 */

/** Opaque 64-bit peer id as a canonical decimal string ("0" means no peer), so no id is rounded by JavaScript numbers. */
export type PeerId = string;

/** The id that stands for "no peer". */
export const NO_PEER: PeerId = '0';
/** Recipient of storage writes when async storage writes are on (2^64 − 1). */
export const APPEND_THREAD: PeerId = '18446744073709551615';
/** Recipient of entries to apply when async storage writes are on (2^64 − 2). */
export const APPLY_THREAD: PeerId = '18446744073709551614';

export const EntryType = { Normal: 0, ConfChange: 1, ConfChangeV2: 2 } as const;
export type EntryType = (typeof EntryType)[keyof typeof EntryType];

/** One log entry. Index and term are safe integers (≤ 2^53 − 1). */
export interface Entry {
  readonly type: EntryType;
  readonly term: number;
  readonly index: number;
  readonly data: Uint8Array;
}

/** What a node must remember across a crash besides its entries. */
export interface HardState {
  readonly term: number;
  readonly vote: PeerId;
  readonly commit: number;
}

/** A membership configuration; `votersOutgoing` is not empty while the configuration is joint (Ongaro's thesis §4.3). */
export interface ConfState {
  readonly voters: readonly PeerId[];
  readonly learners: readonly PeerId[];
  readonly votersOutgoing: readonly PeerId[];
  readonly learnersNext: readonly PeerId[];
  readonly autoLeave: boolean;
}

export interface SnapshotMetadata {
  readonly confState: ConfState;
  readonly index: number;
  readonly term: number;
}

/** State machine content at `metadata.index`. `data` is opaque here: the bytes themselves, or the name of a file that holds them. */
export interface Snapshot {
  readonly data: Uint8Array;
  readonly metadata: SnapshotMetadata;
}

export const MessageType = {
  MsgHup: 0,
  MsgBeat: 1,
  MsgProp: 2,
  MsgApp: 3,
  MsgAppResp: 4,
  MsgVote: 5,
  MsgVoteResp: 6,
  MsgSnap: 7,
  MsgHeartbeat: 8,
  MsgHeartbeatResp: 9,
  MsgUnreachable: 10,
  MsgSnapStatus: 11,
  MsgCheckQuorum: 12,
  MsgTransferLeader: 13,
  MsgTimeoutNow: 14,
  MsgReadIndex: 15,
  MsgReadIndexResp: 16,
  MsgPreVote: 17,
  MsgPreVoteResp: 18,
  MsgStorageAppend: 19,
  MsgStorageAppendResp: 20,
  MsgStorageApply: 21,
  MsgStorageApplyResp: 22,
  MsgForgetLeader: 23,
} as const;
export type MessageType = (typeof MessageType)[keyof typeof MessageType];

/** A message between peers, or between a node and its storage. Fields a type does not use hold their zero value. */
export interface Message {
  readonly type: MessageType;
  readonly to: PeerId;
  readonly from: PeerId;
  readonly term: number;
  readonly logTerm: number;
  readonly index: number;
  readonly entries: readonly Entry[];
  readonly commit: number;
  readonly vote: PeerId;
  readonly snapshot: Snapshot | undefined;
  readonly reject: boolean;
  readonly rejectHint: number;
  readonly context: Uint8Array;
  readonly responses: readonly Message[];
}

export const ConfChangeType = { AddNode: 0, RemoveNode: 1, UpdateNode: 2, AddLearnerNode: 3 } as const;
export type ConfChangeType = (typeof ConfChangeType)[keyof typeof ConfChangeType];

export const ConfChangeTransition = { Auto: 0, JointImplicit: 1, JointExplicit: 2 } as const;
export type ConfChangeTransition = (typeof ConfChangeTransition)[keyof typeof ConfChangeTransition];

/** One change of a {@link ConfChangeV2}. */
export interface ConfChangeSingle {
  readonly type: ConfChangeType;
  readonly nodeId: PeerId;
}

/** Old single-step change (entry type ConfChange). */
export interface ConfChange {
  readonly id: string;
  readonly type: ConfChangeType;
  readonly nodeId: PeerId;
  readonly context: Uint8Array;
}

/** Change of any number of members (entry type ConfChangeV2); no changes and transition Auto leaves a joint configuration. */
export interface ConfChangeV2 {
  readonly transition: ConfChangeTransition;
  readonly changes: readonly ConfChangeSingle[];
  readonly context: Uint8Array;
}

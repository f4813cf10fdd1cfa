/** raft-ts: Raft consensus as a pure, deterministic state machine. */
export * from './types.ts';
export { decodeConfChange, encodeConfChange } from './codec/conf-change-codec.ts';
export type { DecodeResult } from './codec/conf-change-codec.ts';
export type { RaftConfig } from './config.ts';
export { entriesBytes, entryBytes, payloadBytes } from './entry-size.ts';
export { LogLevel, silentLogger } from './logger.ts';
export type { Logger } from './logger.ts';
export { MemoryStorage } from './memory-storage.ts';
export type { SnapshotOutOfDate } from './memory-storage.ts';
export { asConfChangeV2, isConfChangeV2, LEAVE_JOINT } from './membership/conf-change.ts';
export { describeConfiguration } from './membership/draft.ts';
export { isLocalMessage, isResponseMessage, isStorageThread, messageTypeName, newMessage } from './messages.ts';
export { comparePeerIds, isPeerId, sortedPeerIds } from './peer-id.ts';
export { RawNode } from './raw-node.ts';
export type { ReadOnlyOption, ReadState } from './read-only.ts';
export type { Ready, Role, SoftState } from './ready.ts';
export type { ProposalRefusal, ProposeResult, StepRefusal } from './refusal.ts';
export type { PeerStatus, Status } from './status.ts';
export {
  EMPTY_CONF_STATE,
  EMPTY_HARD_STATE,
  EMPTY_SNAPSHOT,
  isEmptyHardState,
  isEmptySnapshot,
  SNAPSHOT_TEMPORARILY_UNAVAILABLE,
} from './storage.ts';
export type { InitialState, SnapshotUnavailable, Storage, StorageError } from './storage.ts';
export { ProgressState } from './tracker/progress.ts';

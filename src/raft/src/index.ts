/** raft-ts: Raft consensus as a pure, deterministic state machine. */
export {
  APPEND_THREAD,
  APPLY_THREAD,
  ConfChangeTransition,
  ConfChangeType,
  EntryType,
  MessageType,
  NO_PEER,
} from './types.ts';
export type {
  ConfChange,
  ConfChangeSingle,
  ConfChangeV2,
  ConfState,
  Entry,
  HardState,
  Message,
  PeerId,
  Snapshot,
  SnapshotMetadata,
} from './types.ts';
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
export { DurableLog } from './log/durable-log.ts';
export type { DurableLogOptions, DurableLogStats } from './log/durable-log-options.ts';
export {
  DiskFullError,
  LogClosedError,
  LogCorruptError,
  LogFatalError,
  LogIdentityError,
  LogKeyError,
  LogLockedError,
  RaftLogError,
} from './log/errors.ts';
export type { LogKeys } from './log/keys.ts';
export type { LogBatch, LogStore } from './log/log-store.ts';
export { MemoryLog } from './log/memory-log.ts';
export type { SnapshotContent } from './log/snapshot-reader.ts';
export type { ExpectedContent, SnapshotWriter } from './log/snapshot-writer.ts';
export { forceNewGroup, foundFromSnapshot, lastConfiguration } from './node/force-new-group.ts';
export type { NodeStatus } from './node/node-status.ts';
export type { BootstrapPeer, ConfigurationChanged, RaftNodeEvents, RaftNodeOptions } from './node/options.ts';
export { RaftNode } from './node/raft-node.ts';
export { RaftRefusedError } from './node/refusal.ts';
export type { NodeProposeResult, NodeRefusal } from './node/refusal.ts';
export type { StateMachine } from './node/state-machine.ts';

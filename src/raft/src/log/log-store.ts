import type { ConfState, Entry, HardState, Snapshot, SnapshotMetadata } from '../types.ts';
import type { Storage } from '../storage.ts';
import type { SnapshotContent } from './snapshot-reader.ts';

/** One atomic change of the log: after a crash all of it is there or none. Takes effect in the order of the fields. */
export interface LogBatch {
  /** A snapshot from a peer, already received and published: replaces the whole log. */
  readonly snapshot?: Snapshot | undefined;
  /** Drops every entry from this index on. Only needed when nothing replaces them. */
  readonly truncateFrom?: number | undefined;
  /** Consecutive; a first index at or below the last one replaces the suffix. */
  readonly entries?: readonly Entry[] | undefined;
  readonly hardState?: HardState | undefined;
  /** Replaces the configuration a restart begins with (normally that of the snapshot). */
  readonly confState?: ConfState | undefined;
  /** Make it durable even if only the commit index changes. Otherwise such a change may be written later. */
  readonly sync?: boolean | undefined;
  /** The caller has nothing better to do than to wait for it and will call {@link LogStore.writeNow} in the same turn. */
  readonly isAwaited?: boolean | undefined;
}

/** What a node needs of a log: what the state machine reads, plus durable appends and snapshots. */
export interface LogStore extends Storage {
  /** Nothing was ever written: a new node. */
  readonly isEmpty: boolean;
  /** No room is left for the log to grow. The node must take no proposals. */
  readonly isDiskFull: boolean;
  /** Highest commit index that is durable. */
  readonly durableCommit: number;
  /** Bytes of entries appended since the last snapshot. */
  readonly bytesSinceSnapshot: number;
  /** Bytes of content of the last snapshot; 0 without one. */
  readonly snapshotBytes: number;

  /** Never unavailable: making a snapshot leaves the previous one in place until it is done. */
  snapshot(): Snapshot;

  /**
   * Appends a batch. It can be read at once; `done` is called when it is durable, in the order of the appends, and never from within
   * this call. After a failure of the log it is never called.
   */
  append(batch: LogBatch, done: () => void): void;

  /**
   * Writes the batch that was appended last, if it was {@link LogBatch.isAwaited}, in this thread while nothing else is under way and the
   * disk is quick; calls back within this call. Never more than a shortcut.
   */
  writeNow(): void;

  /**
   * Writes a snapshot of the state machine at an applied index and makes it the one peers are sent. Its commit index is durable
   * before it is published. Resolves false if a newer snapshot came first. Rejects with DiskFullError without harm.
   */
  createSnapshot(
    metadata: SnapshotMetadata,
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<boolean>;

  /** Whether a snapshot with this index and term is here, received or made. */
  hasSnapshot(metadata: SnapshotMetadata): boolean;

  /** Opens a published snapshot; the caller closes it. Rejects if it was replaced by a newer one and removed. */
  openSnapshot(metadata: SnapshotMetadata): Promise<SnapshotContent>;

  /** Forgets entries up to `index`, at most that of the snapshot. */
  compact(index: number): void;

  close(): Promise<void>;
}

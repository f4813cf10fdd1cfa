import type { Entry, Snapshot, SnapshotMetadata } from '../types.ts';
import { EMPTY_CONF_STATE } from '../storage.ts';
import type { InitialState, StorageError } from '../storage.ts';
import { AppendPath, requireOpen } from './append-path.ts';
import type { DirectoryLock } from './directory-lock.ts';
import { recoveryOptions } from './durable-log-options.ts';
import type { DurableLogOptions, DurableLogStats } from './durable-log-options.ts';
import { checkKeys } from './keys.ts';
import type { LogKeys } from './keys.ts';
import { openDirectory } from './log-directory.ts';
import type { OpenedDirectory } from './log-directory.ts';
import type { LogBatch, LogStore } from './log-store.ts';
import type { LogView } from './log-view.ts';
import { PublishedSnapshots } from './published-snapshots.ts';
import { EntryReader } from './read-back.ts';
import type { KnownSegment, RecoveryOptions } from './recovery.ts';
import { scrubSegment } from './scrub.ts';
import type { SnapshotFiles, SnapshotKey } from './snapshot-files.ts';
import type { SnapshotReader } from './snapshot-reader.ts';
import type { SnapshotWriter } from './snapshot-writer.ts';

/**
 * The write-ahead log of a node: segments written by a worker thread, snapshots as files beside them. Reads are synchronous, from
 * memory or (older entries) from the segments.
 */
export class DurableLog implements LogStore {
  readonly #directory: string;
  readonly #lock: DirectoryLock;
  readonly #view: LogView;
  readonly #segments: Map<number, KnownSegment>;
  readonly #reader: EntryReader;
  readonly #snapshotFiles: SnapshotFiles;
  readonly #snapshots: PublishedSnapshots;
  readonly #path: AppendPath;
  readonly #tornBytes: number;
  #isEmpty: boolean;
  #closing: Promise<void> | undefined;
  #releasing: Promise<void> | undefined;

  private constructor(options: DurableLogOptions, settings: RecoveryOptions, opened: OpenedDirectory) {
    const { directory, clusterId, nodeId, keys, segmentBytes } = settings;
    const { view, segments, standing, tail, tornBytes, bytesSinceMark } = opened.recovered;
    this.#directory = directory;
    this.#lock = opened.lock;
    this.#view = view;
    this.#segments = new Map(segments.map((segment) => [segment.segment, segment]));
    this.#reader = new EntryReader(directory, this.#segments, keys);
    this.#tornBytes = tornBytes;
    this.#isEmpty = view.lastIndex === 0 && standing.hardState === undefined;
    this.#path = new AppendPath({
      view,
      start: { directory, clusterId, nodeId, segmentBytes, keys, tail, standing },
      bytesSinceSnapshot: bytesSinceMark,
      onSegment: ({ segment, file, keyId }) => this.#segments.set(segment, { segment, file, keyId }),
      onFatal: options.onFatal,
      onDiskFull: options.onDiskFull,
      onDiskRoom: options.onDiskRoom,
    });
    this.#snapshotFiles = opened.snapshots;
    this.#snapshots = new PublishedSnapshots(opened.snapshots, view, this.#path);
  }

  /**
   * Opens (or begins) the log of a directory, recovering from an interrupted write. Rejects with LogLockedError, LogIdentityError,
   * LogKeyError or LogCorruptError.
   */
  static async open(options: DurableLogOptions): Promise<DurableLog> {
    const settings = recoveryOptions(options);
    return new DurableLog(options, settings, await openDirectory(settings));
  }

  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  get isDiskFull(): boolean {
    return this.#path.isDiskFull;
  }

  get durableCommit(): number {
    return this.#path.durableCommit;
  }

  get bytesSinceSnapshot(): number {
    return this.#path.bytesSinceSnapshot;
  }

  get snapshotBytes(): number {
    return this.#snapshotFiles.facts(this.#snapshots.newest.metadata)?.contentBytes ?? 0;
  }

  initialState(): InitialState {
    return { hardState: this.#view.hardState, confState: this.#view.confState ?? EMPTY_CONF_STATE };
  }

  entries(lo: number, hi: number, maxBytes: number): readonly Entry[] | StorageError {
    const view = this.#view;
    if (lo <= view.base.index) return 'compacted';
    if (hi > view.lastIndex + 1)
      throw new Error(`entries up to ${String(hi)} asked for, last index is ${String(view.lastIndex)}`);
    return this.#reader.entries(view, lo, hi, maxBytes);
  }

  term(index: number): number | StorageError {
    const view = this.#view;
    if (index < view.base.index) return 'compacted';
    return view.termAt(index) ?? 'unavailable';
  }

  firstIndex(): number {
    return this.#view.base.index + 1;
  }

  lastIndex(): number {
    return this.#view.lastIndex;
  }

  snapshot(): Snapshot {
    return this.#snapshots.newest;
  }

  append(batch: LogBatch, done: () => void): void {
    if (this.#path.hasFailed) return;
    requireOpen(this.#path);
    const { snapshot } = batch;
    if (snapshot !== undefined && !this.hasSnapshot(snapshot.metadata)) {
      throw new Error(
        `the file of snapshot ${String(snapshot.metadata.index)} was not received before it was appended`,
      );
    }
    this.#isEmpty = false;
    this.#path.write(batch, undefined, () => {
      if (snapshot !== undefined) this.#snapshots.publish(snapshot.metadata);
      done();
    });
  }

  writeNow(): void {
    this.#path.writeNow();
  }

  createSnapshot(
    metadata: SnapshotMetadata,
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<boolean> {
    return this.#snapshots.create(metadata, content);
  }

  /** Begins to receive a snapshot from a peer; once published, hand the snapshot to the node. */
  async receiveSnapshot(metadata: SnapshotMetadata): Promise<SnapshotWriter> {
    requireOpen(this.#path);
    // Found after a crash, a snapshot beside no segment at all would be what is left of a log that was lost.
    if (this.#segments.size === 0) {
      await new Promise<void>((resolve) => this.#path.write({ sync: true }, undefined, resolve));
      requireOpen(this.#path);
    }
    return this.#snapshotFiles.write(metadata);
  }

  hasSnapshot(metadata: SnapshotMetadata): boolean {
    return this.#snapshotFiles.facts(metadata) !== undefined;
  }

  openSnapshot(metadata: SnapshotKey): Promise<SnapshotReader> {
    return this.#snapshotFiles.open(metadata);
  }

  compact(index: number): void {
    const view = this.#view;
    const until = Math.min(index, this.#snapshots.newest.metadata.index);
    if (until <= view.base.index) return;
    view.compact(until);
    const newest = Math.max(...this.#segments.keys());
    const needed = view.sparse.find(until + 1)?.point.place.segment ?? newest;
    const files: string[] = [];
    for (const { segment, file } of this.#segments.values()) {
      if (segment >= needed) continue;
      files.push(file);
      this.#segments.delete(segment);
      this.#reader.forget(segment);
    }
    if (files.length > 0) this.#path.remove(files);
  }

  /** Changes the keys; what is written from now on uses the new current one. Keep old keys while {@link keyIdsInUse} names them. */
  setKeys(keys: LogKeys | undefined): void {
    if (keys !== undefined) checkKeys(keys);
    this.#reader.setKeys(keys);
    this.#snapshotFiles.setKeys(keys);
    this.#path.setKeys(keys);
  }

  /** Keys needed to open what is on disk now; '' stands for unencrypted parts. A snapshot and compaction let old ones go. */
  keyIdsInUse(): ReadonlySet<string> {
    const ids = new Set([...this.#segments.values()].map((segment) => segment.keyId));
    for (const keyId of this.#snapshotFiles.keyIds()) ids.add(keyId);
    return ids;
  }

  /**
   * Reads everything that is at rest (complete segments and the snapshot) and verifies it; meant to be done now and then, so that
   * faults do not pile up. Rejects with LogCorruptError at the first damage.
   */
  async scrub(): Promise<void> {
    for (const { segment, file } of [...this.#segments.values()].slice(0, -1)) {
      await whileNeeded(scrubSegment(this.#directory, file), () => this.#segments.has(segment));
    }
    const snapshot = this.#snapshots.newest;
    if (snapshot.metadata.index === 0) return;
    await whileNeeded(this.#snapshotFiles.verify(snapshot.metadata), () => this.#snapshots.newest === snapshot);
  }

  stats(): DurableLogStats {
    return {
      ...this.#path.stats(),
      segments: this.#segments.size,
      cacheBytes: this.#view.cache.bytes,
      tornBytes: this.#tornBytes,
    };
  }

  /** Writes what is still pending, closes the files and frees the directory. While the disk is full, pending batches are given up. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Ends at once without writing anything more, as a crash would. */
  abandon(): Promise<void> {
    this.#releasing ??= this.#release();
    return this.#releasing;
  }

  async #close(): Promise<void> {
    await this.#path.drain(this.#snapshots.made);
    await this.abandon();
  }

  async #release(): Promise<void> {
    await this.#path.end();
    await this.#snapshots.removed;
    this.#reader.close();
    this.#lock.release();
  }
}

/** Waits for work on a file, whose failure means nothing if the file is no longer needed then. */
async function whileNeeded(work: Promise<void>, isNeeded: () => boolean): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (isNeeded()) throw error;
  }
}

import type { Entry, Snapshot, SnapshotMetadata } from '../types.ts';
import { EMPTY_CONF_STATE, EMPTY_SNAPSHOT } from '../storage.ts';
import type { InitialState, StorageError } from '../storage.ts';
import { encodeBatch } from './batch.ts';
import { planBatch } from './batch-plan.ts';
import type { DirectoryLock } from './directory-lock.ts';
import { recoveryOptions } from './durable-log-options.ts';
import type { DurableLogOptions, DurableLogStats } from './durable-log-options.ts';
import { DiskFullError, LogClosedError, LogFatalError } from './errors.ts';
import { checkKeys } from './keys.ts';
import type { LogKeys } from './keys.ts';
import { openDirectory } from './log-directory.ts';
import type { OpenedDirectory } from './log-directory.ts';
import type { LogBatch, LogStore } from './log-store.ts';
import type { LogView } from './log-view.ts';
import { entriesSize } from './payloads.ts';
import type { SnapshotMark } from './payloads.ts';
import { PendingBatches } from './pending-batches.ts';
import { EntryReader } from './read-back.ts';
import type { KnownSegment, RecoveryOptions } from './recovery.ts';
import { scrubSegment } from './scrub.ts';
import type { SnapshotFiles, SnapshotKey } from './snapshot-files.ts';
import { snapshotFileName } from './snapshot-format.ts';
import type { SnapshotReader } from './snapshot-reader.ts';
import type { SnapshotWriter } from './snapshot-writer.ts';
import { WorkerLink } from './worker-link.ts';
import type { FromWorker } from './worker-protocol.ts';

/** How long a change of the commit index alone may stay unwritten. */
const LAZY_MS = 100;

/**
 * The write-ahead log of a node: segments written by a worker thread, snapshots as files beside them. Reads are synchronous, from
 * memory or (older entries) from the segments.
 */
export class DurableLog implements LogStore {
  readonly #options: DurableLogOptions;
  readonly #lock: DirectoryLock;
  readonly #view: LogView;
  readonly #segments: Map<number, KnownSegment>;
  readonly #reader: EntryReader;
  readonly #snapshots: SnapshotFiles;
  readonly #worker: WorkerLink;
  readonly #tornBytes: number;
  readonly #pending: PendingBatches;
  #published: Snapshot;
  #bytesSinceSnapshot: number;
  #isEmpty: boolean;
  #lastId = 0;
  #lazyTimer: NodeJS.Timeout | undefined;
  #lazyHardState = false;
  #isDiskFull = false;
  /** The snapshot being made, or the last one. */
  #making: Promise<unknown> = Promise.resolve();
  /** The removal of older snapshots. */
  #removing: Promise<unknown> = Promise.resolve();
  #state: 'open' | 'failed' | 'closing' | 'closed' = 'open';
  #closing: Promise<void> | undefined;
  #onDrained: (() => void) | undefined;
  #onClosed: (() => void) | undefined;
  #groups = 0;
  #fsyncs = 0;
  #bytesWritten = 0;

  private constructor(options: DurableLogOptions, settings: RecoveryOptions, opened: OpenedDirectory) {
    const { directory, clusterId, nodeId, keys, segmentBytes } = settings;
    const { view, segments, standing, tail } = opened.recovered;
    this.#options = options;
    this.#lock = opened.lock;
    this.#view = view;
    this.#pending = new PendingBatches(view);
    this.#segments = new Map(segments.map((segment) => [segment.segment, segment]));
    this.#reader = new EntryReader(directory, this.#segments, keys);
    this.#snapshots = opened.snapshots;
    this.#published = publishedSnapshot(view.mark);
    this.#bytesSinceSnapshot = opened.recovered.bytesSinceMark;
    this.#tornBytes = opened.recovered.tornBytes;
    this.#isEmpty = view.lastIndex === 0 && standing.hardState === undefined;
    this.#worker = new WorkerLink(
      { directory, clusterId, nodeId, segmentBytes, keys, tail, standing },
      (message) => this.#receive(message),
      (detail) => this.#fail(detail),
    );
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
    return this.#isDiskFull;
  }

  get durableCommit(): number {
    return this.#pending.durableCommit;
  }

  get bytesSinceSnapshot(): number {
    return this.#bytesSinceSnapshot;
  }

  get snapshotBytes(): number {
    return this.#snapshots.facts(this.#published.metadata)?.contentBytes ?? 0;
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
    return this.#published;
  }

  append(batch: LogBatch, done: () => void): void {
    if (this.#state === 'failed') return;
    if (this.#state !== 'open') throw new LogClosedError();
    const { snapshot } = batch;
    if (snapshot !== undefined && !this.hasSnapshot(snapshot.metadata)) {
      throw new Error(
        `the file of snapshot ${String(snapshot.metadata.index)} was not received before it was appended`,
      );
    }
    const finish = snapshot === undefined ? done : () => this.#publish(snapshot.metadata, done);
    this.#write(batch, undefined, finish);
  }

  createSnapshot(
    metadata: SnapshotMetadata,
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<boolean> {
    const making = this.#makeSnapshot(metadata, content);
    this.#making = making.catch(() => undefined);
    return making;
  }

  async #makeSnapshot(
    metadata: SnapshotMetadata,
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<boolean> {
    const term = this.#view.termAt(metadata.index);
    if (term !== metadata.term)
      throw new Error(
        `snapshot at ${String(metadata.index)} has term ${String(metadata.term)}, the log ${String(term)}`,
      );
    const bytesBefore = this.#bytesSinceSnapshot;
    const writer = await this.#snapshots.write(metadata);
    try {
      for await (const chunk of content) {
        if (this.#isSuperseded(metadata)) return false;
        await writer.write(chunk);
      }
      if (this.#isSuperseded(metadata)) return false;
      await writer.publish();
    } finally {
      await writer.abort();
    }
    if (this.#isSuperseded(metadata)) return false;
    await new Promise<void>((resolve) => {
      this.#write({ sync: true }, { ...metadata, reset: false }, () => this.#publish(metadata, resolve));
    });
    this.#bytesSinceSnapshot = Math.max(0, this.#bytesSinceSnapshot - bytesBefore);
    await this.#removing;
    return true;
  }

  /** Begins to receive a snapshot from a peer; once published, hand the snapshot to the node. */
  receiveSnapshot(metadata: SnapshotMetadata): Promise<SnapshotWriter> {
    if (this.#state !== 'open') throw new LogClosedError();
    return this.#snapshots.write(metadata);
  }

  hasSnapshot(metadata: SnapshotMetadata): boolean {
    return this.#snapshots.facts(metadata) !== undefined;
  }

  openSnapshot(metadata: SnapshotKey): Promise<SnapshotReader> {
    return this.#snapshots.open(metadata);
  }

  compact(index: number): void {
    const view = this.#view;
    const until = Math.min(index, this.#published.metadata.index);
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
    if (files.length > 0 && this.#state === 'open') this.#worker.send({ kind: 'remove', files });
  }

  /** Changes the keys; what is written from now on uses the new current one. Keep old keys while {@link keyIdsInUse} names them. */
  setKeys(keys: LogKeys | undefined): void {
    if (keys !== undefined) checkKeys(keys);
    this.#reader.setKeys(keys);
    this.#snapshots.setKeys(keys);
    if (this.#state === 'open') this.#worker.send({ kind: 'keys', keys });
  }

  /** Keys needed to open what is on disk now; '' stands for unencrypted parts. A snapshot and compaction let old ones go. */
  keyIdsInUse(): ReadonlySet<string> {
    const ids = new Set([...this.#segments.values()].map((segment) => segment.keyId));
    for (const keyId of this.#snapshots.keyIds()) ids.add(keyId);
    return ids;
  }

  /**
   * Reads everything that is at rest (complete segments and the snapshot) and verifies it; meant to be done now and then, so that
   * faults do not pile up. Rejects with LogCorruptError at the first damage.
   */
  async scrub(): Promise<void> {
    const { directory } = this.#options;
    for (const { segment, file } of [...this.#segments.values()].slice(0, -1)) {
      await whileNeeded(scrubSegment(directory, file), () => this.#segments.has(segment));
    }
    const snapshot = this.#published;
    if (snapshot.metadata.index === 0) return;
    await whileNeeded(this.#snapshots.verify(snapshot.metadata), () => this.#published === snapshot);
  }

  stats(): DurableLogStats {
    return {
      groups: this.#groups,
      fsyncs: this.#fsyncs,
      bytesWritten: this.#bytesWritten,
      batches: this.#pending.finished,
      segments: this.#segments.size,
      cacheBytes: this.#view.cache.bytes,
      pendingBatches: this.#pending.size,
      tornBytes: this.#tornBytes,
    };
  }

  /** Writes what is still pending, closes the files and frees the directory. While the disk is full, pending batches are given up. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#state === 'closed') return;
    if (this.#state === 'open') {
      this.#flushLazy();
      this.#state = 'closing';
      if (!this.#isDiskFull) await this.#making;
      if (this.#pending.size > 0 && !this.#isDiskFull) {
        await new Promise<void>((resolve) => {
          this.#onDrained = resolve;
        });
      }
      const isOpen = (): boolean => this.#state === 'closing';
      if (isOpen() && !this.#isDiskFull) {
        await new Promise<void>((resolve) => {
          this.#onClosed = resolve;
          this.#worker.send({ kind: 'close' });
        });
      }
    }
    await this.#release();
  }

  /** Ends at once without writing anything more, as a crash would. */
  async abandon(): Promise<void> {
    if (this.#state !== 'closed') await this.#release();
  }

  async #release(): Promise<void> {
    this.#state = 'closed';
    clearTimeout(this.#lazyTimer);
    await this.#worker.end();
    await this.#removing;
    this.#reader.close();
    this.#lock.release();
  }

  #isSuperseded(metadata: SnapshotMetadata): boolean {
    return this.#view.mark.index >= metadata.index || this.#state !== 'open';
  }

  #write(batch: LogBatch, mark: SnapshotMark | undefined, done: () => void): void {
    const { content, mustSync, hasNewHardState } = planBatch(this.#view, batch, mark);
    this.#isEmpty = false;
    if (!mustSync) {
      if (hasNewHardState) this.#writeLater();
      this.#pending.add({ id: 0, commit: 0, runs: [], truncateFrom: undefined, isReset: false, done });
      if (this.#pending.size === 1) queueMicrotask(() => this.#finish(0));
      return;
    }
    const { hardState, lastIndex } = this.#view;
    const { bytes, runs } = encodeBatch(this.#lazyHardState ? { ...content, hardState } : content);
    this.#lazyHardState = false;
    const isReset = content.resetMark !== undefined;
    if (isReset) this.#bytesSinceSnapshot = 0;
    if (runs.length > 0) this.#bytesSinceSnapshot += entriesSize(content.entries);
    const id = ++this.#lastId;
    this.#pending.add({ id, commit: hardState.commit, runs, truncateFrom: batch.truncateFrom, isReset, done });
    this.#worker.send({ kind: 'append', id, bytes, nextIndex: runs[0]?.first ?? lastIndex + 1 }, [bytes.buffer]);
  }

  /** A commit index alone may wait for the next batch, or a moment. */
  #writeLater(): void {
    this.#lazyHardState = true;
    this.#lazyTimer ??= setTimeout(() => {
      this.#lazyTimer = undefined;
      this.#flushLazy();
    }, LAZY_MS);
  }

  #flushLazy(): void {
    if (this.#lazyHardState && this.#state === 'open') this.#write({ sync: true }, undefined, () => undefined);
  }

  #receive(message: FromWorker): void {
    switch (message.kind) {
      case 'appended':
        this.#groups++;
        this.#fsyncs++;
        this.#bytesWritten += message.bytes;
        this.#pending.place(message.id, message.places);
        this.#finish(message.id);
        break;
      case 'segment':
        this.#fsyncs += message.segment === 1 ? 1 : 2;
        this.#segments.set(message.segment, { segment: message.segment, file: message.file, keyId: message.keyId });
        break;
      case 'full':
        this.#isDiskFull = true;
        // Whoever closes the log does not wait for room.
        this.#onDrained?.();
        this.#options.onDiskFull?.(new DiskFullError(message.detail));
        break;
      case 'room':
        this.#isDiskFull = false;
        this.#options.onDiskRoom?.();
        break;
      case 'failed':
        this.#fail(message.detail);
        break;
      case 'closed':
        this.#onClosed?.();
        break;
    }
  }

  #finish(id: number): void {
    this.#pending.finish(id, () => this.#state === 'failed' || this.#state === 'closed');
    if (this.#pending.size === 0) this.#onDrained?.();
  }

  #publish(metadata: SnapshotMetadata, done: () => void): void {
    if (metadata.index > this.#published.metadata.index) {
      this.#published = publishedSnapshot({ ...metadata, reset: false });
      // A file that can not be removed does no harm; the next start tries again.
      this.#removing = this.#snapshots.removeBelow(metadata.index).catch(() => undefined);
    }
    done();
  }

  #fail(detail: string): void {
    if (this.#state === 'failed' || this.#state === 'closed') return;
    this.#state = 'failed';
    clearTimeout(this.#lazyTimer);
    this.#onDrained?.();
    this.#onClosed?.();
    this.#options.onFatal(new LogFatalError(detail));
  }
}

function publishedSnapshot({ index, term, confState }: SnapshotMark): Snapshot {
  if (index === 0) return EMPTY_SNAPSHOT;
  return { data: new TextEncoder().encode(snapshotFileName(index, term)), metadata: { index, term, confState } };
}

/** Waits for work on a file, whose failure means nothing if the file is no longer needed then. */
async function whileNeeded(work: Promise<void>, isNeeded: () => boolean): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (isNeeded()) throw error;
  }
}

import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Entry, HardState, PeerId, Snapshot, SnapshotMetadata } from '../types.ts';
import { entryBytes, limitBytes } from '../entry-size.ts';
import { EMPTY_CONF_STATE, EMPTY_SNAPSHOT } from '../storage.ts';
import type { InitialState, StorageError } from '../storage.ts';
import { encodeBatch } from './batch.ts';
import type { BatchContent, EntryRun } from './batch.ts';
import { DirectoryLock } from './directory-lock.ts';
import { DiskFullError, LogClosedError, LogCorruptError, LogFatalError } from './errors.ts';
import { checkId, checkKeys } from './keys.ts';
import type { LogKeys } from './keys.ts';
import type { LogBatch, LogStore } from './log-store.ts';
import type { LogView } from './log-view.ts';
import { entriesSize } from './payloads.ts';
import type { SnapshotMark } from './payloads.ts';
import { EntryReader } from './read-back.ts';
import { recoverLog } from './recovery.ts';
import type { KnownSegment, RecoveredLog } from './recovery.ts';
import { RESERVE_FILE, SPARE_FILE, TEMPORARY } from './segment-files.ts';
import { SnapshotFiles } from './snapshot-files.ts';
import { parseSnapshotFileName, snapshotFileName } from './snapshot-format.ts';
import { isOutOfSpace } from './spare-files.ts';
import type { SnapshotReader } from './snapshot-reader.ts';
import type { SnapshotWriter } from './snapshot-writer.ts';
import { WorkerLink } from './worker-link.ts';
import type { FromWorker } from './worker-protocol.ts';

export interface DurableLogOptions {
  /** Created if missing. Belongs to this log alone. */
  readonly directory: string;
  /** 1 to 56 printable ASCII characters. */
  readonly clusterId: string;
  readonly nodeId: PeerId;
  /** Bytes of one segment; three such files exist at least. Default 8 MiB. */
  readonly segmentBytes?: number | undefined;
  /** Bytes of newest entries kept in memory. Default 64 MiB. */
  readonly cacheBytes?: number | undefined;
  /** Encrypts everything written from now on. */
  readonly keys?: LogKeys | undefined;
  /** The log failed and will never acknowledge anything again: the process must end. */
  readonly onFatal: (error: LogFatalError) => void;
  /** Space ran out: step down and refuse proposals. What was acknowledged is safe, the rest waits for room. */
  readonly onDiskFull?: ((error: DiskFullError) => void) | undefined;
  /** Space is back. */
  readonly onDiskRoom?: (() => void) | undefined;
}

export interface DurableLogStats {
  /** Groups made durable, each with one write and one sync. */
  readonly groups: number;
  /** All syncs of segments on behalf of appends, including those for new segments. */
  readonly fsyncs: number;
  readonly bytesWritten: number;
  readonly batches: number;
  readonly segments: number;
  readonly cacheBytes: number;
  /** Batches appended and not yet durable. */
  readonly pendingBatches: number;
  /** Bytes of an interrupted write cut off when the log was opened. */
  readonly tornBytes: number;
}

interface PendingBatch {
  /** 0: nothing to be written for it. */
  readonly id: number;
  /** Commit index that is durable with it. */
  readonly commit: number;
  readonly runs: readonly EntryRun[];
  readonly truncateFrom: number | undefined;
  readonly isReset: boolean;
  readonly done: () => void;
}

/** How long a change of the commit index alone may stay unwritten. */
const LAZY_MS = 100;
const DEFAULT_SEGMENT_BYTES = 8 * 1024 * 1024;
const DEFAULT_CACHE_BYTES = 64 * 1024 * 1024;
const MIN_SEGMENT_BYTES = 16 * 1024;

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
  readonly #pending: PendingBatch[] = [];
  #published: Snapshot;
  #bytesSinceSnapshot: number;
  #isEmpty: boolean;
  #durableCommit: number;
  #lastId = 0;
  #lazyTimer: NodeJS.Timeout | undefined;
  #lazyHardState = false;
  #isDiskFull = false;
  /** The snapshot being made, or the last one. */
  #making: Promise<unknown> = Promise.resolve();
  /** The removal of older snapshots. */
  #removing: Promise<unknown> = Promise.resolve();
  #state: 'open' | 'failed' | 'closing' | 'closed' = 'open';
  #onDrained: (() => void) | undefined;
  #onClosed: (() => void) | undefined;
  #groups = 0;
  #fsyncs = 0;
  #bytesWritten = 0;
  #batches = 0;

  private constructor(
    options: DurableLogOptions,
    lock: DirectoryLock,
    recovered: RecoveredLog,
    snapshots: SnapshotFiles,
  ) {
    const { directory, clusterId, nodeId, keys } = options;
    this.#options = options;
    this.#lock = lock;
    this.#view = recovered.view;
    this.#segments = new Map(recovered.segments.map((segment) => [segment.segment, segment]));
    this.#reader = new EntryReader(directory, this.#segments, keys);
    this.#snapshots = snapshots;
    this.#published = publishedSnapshot(recovered.view.mark);
    this.#bytesSinceSnapshot = recovered.bytesSinceMark;
    this.#tornBytes = recovered.tornBytes;
    this.#durableCommit = recovered.view.hardState.commit;
    this.#isEmpty = recovered.view.lastIndex === 0 && recovered.standing.hardState === undefined;
    const segmentBytes = options.segmentBytes ?? DEFAULT_SEGMENT_BYTES;
    this.#worker = new WorkerLink(
      { directory, clusterId, nodeId, segmentBytes, keys, tail: recovered.tail, standing: recovered.standing },
      (message) => this.#receive(message),
      (detail) => this.#fail(detail),
    );
  }

  /**
   * Opens (or begins) the log of a directory, recovering from an interrupted write. Rejects with LogLockedError, LogIdentityError,
   * LogKeyError or LogCorruptError.
   */
  static async open(options: DurableLogOptions): Promise<DurableLog> {
    const { directory, clusterId, nodeId, keys } = options;
    checkId('cluster id', clusterId);
    checkId('node id', nodeId);
    if (keys !== undefined) checkKeys(keys);
    const segmentBytes = options.segmentBytes ?? DEFAULT_SEGMENT_BYTES;
    if (segmentBytes < MIN_SEGMENT_BYTES) throw new RangeError(`segment size ${String(segmentBytes)} is below ${String(MIN_SEGMENT_BYTES)} bytes`);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const lock = acquireLock(directory);
    try {
      for (const file of readdirSync(directory)) {
        if (file.endsWith(TEMPORARY)) rmSync(join(directory, file), { force: true });
      }
      const cacheBytes = options.cacheBytes ?? DEFAULT_CACHE_BYTES;
      const recovered = recoverLog({ directory, clusterId, nodeId, segmentBytes, keys, cacheBytes });
      const snapshots = new SnapshotFiles({ directory, clusterId, nodeId, keys });
      checkSnapshotsExist(directory, recovered);
      await snapshots.settle(recovered.view.mark);
      return new DurableLog(options, lock, recovered, snapshots);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  get isDiskFull(): boolean {
    return this.#isDiskFull;
  }

  get durableCommit(): number {
    return this.#durableCommit;
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
    if (hi > view.lastIndex + 1) throw new Error(`entries up to ${String(hi)} asked for, last index is ${String(view.lastIndex)}`);
    const found: Entry[] = [];
    let bytes = 0;
    const take = (entry: Entry): boolean => {
      bytes += entryBytes(entry);
      if (bytes > maxBytes && found.length > 0) return false;
      found.push(entry);
      return true;
    };
    const cached = Math.min(hi, view.cache.first);
    if (lo < cached) {
      this.#reader.read(view.sparse, lo, cached, take);
      if (lo + found.length < cached) return found;
    }
    for (let index = lo + found.length; index < hi; index++) {
      const entry = view.cache.get(index);
      if (entry === undefined) throw new Error(`entry ${String(index)} is neither in memory nor on disk`);
      if (!take(entry)) break;
    }
    return limitBytes(found, maxBytes);
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
      throw new Error(`the file of snapshot ${String(snapshot.metadata.index)} was not received before it was appended`);
    }
    const finish = snapshot === undefined ? done : () => this.#publish(snapshot.metadata, done);
    this.#write(batch, undefined, finish);
  }

  createSnapshot(metadata: SnapshotMetadata, content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<boolean> {
    const making = this.#makeSnapshot(metadata, content);
    this.#making = making.catch(() => undefined);
    return making;
  }

  async #makeSnapshot(metadata: SnapshotMetadata, content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<boolean> {
    const term = this.#view.termAt(metadata.index);
    if (term !== metadata.term) throw new Error(`snapshot at ${String(metadata.index)} has term ${String(metadata.term)}, the log ${String(term)}`);
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

  openSnapshot(metadata: { readonly index: number; readonly term: number }): Promise<SnapshotReader> {
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
    for (const { segment, file } of [...this.#segments.values()]) {
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
    const snapshot = this.#snapshots.facts(this.#published.metadata);
    if (snapshot !== undefined) ids.add(snapshot.keyId);
    return ids;
  }

  stats(): DurableLogStats {
    return {
      groups: this.#groups,
      fsyncs: this.#fsyncs,
      bytesWritten: this.#bytesWritten,
      batches: this.#batches,
      segments: this.#segments.size,
      cacheBytes: this.#view.cache.bytes,
      pendingBatches: this.#pending.length,
      tornBytes: this.#tornBytes,
    };
  }

  /** Writes what is still pending, closes the files and frees the directory. While the disk is full, pending batches are given up. */
  async close(): Promise<void> {
    if (this.#state === 'closed' || this.#state === 'closing') return;
    if (this.#state === 'open') {
      this.#flushLazy();
      this.#state = 'closing';
      if (!this.#isDiskFull) await this.#making;
      if (this.#pending.length > 0 && !this.#isDiskFull) {
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
    const view = this.#view;
    const { snapshot, truncateFrom, entries = [], hardState, confState } = batch;
    const before = view.hardState;
    const resetMark = snapshot === undefined ? undefined : { ...snapshot.metadata, reset: true };
    if (resetMark !== undefined) {
      view.setMark(resetMark, false);
      this.#bytesSinceSnapshot = 0;
    }
    const truncation = truncateFrom === undefined ? undefined : { from: truncateFrom, prevTerm: view.termAt(truncateFrom - 1) ?? 0 };
    if (truncation !== undefined) view.truncate(truncation);
    const first = entries[0]?.index;
    const prevTerm = first === undefined ? 0 : (view.termAt(first - 1) ?? 0);
    view.append(prevTerm, entries);
    if (hardState !== undefined) view.setHardState(hardState);
    if (mark !== undefined) view.setMark(mark, false);
    if (confState !== undefined) view.setConfState(confState);
    this.#isEmpty = false;

    const voted = view.hardState.term !== before.term || view.hardState.vote !== before.vote;
    const mustSync = batch.sync === true || voted || first !== undefined || confState !== undefined || truncation !== undefined || resetMark !== undefined;
    const runs: readonly EntryRun[] = [];
    if (!mustSync) {
      if (view.hardState.commit !== before.commit) this.#writeLater();
      this.#pending.push({ id: 0, commit: 0, runs, truncateFrom: undefined, isReset: false, done });
      if (this.#pending.length === 1) queueMicrotask(() => this.#finish(0));
      return;
    }
    const content: BatchContent = { resetMark, truncation, entries, prevTerm, hardState: this.#hardStateToWrite(before), mark, confState };
    const encoded = encodeBatch(content);
    this.#lazyHardState = false;
    if (entries.length > 0) this.#bytesSinceSnapshot += entriesSize(entries);
    const id = ++this.#lastId;
    this.#pending.push({ id, commit: view.hardState.commit, runs: encoded.runs, truncateFrom, isReset: resetMark !== undefined, done });
    this.#worker.send({ kind: 'append', id, bytes: encoded.bytes, nextIndex: first ?? view.lastIndex + 1 }, [encoded.bytes.buffer]);
  }

  /** The hard state, if it changed since it was last written. */
  #hardStateToWrite(before: HardState): HardState | undefined {
    const now = this.#view.hardState;
    const changed = now.term !== before.term || now.vote !== before.vote || now.commit !== before.commit;
    return changed || this.#lazyHardState ? now : undefined;
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
        this.#appended(message);
        break;
      case 'segment':
        this.#fsyncs += message.segment === 1 ? 1 : 2;
        this.#segments.set(message.segment, { segment: message.segment, file: message.file, keyId: message.keyId });
        break;
      case 'full':
        this.#isDiskFull = true;
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

  #appended(message: Extract<FromWorker, { readonly kind: 'appended' }>): void {
    const { sparse } = this.#view;
    let at = 0;
    for (const batch of this.#pending) {
      if (batch.id > message.id) break;
      if (batch.isReset) sparse.clear();
      if (batch.truncateFrom !== undefined) sparse.truncate(batch.truncateFrom);
      for (const run of batch.runs) {
        const place = message.places[at++];
        if (place !== undefined) this.#view.place(run.first, run.count, place);
      }
    }
    this.#finish(message.id);
    let placed = this.#view.lastIndex;
    for (const batch of this.#pending) placed = Math.min(placed, (batch.runs[0]?.first ?? Infinity) - 1, (batch.truncateFrom ?? Infinity) - 1);
    this.#view.setPlaced(placed);
  }

  /** Calls back every batch up to `id`, and those without anything to write that follow. */
  #finish(id: number): void {
    for (let next = this.#pending[0]; next !== undefined && next.id <= id; next = this.#pending[0]) {
      if (this.#state === 'failed' || this.#state === 'closed') return;
      this.#pending.shift();
      this.#batches++;
      this.#durableCommit = Math.max(this.#durableCommit, next.commit);
      next.done();
    }
    if (this.#pending.length === 0) this.#onDrained?.();
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

/** A log without the snapshot it relies on, or snapshots without their log, are a loss. */
function checkSnapshotsExist(directory: string, { view, tail }: RecoveredLog): void {
  const found = readdirSync(directory).map(parseSnapshotFileName);
  const { index, term } = view.mark;
  if (index > 0 && !found.some((file) => file?.index === index && file.term === term)) {
    throw new LogCorruptError({ file: snapshotFileName(index, term), offset: 0 }, 'the snapshot the log relies on is missing');
  }
  if (tail === undefined && found.some((file) => file !== undefined)) {
    throw new LogCorruptError({ file: directory, offset: 0 }, 'there are snapshots but no log segments');
  }
}

/** On a full disk not even a lock fits; room that was set aside is given up for it, if nobody else uses the directory. */
function acquireLock(directory: string): DirectoryLock {
  for (const setAside of [SPARE_FILE, RESERVE_FILE]) {
    try {
      return DirectoryLock.acquire(directory);
    } catch (error) {
      if (!isOutOfSpace(error)) throw error;
      rmSync(join(directory, setAside), { force: true });
    }
  }
  return DirectoryLock.acquire(directory);
}

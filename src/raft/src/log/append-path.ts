import { encodeBatch } from './batch.ts';
import type { LogKeys } from './keys.ts';
import { planBatch } from './batch-plan.ts';
import { DiskFullError, LogClosedError, LogFatalError, isSyncFailure } from './errors.ts';
import type { LogBatch } from './log-store.ts';
import type { LogView } from './log-view.ts';
import { entriesSize } from './payloads.ts';
import type { SnapshotMark } from './payloads.ts';
import { PendingBatches } from './pending-batches.ts';
import { QuickWriter } from './quick-writer.ts';
import type { QuickWrite } from './quick-writer.ts';
import type { SegmentBegun } from './segment-writer.ts';
import { WorkerLink } from './worker-link.ts';
import type { FromWorker, ToWorker, WorkerStart } from './worker-protocol.ts';

/** How long a change of the commit index alone may stay unwritten. */
const LAZY_MS = 100;
/** A disk that took longer than this for its last write is not waited for. */
const QUICK_WRITE_MS = 2;

export interface AppendPathOptions {
  readonly view: LogView;
  readonly start: WorkerStart;
  /** Bytes of entries in the log since the last snapshot. */
  readonly bytesSinceSnapshot: number;
  readonly onSegment: (segment: SegmentBegun) => void;
  readonly onFatal: (error: LogFatalError) => void;
  readonly onDiskFull: ((error: DiskFullError) => void) | undefined;
  readonly onDiskRoom: (() => void) | undefined;
}

export interface AppendStats {
  readonly groups: number;
  readonly fsyncs: number;
  readonly bytesWritten: number;
  readonly batches: number;
  readonly pendingBatches: number;
}

/** The way of a batch to the disk: it takes effect in the view, goes to the worker encoded, and is called back when it is durable. */
export class AppendPath {
  readonly #options: AppendPathOptions;
  readonly #view: LogView;
  readonly #pending: PendingBatches;
  readonly #worker: WorkerLink;
  readonly #quick: QuickWriter;
  #state: 'open' | 'failed' | 'closing' | 'closed' = 'open';
  #lastId = 0;
  /** Appended by somebody who may say at once that it is waited for, see {@link writeNow}. */
  #held: Extract<ToWorker, { readonly kind: 'append' }> | undefined;
  #lazyTimer: NodeJS.Timeout | undefined;
  #lazyHardState = false;
  #isDiskFull = false;
  #bytesSinceSnapshot: number;
  #lastWriteMs = Infinity;
  #onDrained: (() => void) | undefined;
  #onClosed: (() => void) | undefined;
  #groups = 0;
  #fsyncs = 0;
  #bytesWritten = 0;

  constructor(options: AppendPathOptions) {
    this.#options = options;
    this.#view = options.view;
    this.#pending = new PendingBatches(options.view);
    this.#bytesSinceSnapshot = options.bytesSinceSnapshot;
    this.#quick = new QuickWriter(options.start);
    this.#worker = new WorkerLink(
      options.start,
      (message) => this.#receive(message),
      (detail) => this.#fail(detail),
    );
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** It failed: nothing will ever be called back again. */
  get hasFailed(): boolean {
    return this.#state === 'failed';
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

  /** A snapshot covers this many of the bytes counted since the last one. */
  covered(bytes: number): void {
    this.#bytesSinceSnapshot = Math.max(0, this.#bytesSinceSnapshot - bytes);
  }

  /** @param mark a snapshot of the node's own that becomes part of the log with this batch */
  write(batch: LogBatch, mark: SnapshotMark | undefined, done: () => void): void {
    const { content, mustSync, hasNewHardState, canCommitWait } = planBatch(this.#view, batch, mark);
    if (canCommitWait) this.#writeLater();
    if (!mustSync) {
      this.#pending.add({ id: 0, commit: 0, runs: [], truncateFrom: undefined, isReset: false, done });
      if (this.#pending.size === 1) queueMicrotask(() => this.#finish(0));
      return;
    }
    const { hardState, lastIndex } = this.#view;
    const writesCommit = !canCommitWait && (hasNewHardState || this.#lazyHardState);
    const { bytes, runs } = encodeBatch({ ...content, hardState: writesCommit ? hardState : undefined });
    if (writesCommit) this.#lazyHardState = false;
    const isReset = content.resetMark !== undefined;
    if (isReset) this.#bytesSinceSnapshot = 0;
    if (runs.length > 0) this.#bytesSinceSnapshot += entriesSize(content.entries);
    const id = ++this.#lastId;
    this.#pending.add({
      id,
      commit: writesCommit ? hardState.commit : 0,
      runs,
      truncateFrom: batch.truncateFrom,
      isReset,
      done,
    });
    const append = { kind: 'append', id, bytes, nextIndex: runs[0]?.first ?? lastIndex + 1 } as const;
    this.#release();
    if (batch.isAwaited === true && this.#pending.size === 1 && this.#lastWriteMs <= QUICK_WRITE_MS) {
      this.#held = append;
      queueMicrotask(() => this.#release());
    } else this.#send(append);
  }

  /** See {@link LogStore.writeNow}. */
  writeNow(): void {
    const held = this.#held;
    if (held === undefined || this.#state !== 'open') return;
    try {
      const written = this.#quick.write(held.bytes);
      if (written === undefined) return this.#release();
      this.#held = undefined;
      this.#written(held.id, written);
    } catch (error) {
      if (isSyncFailure(error)) this.#fail(error.message);
      else this.#release();
    }
  }

  /** The worker can open what is written from now on with these keys. */
  setKeys(keys: LogKeys | undefined): void {
    if (this.#state !== 'open') return;
    this.#release();
    this.#quick.setKeys(keys);
    this.#worker.send({ kind: 'keys', keys });
  }

  /** Has the worker remove files of segments that are no longer needed. */
  remove(files: readonly string[]): void {
    if (this.#state === 'open') this.#worker.send({ kind: 'remove', files });
  }

  stats(): AppendStats {
    return {
      groups: this.#groups,
      fsyncs: this.#fsyncs,
      bytesWritten: this.#bytesWritten,
      batches: this.#pending.finished,
      pendingBatches: this.#pending.size,
    };
  }

  /**
   * Takes no more batches, lets the worker write those that are pending and close the files. While the disk is full they are given up.
   * @param before is waited for before the files are closed
   */
  async drain(before: Promise<unknown>): Promise<void> {
    if (this.#state !== 'open') return;
    this.#flushLazy();
    this.#release();
    this.#state = 'closing';
    if (!this.#isDiskFull) await before;
    if (this.#pending.size > 0 && !this.#isDiskFull) {
      await new Promise<void>((resolve) => {
        this.#onDrained = resolve;
      });
    }
    if (!this.#isClosing() || this.#isDiskFull) return;
    await new Promise<void>((resolve) => {
      this.#onClosed = resolve;
      this.#quick.close();
      this.#tellNews();
      this.#worker.send({ kind: 'close' });
    });
  }

  /** Ends the worker, whatever it is doing. */
  async end(): Promise<void> {
    this.#state = 'closed';
    clearTimeout(this.#lazyTimer);
    this.#quick.close();
    await this.#worker.end();
  }

  /** Lets the worker write what was held back for {@link writeNow}. */
  #release(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined && this.#state === 'open') this.#send(held);
  }

  #send(append: Extract<ToWorker, { readonly kind: 'append' }>): void {
    this.#tellNews();
    this.#worker.send(append, [append.bytes.buffer as ArrayBuffer]);
  }

  #tellNews(): void {
    const news = this.#quick.takeNews();
    if (news !== undefined) this.#worker.send({ kind: 'written', ...news });
  }

  #written(id: number, { places, bytes, tookMs }: QuickWrite): void {
    this.#groups++;
    this.#fsyncs++;
    this.#bytesWritten += bytes;
    this.#lastWriteMs = tookMs;
    this.#pending.place(id, places);
    this.#finish(id);
  }

  #isClosing(): boolean {
    return this.#state === 'closing';
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
    if (this.#lazyHardState && this.#state === 'open') this.write({ sync: true }, undefined, () => undefined);
  }

  #receive(message: FromWorker): void {
    switch (message.kind) {
      case 'appended':
        this.#quick.follow(message.end);
        this.#written(message.id, message);
        break;
      case 'segment':
        this.#fsyncs += message.segment === 1 ? 1 : 2;
        this.#quick.begun(message);
        this.#options.onSegment(message);
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

  #fail(detail: string): void {
    if (this.#state === 'failed' || this.#state === 'closed') return;
    this.#state = 'failed';
    clearTimeout(this.#lazyTimer);
    this.#onDrained?.();
    this.#onClosed?.();
    this.#options.onFatal(new LogFatalError(detail));
  }
}

/** Throws LogClosedError unless batches are taken. */
export function requireOpen(path: AppendPath): void {
  if (!path.isOpen) throw new LogClosedError();
}

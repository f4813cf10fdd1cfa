import { encodeBatch } from './batch.ts';
import { planBatch } from './batch-plan.ts';
import { DiskFullError, LogClosedError, LogFatalError } from './errors.ts';
import type { LogBatch } from './log-store.ts';
import type { LogView } from './log-view.ts';
import { entriesSize } from './payloads.ts';
import type { SnapshotMark } from './payloads.ts';
import { PendingBatches } from './pending-batches.ts';
import type { SegmentBegun } from './segment-writer.ts';
import { WorkerLink } from './worker-link.ts';
import type { FromWorker, ToWorker, WorkerStart } from './worker-protocol.ts';

/** How long a change of the commit index alone may stay unwritten. */
const LAZY_MS = 100;
/** A disk that took longer than this for its last write is not waited for. */
const QUICK_WRITE_MS = 1;
/** Longest wait for a quick disk: what it can cost the other work of the thread when the disk becomes slow just then. */
const LONGEST_WAIT_MS = 2;
/** How much of it may be spent awake: about as long as a quick disk takes for a small write. */
const AWAKE_MS = 0.5;

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
  #state: 'open' | 'failed' | 'closing' | 'closed' = 'open';
  #lastId = 0;
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
    const { content, mustSync, hasNewHardState } = planBatch(this.#view, batch, mark);
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

  /** See {@link LogStore.waitBriefly}. */
  waitBriefly(isAwake: boolean): void {
    if (this.#state !== 'open' || this.#pending.size === 0 || this.#lastWriteMs > QUICK_WRITE_MS) return;
    this.#worker.waitForMessage(LONGEST_WAIT_MS, isAwake ? AWAKE_MS : 0);
  }

  /** Hands the worker something other than a batch; what it cannot take any more is dropped. */
  tell(message: Exclude<ToWorker, { readonly kind: 'append' | 'close' }>): void {
    if (this.#state === 'open') this.#worker.send(message);
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
      this.#worker.send({ kind: 'close' });
    });
  }

  /** Ends the worker, whatever it is doing. */
  async end(): Promise<void> {
    this.#state = 'closed';
    clearTimeout(this.#lazyTimer);
    await this.#worker.end();
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
        this.#groups++;
        this.#fsyncs++;
        this.#bytesWritten += message.bytes;
        this.#lastWriteMs = message.tookMs;
        this.#pending.place(message.id, message.places);
        this.#finish(message.id);
        break;
      case 'segment':
        this.#fsyncs += message.segment === 1 ? 1 : 2;
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

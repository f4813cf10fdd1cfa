import type { LogBatch, LogStore } from '../log/log-store.ts';
import type { Message, Snapshot } from '../types.ts';

interface Write {
  readonly snapshot: Snapshot | undefined;
  readonly entries: number;
  readonly responses: readonly Message[];
  isDurable: boolean;
}

/**
 * Writes handed to the log, settled strictly in order: responses go out when the write is durable and, if it brings a snapshot, the
 * state machine is restored. What follows a snapshot waits for that.
 */
export class WriteQueue {
  readonly #log: LogStore;
  readonly #wake: () => void;
  readonly #restore: (snapshot: Snapshot) => Promise<void>;
  readonly #restored: (snapshot: Snapshot) => void;
  readonly #deliver: (responses: readonly Message[]) => void;
  readonly #failed: (error: unknown) => void;
  readonly #writes: Write[] = [];
  #restoring: 'no' | 'running' | 'done' = 'no';
  #snapshots = 0;

  constructor(options: {
    readonly log: LogStore;
    /** Asks for a call of {@link settle} soon. */
    readonly wake: () => void;
    readonly restore: (snapshot: Snapshot) => Promise<void>;
    /** Called before the responses of a restored snapshot are delivered. */
    readonly restored: (snapshot: Snapshot) => void;
    readonly deliver: (responses: readonly Message[]) => void;
    readonly failed: (error: unknown) => void;
  }) {
    this.#log = options.log;
    this.#wake = options.wake;
    this.#restore = options.restore;
    this.#restored = options.restored;
    this.#deliver = options.deliver;
    this.#failed = options.failed;
  }

  /** A snapshot was accepted and is not yet restored. */
  get isRestoring(): boolean {
    return this.#snapshots > 0;
  }

  /** No write is under way. */
  get isEmpty(): boolean {
    return this.#writes.length === 0;
  }

  /** A write of a single entry is under way and nothing else. */
  get isLone(): boolean {
    const [write] = this.#writes;
    return this.#writes.length === 1 && write?.entries === 1 && !write.isDurable;
  }

  append(batch: LogBatch, responses: readonly Message[]): void {
    const entries = batch.entries?.length ?? 0;
    const write: Write = { snapshot: batch.snapshot, entries, responses, isDurable: false };
    if (batch.snapshot !== undefined) this.#snapshots++;
    this.#writes.push(write);
    this.#log.append(batch, () => {
      write.isDurable = true;
      this.#wake();
    });
  }

  /** Settles what is due. */
  settle(): void {
    for (let write = this.#writes[0]; write?.isDurable === true; write = this.#writes[0]) {
      if (write.snapshot !== undefined && !this.#settleSnapshot(write.snapshot)) return;
      this.#writes.shift();
      this.#deliver(write.responses);
    }
  }

  /** True when nothing is left to be done for this snapshot. */
  #settleSnapshot(snapshot: Snapshot): boolean {
    if (this.#restoring === 'running') return false;
    const isReplaced = this.#snapshots > 1;
    if (this.#restoring === 'no' && !isReplaced) {
      this.#restoring = 'running';
      this.#restore(snapshot)
        .then(() => {
          this.#restoring = 'done';
        })
        .catch((error: unknown) => {
          // A newer snapshot removes the file of an older one; then the older one need not be restored.
          if (this.#snapshots === 1) this.#failed(error);
          this.#restoring = 'no';
        })
        .finally(this.#wake);
      return false;
    }
    const isRestored = this.#restoring === 'done';
    this.#restoring = 'no';
    this.#snapshots--;
    if (isRestored) this.#restored(snapshot);
    return true;
  }
}

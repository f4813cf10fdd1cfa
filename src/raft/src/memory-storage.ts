/** Storage in memory: for tests, simulations, and as the readable tail in front of a durable log. */
import type { ConfState, Entry, HardState, Snapshot } from './types.ts';
import { limitBytes } from './entry-size.ts';
import { EMPTY_HARD_STATE, EMPTY_SNAPSHOT } from './storage.ts';
import type { InitialState, Storage, StorageError } from './storage.ts';

/** The snapshot is not newer than the one already held. */
export type SnapshotOutOfDate = 'snapshot-out-of-date';

export class MemoryStorage implements Storage {
  #hardState: HardState = EMPTY_HARD_STATE;
  #snapshot: Snapshot = EMPTY_SNAPSHOT;
  /** Index and term of the entry before the first one kept. */
  #offset = 0;
  #offsetTerm = 0;
  /** `#entries[i]` has index `#offset + 1 + i`. */
  #entries: Entry[] = [];

  initialState(): InitialState {
    return { hardState: this.#hardState, confState: this.#snapshot.metadata.confState };
  }

  setHardState(state: HardState): void {
    this.#hardState = state;
  }

  entries(lo: number, hi: number, maxBytes: number): readonly Entry[] | StorageError {
    if (lo <= this.#offset) return 'compacted';
    if (hi > this.lastIndex() + 1) throw new Error(`entries up to ${hi} asked for, last index is ${this.lastIndex()}`);
    if (this.#entries.length === 0) return 'unavailable';
    const entries = this.#entries.slice(lo - this.#offset - 1, hi - this.#offset - 1);
    return limitBytes(entries, maxBytes);
  }

  term(i: number): number | StorageError {
    if (i < this.#offset) return 'compacted';
    if (i === this.#offset) return this.#offsetTerm;
    return this.#entries[i - this.#offset - 1]?.term ?? 'unavailable';
  }

  firstIndex(): number {
    return this.#offset + 1;
  }

  lastIndex(): number {
    return this.#offset + this.#entries.length;
  }

  snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** Replaces everything by a snapshot. */
  applySnapshot(snapshot: Snapshot): SnapshotOutOfDate | undefined {
    if (this.#snapshot.metadata.index >= snapshot.metadata.index) return 'snapshot-out-of-date';
    this.#snapshot = snapshot;
    this.#offset = snapshot.metadata.index;
    this.#offsetTerm = snapshot.metadata.term;
    this.#entries = [];
    return undefined;
  }

  /** Makes a snapshot of the state at index i, which must be in the log. */
  createSnapshot(i: number, confState: ConfState, data: Uint8Array): Snapshot | SnapshotOutOfDate {
    if (i <= this.#snapshot.metadata.index) return 'snapshot-out-of-date';
    const term = this.term(i);
    if (typeof term === 'string') throw new Error(`snapshot at ${i}, last index is ${this.lastIndex()}: ${term}`);
    this.#snapshot = { data, metadata: { index: i, term, confState } };
    return this.#snapshot;
  }

  /** Drops entries up to and including i, which must be in the log. */
  compact(i: number): 'compacted' | undefined {
    if (i <= this.#offset) return 'compacted';
    const term = this.term(i);
    if (typeof term === 'string') throw new Error(`compact to ${i}, last index is ${this.lastIndex()}: ${term}`);
    this.#entries = this.#entries.slice(i - this.#offset);
    this.#offset = i;
    this.#offsetTerm = term;
    return undefined;
  }

  /** Writes entries from the index of the first one on, cutting what followed there; those already compacted are ignored. */
  append(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    if (first.index > this.lastIndex() + 1) {
      throw new Error(`gap in the log: last index is ${this.lastIndex()}, appending at ${first.index}`);
    }
    const kept = Math.max(0, first.index - this.#offset - 1);
    if (kept < this.#entries.length) this.#entries.length = kept;
    for (const entry of entries) {
      if (entry.index > this.#offset) this.#entries.push(entry);
    }
  }
}

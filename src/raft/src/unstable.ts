/**
 * The part of the log that storage may not hold yet: new entries, and a snapshot that is being restored. "In progress" means handed out
 * to be written and not yet acknowledged.
 */
import type { Entry, Snapshot } from './types.ts';
import { LogLevel } from './logger.ts';
import type { Logger } from './logger.ts';

export class Unstable {
  /** A snapshot to be written, before any entries. */
  snapshot: Snapshot | undefined;
  /** `entries[i]` has index `offset + i`. Never handed out itself: callers get copies. */
  entries: Entry[] = [];
  offset: number;
  /** Entries before this index were handed out for writing. */
  offsetInProgress: number;
  snapshotInProgress = false;
  readonly #logger: Logger;

  constructor(offset: number, logger: Logger) {
    this.offset = offset;
    this.offsetInProgress = offset;
    this.#logger = logger;
  }

  firstIndex(): number | undefined {
    return this.snapshot === undefined ? undefined : this.snapshot.metadata.index + 1;
  }

  lastIndex(): number | undefined {
    if (this.entries.length > 0) return this.offset + this.entries.length - 1;
    return this.snapshot?.metadata.index;
  }

  /** Term of entry i, if it is known here. */
  term(i: number): number | undefined {
    if (i >= this.offset) return this.entries[i - this.offset]?.term;
    if (this.snapshot !== undefined && this.snapshot.metadata.index === i) return this.snapshot.metadata.term;
    return undefined;
  }

  hasNextEntries(): boolean {
    return this.offsetInProgress < this.offset + this.entries.length;
  }

  /** Entries not yet handed out for writing. */
  nextEntries(): readonly Entry[] {
    return this.entries.slice(this.offsetInProgress - this.offset);
  }

  /** The snapshot, if not yet handed out for writing. */
  nextSnapshot(): Snapshot | undefined {
    return this.snapshotInProgress ? undefined : this.snapshot;
  }

  /** Marks everything as handed out for writing. */
  acceptInProgress(): void {
    this.offsetInProgress = this.offset + this.entries.length;
    if (this.snapshot !== undefined) this.snapshotInProgress = true;
  }

  /**
   * Takes note that entries up to (index, term) are durable. Ignored if the entry is no longer here with that term: a later leader may have
   * replaced it while it was being written, and the acknowledgement then says nothing about the replacement.
   */
  stableTo(index: number, term: number): void {
    const known = this.term(index);
    if (known === undefined) {
      this.#info(`entry at index ${index} missing from unstable log; ignoring`);
      return;
    }
    if (index < this.offset) {
      this.#info(`entry at index ${index} matched unstable snapshot; ignoring`);
      return;
    }
    if (known !== term) {
      this.#info(
        `entry at (index,term)=(${index},${term}) mismatched with entry at (${index},${known}) in unstable log; ignoring`,
      );
      return;
    }
    const count = index + 1 - this.offset;
    this.entries = count === this.entries.length ? [] : this.entries.slice(count);
    this.offset = index + 1;
    this.offsetInProgress = Math.max(this.offsetInProgress, this.offset);
  }

  stableSnapshotTo(index: number): void {
    if (this.snapshot !== undefined && this.snapshot.metadata.index === index) {
      this.snapshot = undefined;
      this.snapshotInProgress = false;
    }
  }

  restore(snapshot: Snapshot): void {
    this.offset = snapshot.metadata.index + 1;
    this.offsetInProgress = this.offset;
    this.entries = [];
    this.snapshot = snapshot;
    this.snapshotInProgress = false;
  }

  /** Appends at the index of the first entry, replacing what was there and after it. `entries` is not empty. */
  truncateAndAppend(entries: readonly Entry[]): void {
    const from = (entries[0] as Entry).index;
    if (from === this.offset + this.entries.length) {
      for (const entry of entries) this.entries.push(entry);
    } else if (from <= this.offset) {
      this.#info(`replace the unstable entries from index ${from}`);
      this.entries = entries.slice();
      this.offset = from;
      this.offsetInProgress = from;
    } else {
      if (from > this.offset + this.entries.length) {
        throw new Error(`gap in the log: appending at ${from} after ${this.offset + this.entries.length - 1}`);
      }
      this.#info(`truncate the unstable entries before index ${from}`);
      this.entries = this.entries.slice(0, from - this.offset).concat(entries);
      this.offsetInProgress = Math.min(this.offsetInProgress, from);
    }
  }

  /** Entries [lo, hi), all of which must be here. */
  slice(lo: number, hi: number): readonly Entry[] {
    const end = this.offset + this.entries.length;
    if (lo > hi || lo < this.offset || hi > end) {
      throw new Error(`unstable entries [${lo},${hi}) out of bounds [${this.offset},${end})`);
    }
    return this.entries.slice(lo - this.offset, hi - this.offset);
  }

  #info(text: string): void {
    if (this.#logger.level <= LogLevel.Info) this.#logger.write(LogLevel.Info, text);
  }
}

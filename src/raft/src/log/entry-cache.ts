import type { Entry } from '../types.ts';
import { entrySize } from './payloads.ts';

/** The newest entries in memory: a run up to the last index, cut at the front by bytes. */
export class EntryCache {
  readonly #capBytes: number;
  #entries: Entry[] = [];
  #head = 0;
  #bytes = 0;
  #first: number;

  /** @param first Index the first entry added will have. */
  constructor(capBytes: number, first: number) {
    this.#capBytes = capBytes;
    this.#first = first;
  }

  /** Lowest index held; last + 1 if empty. */
  get first(): number {
    return this.#first;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Index after the last one held. */
  get end(): number {
    return this.#first + this.#entries.length - this.#head;
  }

  get(index: number): Entry | undefined {
    return index < this.#first ? undefined : this.#entries[this.#head + index - this.#first];
  }

  /** Adds an entry that follows the last one. */
  push(entry: Entry): void {
    this.#entries.push(entry);
    this.#bytes += entrySize(entry);
  }

  /** Drops entries from `from` on. */
  truncate(from: number): void {
    while (this.end > from && this.#entries.length > this.#head) {
      const entry = this.#entries.pop();
      if (entry !== undefined) this.#bytes -= entrySize(entry);
    }
    if (from < this.#first) this.reset(from);
  }

  /** Empties the cache; the next entry has index `first`. */
  reset(first: number): void {
    this.#entries = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#first = first;
  }

  /** Drops entries up to `index`. */
  dropThrough(index: number): void {
    while (this.#first <= index && this.#shift());
    if (this.#first <= index) this.#first = index + 1;
  }

  /** Drops the oldest entries over the byte cap, but none above `durable`, which can not be read back yet. */
  trim(durable: number): void {
    while (this.#bytes > this.#capBytes && this.#first <= durable && this.#shift());
  }

  #shift(): boolean {
    const entry = this.#entries[this.#head];
    if (entry === undefined) return false;
    this.#bytes -= entrySize(entry);
    this.#head++;
    this.#first++;
    if (this.#head > 1024 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    return true;
  }
}

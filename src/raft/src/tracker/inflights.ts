/** Appends sent to one follower and not yet acknowledged, limited by count and bytes. A ring that grows to its limit on demand. */

const FIRST_CAPACITY = 8;

export class Inflights {
  readonly #maxCount: number;
  /** 0 means no limit. */
  readonly #maxBytes: number;
  #start = 0;
  #count = 0;
  #bytes = 0;
  /** Ring of the last index of each message, and beside it the payload bytes of each. */
  #indexes: number[] = [];
  #sizes: number[] = [];

  /** `maxBytes` is soft: the window is full once it is reached, and one message may overshoot it; 0 means no limit. */
  constructor(maxCount: number, maxBytes: number) {
    this.#maxCount = maxCount;
    this.#maxBytes = maxBytes;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  isFull(): boolean {
    return this.#count === this.#maxCount || (this.#maxBytes !== 0 && this.#bytes >= this.#maxBytes);
  }

  /** Adds a message whose last entry has the given index; throws if the window is full (the caller must ask first). */
  add(index: number, bytes: number): void {
    if (this.isFull()) throw new Error('cannot add into a full in-flight window');
    if (this.#count === this.#indexes.length) this.#grow();
    const at = (this.#start + this.#count) % this.#indexes.length;
    this.#indexes[at] = index;
    this.#sizes[at] = bytes;
    this.#count++;
    this.#bytes += bytes;
  }

  /** Frees every message whose last index is at most `index`; an old acknowledgement frees nothing. */
  freeUpTo(index: number): void {
    const capacity = this.#indexes.length;
    while (this.#count > 0 && (this.#indexes[this.#start] as number) <= index) {
      this.#bytes -= this.#sizes[this.#start] as number;
      this.#start = this.#start + 1 === capacity ? 0 : this.#start + 1;
      this.#count--;
    }
    if (this.#count === 0) this.#start = 0;
  }

  reset(): void {
    this.#start = 0;
    this.#count = 0;
    this.#bytes = 0;
  }

  /** Doubles the ring, putting its oldest message first. */
  #grow(): void {
    const capacity = Math.min(Math.max(this.#indexes.length * 2, FIRST_CAPACITY), this.#maxCount);
    const indexes = Array.from({ length: capacity }, () => 0);
    const sizes = indexes.slice();
    for (let i = 0; i < this.#count; i++) {
      const from = (this.#start + i) % this.#indexes.length;
      indexes[i] = this.#indexes[from] as number;
      sizes[i] = this.#sizes[from] as number;
    }
    this.#indexes = indexes;
    this.#sizes = sizes;
    this.#start = 0;
  }
}

/** A binary heap of which only the top is used, changed or removed. Lowest rank first; equal ranks in the order given by `isBefore`. */
export class TopHeap<T> {
  readonly #items: T[];
  readonly #ranks: Float64Array;
  readonly #isBefore: (a: T, b: T) => boolean;
  #size: number;

  /** @param isBefore decides between items of equal rank */
  constructor(items: readonly T[], rank: (item: T) => number, isBefore: (a: T, b: T) => boolean) {
    this.#items = [...items];
    this.#ranks = new Float64Array(items.length);
    for (let i = 0; i < items.length; i++) this.#ranks[i] = rank(items[i] as T);
    this.#isBefore = isBefore;
    this.#size = items.length;
    for (let i = (this.#size >> 1) - 1; i >= 0; i--) this.#siftDown(i);
  }

  get top(): T | undefined {
    return this.#items[0];
  }

  /** Moves the top to where its new rank belongs. */
  reorderTop(rank: number): void {
    this.#ranks[0] = rank;
    this.#siftDown(0);
  }

  removeTop(): void {
    if (this.#size === 0) return;
    this.#size--;
    this.#items[0] = this.#items[this.#size] as T;
    this.#ranks[0] = this.#ranks[this.#size] as number;
    this.#items.length = this.#size;
    this.#siftDown(0);
  }

  #siftDown(start: number): void {
    const items = this.#items;
    const ranks = this.#ranks;
    const size = this.#size;
    if (start >= size) return;
    const item = items[start] as T;
    const rank = ranks[start] as number;
    let hole = start;
    for (let child = 2 * hole + 1; child < size; child = 2 * hole + 1) {
      if (child + 1 < size && this.#precedes(child + 1, ranks[child] as number, items[child] as T)) child++;
      if (!this.#precedes(child, rank, item)) break;
      items[hole] = items[child] as T;
      ranks[hole] = ranks[child] as number;
      hole = child;
    }
    items[hole] = item;
    ranks[hole] = rank;
  }

  #precedes(index: number, rank: number, item: T): boolean {
    const own = this.#ranks[index] as number;
    return own < rank || (own === rank && this.#isBefore(this.#items[index] as T, item));
  }
}

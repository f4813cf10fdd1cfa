/** A binary heap of which only the top is used, changed or removed. Lowest rank first; equal ranks in the order given by `isBefore`. */
export class TopHeap<T> {
  readonly #items: T[];
  readonly #ranks: number[];
  readonly #isBefore: (a: T, b: T) => boolean;

  /** @param isBefore decides between items of equal rank */
  constructor(items: readonly T[], rank: (item: T) => number, isBefore: (a: T, b: T) => boolean) {
    this.#items = [...items];
    this.#ranks = items.map(rank);
    this.#isBefore = isBefore;
    for (let i = (items.length >> 1) - 1; i >= 0; i--) this.#siftDown(i);
  }

  get top(): T | undefined {
    return this.#items[0];
  }

  /** Rank of the top; undefined when there is none. */
  get topRank(): number | undefined {
    return this.#ranks[0];
  }

  push(item: T, rank: number): void {
    const items = this.#items;
    const ranks = this.#ranks;
    let hole = items.length;
    items.push(item);
    ranks.push(rank);
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (this.#precedes(parent, rank, item)) break;
      items[hole] = items[parent] as T;
      ranks[hole] = ranks[parent] as number;
      hole = parent;
    }
    items[hole] = item;
    ranks[hole] = rank;
  }

  /** Moves the top to where its new rank belongs. */
  reorderTop(rank: number): void {
    this.#ranks[0] = rank;
    this.#siftDown(0);
  }

  removeTop(): void {
    const item = this.#items.pop();
    const rank = this.#ranks.pop();
    if (item === undefined || rank === undefined || this.#items.length === 0) return;
    this.#items[0] = item;
    this.#ranks[0] = rank;
    this.#siftDown(0);
  }

  #siftDown(start: number): void {
    const items = this.#items;
    const ranks = this.#ranks;
    const size = items.length;
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

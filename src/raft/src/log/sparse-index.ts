/** Where a record with entries starts, and what is needed to read on from there and verify it. */
export interface RecordPlace {
  readonly segment: number;
  readonly offset: number;
  readonly sequence: number;
  readonly prevCrc: number;
}

export interface IndexPoint {
  readonly first: number;
  readonly place: RecordPlace;
}

const POINT_EVERY_ENTRIES = 64;
const POINT_EVERY_BYTES = 64 * 1024;

/**
 * Finds the records of old entries: one point for about every 64 entries or 64 KiB. Between two points the entries lie in one
 * segment in file order and none is overwritten; a new point is set wherever that would not hold.
 */
export class SparseIndex {
  #points: IndexPoint[] = [];
  #next = 0;

  /** Records must be added in the order in which they stand in the log; one that begins at or below a known index replaces the suffix. */
  add(first: number, count: number, place: RecordPlace): void {
    this.truncate(first);
    const last = this.#points.at(-1);
    if (
      last === undefined ||
      first !== this.#next ||
      last.place.segment !== place.segment ||
      first + count - last.first > POINT_EVERY_ENTRIES ||
      place.offset - last.place.offset >= POINT_EVERY_BYTES
    ) {
      this.#points.push({ first, place });
    }
    this.#next = first + count;
  }

  /** Forgets entries from `from` on. */
  truncate(from: number): void {
    if (from >= this.#next) return;
    while ((this.#points.at(-1)?.first ?? -1) >= from) this.#points.pop();
    // The next record must get a point of its own: stale records may stand before it.
    this.#next = -1;
  }

  clear(): void {
    this.#points = [];
    this.#next = 0;
  }

  /** Forgets points not needed to find `index` and what follows. */
  compact(index: number): void {
    const at = this.#indexOf(index);
    if (at > 0) this.#points.splice(0, at);
  }

  /** The point from which to read to find `index`, and the first index of the point after it. */
  find(index: number): { readonly point: IndexPoint; readonly until: number } | undefined {
    const at = this.#indexOf(index);
    const point = this.#points[at];
    if (point === undefined) return undefined;
    return { point, until: this.#points[at + 1]?.first ?? Number.MAX_SAFE_INTEGER };
  }

  #indexOf(index: number): number {
    let low = 0;
    let high = this.#points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#points[middle]?.first ?? 0) <= index) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

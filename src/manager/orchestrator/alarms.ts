/** Wake-up times by key: a binary heap whose outdated entries are skipped when they surface. */

interface Entry<K> {
  readonly key: K;
  readonly atMs: number;
}

export class Alarms<K> {
  readonly #times = new Map<K, number>();
  readonly #heap: Entry<K>[] = [];

  get size(): number {
    return this.#times.size;
  }

  /** Sets the time of a key; an earlier time that is set already stays. */
  set(key: K, atMs: number): void {
    const known = this.#times.get(key);
    if (known !== undefined && known <= atMs) return;
    this.#times.set(key, atMs);
    this.#push({ key, atMs });
  }

  /** Time of the earliest alarm. */
  get next(): number | undefined {
    this.#dropOutdated();
    return this.#heap[0]?.atMs;
  }

  /** Removes and returns the keys whose time has come, earliest first. */
  takeDue(nowMs: number): readonly K[] {
    const due: K[] = [];
    for (let at = this.next; at !== undefined && at <= nowMs; at = this.next) {
      const { key } = this.#heap[0] as Entry<K>;
      this.#pop();
      this.#times.delete(key);
      due.push(key);
    }
    return due;
  }

  #dropOutdated(): void {
    for (let top = this.#heap[0]; top && this.#times.get(top.key) !== top.atMs; top = this.#heap[0]) this.#pop();
  }

  #push(entry: Entry<K>): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((heap[parent] as Entry<K>).atMs <= entry.atMs) break;
      heap[at] = heap[parent] as Entry<K>;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] as Entry<K>).atMs < (heap[child] as Entry<K>).atMs) child++;
      if ((heap[child] as Entry<K>).atMs >= last.atMs) break;
      heap[at] = heap[child] as Entry<K>;
      at = child;
    }
    heap[at] = last;
  }
}

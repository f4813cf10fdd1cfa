/** Virtual time: what is to happen, ordered by time and then by when it was asked for. A binary heap. */

/** Microseconds of virtual time. */
export type Micros = number;

interface Event {
  readonly at: Micros;
  readonly order: number;
  readonly run: () => void;
}

export class EventQueue {
  readonly #heap: Event[] = [];
  #order = 0;
  #now: Micros = 0;

  get now(): Micros {
    return this.#now;
  }

  get size(): number {
    return this.#heap.length;
  }

  after(delay: Micros, run: () => void): void {
    this.#push({ at: this.#now + delay, order: this.#order++, run });
  }

  /** Moves on to the next event; undefined if there is none. */
  next(): (() => void) | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined) return undefined;
    this.#now = first.at;
    const last = heap.pop() as Event;
    if (heap.length > 0) this.#sink(last);
    return first.run;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Event;
      if (!isBefore(event, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  /** Puts an event in place of the first one. */
  #sink(event: Event): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Event, heap[child] as Event)) child++;
      if (!isBefore(heap[child] as Event, event)) break;
      heap[at] = heap[child] as Event;
      at = child;
    }
    heap[at] = event;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

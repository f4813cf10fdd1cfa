/** Virtual time: one event after the other, each followed by all the promises it settles. The same seed gives the same run. */
import type { CancelTimer, Clock } from '../../src/common/clock.ts';

interface TimedEvent {
  readonly at: number;
  readonly sequence: number;
  action: (() => void) | undefined;
}

export class Timeline implements Clock {
  readonly #heap: TimedEvent[] = [];
  #nowMs = 1_700_000_000_000;
  #sequence = 0;
  /** Events that took place. */
  events = 0;

  now(): number {
    return Math.floor(this.#nowMs);
  }

  monotonic(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, action: () => void): CancelTimer {
    const event: TimedEvent = { at: this.#nowMs + Math.max(0, delayMs), sequence: this.#sequence++, action };
    this.#push(event);
    return () => {
      event.action = undefined;
    };
  }

  /** Lets time pass. */
  async advance(ms: number): Promise<void> {
    const end = this.#nowMs + ms;
    await settle();
    for (let next = this.#heap[0]; next !== undefined && next.at <= end; next = this.#heap[0]) {
      this.#pop();
      if (next.action === undefined) continue;
      this.#nowMs = next.at;
      this.events++;
      next.action();
      await settle();
    }
    this.#nowMs = end;
  }

  #push(event: TimedEvent): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isBefore(heap[parent] as TimedEvent, event)) break;
      heap[at] = heap[parent] as TimedEvent;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as TimedEvent;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as TimedEvent, heap[child] as TimedEvent)) child++;
      if (isBefore(last, heap[child] as TimedEvent)) break;
      heap[at] = heap[child] as TimedEvent;
      at = child;
    }
    heap[at] = last;
  }
}

const isBefore = (a: TimedEvent, b: TimedEvent): boolean => a.at < b.at || (a.at === b.at && a.sequence < b.sequence);

/** Nothing here does real I/O, so a turn of the loop runs every promise that is due. */
const settle = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

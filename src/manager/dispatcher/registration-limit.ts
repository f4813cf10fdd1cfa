/** Keeps an agent that fails in a loop from filling the log with registrations. */
import type { Clock } from '../../common/clock.ts';

export class RegistrationLimit {
  readonly #clock: Clock;
  readonly #count: number;
  readonly #windowMs: number;
  readonly #times = new Map<string, number[]>();

  /** Allows `count` registrations of one node in any `windowMs`. */
  constructor(clock: Clock, count: number, windowMs: number) {
    this.#clock = clock;
    this.#count = count;
    this.#windowMs = windowMs;
  }

  /** Counts a registration; false when it comes too soon, and then it is not counted. */
  admit(nodeId: string): boolean {
    const now = this.#clock.monotonic();
    const recent = (this.#times.get(nodeId) ?? []).filter((time) => now - time < this.#windowMs);
    const isAdmitted = recent.length < this.#count;
    if (isAdmitted) recent.push(now);
    this.#times.set(nodeId, recent);
    return isAdmitted;
  }

  forget(nodeId: string): void {
    this.#times.delete(nodeId);
  }
}

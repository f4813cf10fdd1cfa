/** A deadline that moves all the time: moving it later costs no timer, because the timer looks again when it fires. */
import type { CancelTimer, Clock } from '../../common/clock.ts';

/** A timer this late means that this process stood still, and that what it waits for may be lying unread. */
const STANDSTILL_MS = 1_000;

export class HeartbeatDeadline {
  readonly #clock: Clock;
  readonly #onExpired: () => void;
  #dueMs = 0;
  #delayMs = 0;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #cancel: CancelTimer | undefined;

  constructor(clock: Clock, onExpired: () => void) {
    this.#clock = clock;
    this.#onExpired = onExpired;
  }

  /** Expires `delayMs` from now, sooner or later than before. */
  set(delayMs: number): void {
    this.#delayMs = delayMs;
    this.#dueMs = this.#clock.monotonic() + delayMs;
    if (this.#timerAtMs > this.#dueMs) this.#arm(delayMs);
  }

  clear(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
  }

  #arm(delayMs: number): void {
    this.#cancel?.();
    this.#timerAtMs = this.#clock.monotonic() + delayMs;
    this.#cancel = this.#clock.setTimer(delayMs, () => this.#look());
  }

  #look(): void {
    const now = this.#clock.monotonic();
    const lateMs = now - this.#timerAtMs;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    this.#cancel = undefined;
    if (lateMs > STANDSTILL_MS) this.#dueMs = Math.max(this.#dueMs, now + Math.min(lateMs, this.#delayMs));
    if (now >= this.#dueMs) this.#onExpired();
    else this.#arm(this.#dueMs - now);
  }
}

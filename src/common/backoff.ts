/** Exponential back-off with jitter between tries of one thing. */
import type { Random } from './random.ts';

export interface BackoffOptions {
  /** First upper bound in ms. */
  readonly baseMs: number;
  /** Bound that is never passed, in ms. */
  readonly maxMs: number;
  /** Growth per failure. @default 2 */
  readonly factor?: number;
}

export class Backoff {
  readonly #options: BackoffOptions;
  readonly #random: Random;
  #failures = 0;

  constructor(options: BackoffOptions, random: Random) {
    this.#options = options;
    this.#random = random;
  }

  /** Failures since the last reset. */
  get failures(): number {
    return this.#failures;
  }

  /** Counts a failure and returns how long to wait in ms: uniform in [bound/2, bound). */
  next(): number {
    const { baseMs, maxMs, factor = 2 } = this.#options;
    const bound = Math.min(maxMs, baseMs * factor ** this.#failures);
    this.#failures++;
    return bound / 2 + (this.#random() * bound) / 2;
  }

  /** Call after success. */
  reset(): void {
    this.#failures = 0;
  }
}

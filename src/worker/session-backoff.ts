/**
 * Wait between tries to get a session: the bound grows `2·previous + 100 ms` up to 8 s, the wait is anything below it. An election takes
 * less than a second, so whoever hears of one does not wait longer.
 */
import type { Random } from '../common/random.ts';

const STEP_MS = 100;
const MAX_MS = 8000;
const MAX_ELECTION_MS = 1000;

export class SessionBackoff {
  readonly #random: Random;
  #boundMs = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Present bound in ms; 0 before the first failure. */
  get boundMs(): number {
    return this.#boundMs;
  }

  /**
   * Counts a failure and returns how long to wait, in ms: uniform in [0, bound).
   * @param isElection a manager answered that it does not lead
   */
  next(isElection = false): number {
    this.#boundMs = Math.min(STEP_MS + 2 * this.#boundMs, isElection ? MAX_ELECTION_MS : MAX_MS);
    return this.#random() * this.#boundMs;
  }

  /** Call when a session turned out to work. */
  reset(): void {
    this.#boundMs = 0;
  }
}

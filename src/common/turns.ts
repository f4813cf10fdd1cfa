/** How much of the time that all else took may be given to long work, besides one piece. Others count by the same rule, and one half each would let all of them grow. */
const SHARE = 1 / 3;
const AT_ONCE = Promise.resolve();

/**
 * Lets work be done in pieces, first come first served, so that all else has its turn of the event loop in between. Usually so much is done
 * in each turn, at least a piece. Where turns are long because there is much else to do, more is, for a third of the time of all else:
 * otherwise the more there is to do, the less of it would be done.
 */
export class Turns {
  readonly #monotonic: () => number;
  readonly #freeMs: number;
  readonly #waiting: (() => void)[] = [];
  #isScheduled = false;
  /** When the present turn has taken its share, in ms. */
  #end = 0;

  /**
   * @param monotonic time that has passed, in ms
   * @param freeMs what may be done in each turn, in ms, and at once if nobody waits; without it, each piece waits for its turn
   */
  constructor(monotonic: () => number, freeMs = 0) {
    this.#monotonic = monotonic;
    this.#freeMs = freeMs;
  }

  /** Resolves when the next piece may be done. */
  next(): Promise<void> {
    if (this.#isFree()) return AT_ONCE;
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (!this.#isScheduled) this.#schedule();
    });
  }

  #isFree(): boolean {
    if (this.#freeMs === 0 || this.#waiting.length > 0) return false;
    const now = this.#monotonic();
    if (!this.#isScheduled) {
      this.#end = now + this.#freeMs;
      this.#schedule();
    }
    return now < this.#end;
  }

  #schedule(): void {
    this.#isScheduled = true;
    const asked = this.#monotonic();
    setImmediate(() => {
      if (this.#waiting.length === 0) {
        this.#isScheduled = false;
        return;
      }
      const now = this.#monotonic();
      this.#end = now + Math.max(this.#freeMs, (now - asked) * SHARE);
      this.#give();
    });
  }

  #give(): void {
    this.#waiting.shift()?.();
    // The piece is done in microtasks; a tick asked for in one of them comes after all of them.
    queueMicrotask(() => process.nextTick(() => this.#goOn()));
  }

  #goOn(): void {
    if (this.#waiting.length === 0) this.#isScheduled = false;
    else if (this.#monotonic() < this.#end) this.#give();
    else this.#schedule();
  }
}

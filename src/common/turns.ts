/** How much of the time that all else took may be given to long work, besides one piece. Others count by the same rule, and one half each would let all of them grow. */
const SHARE = 1 / 3;

/**
 * Lets long work be done in pieces, first come first served, so that all else has its turn of the event loop in between. Usually one piece
 * is done in each turn. Where turns are long because there is much else to do, more are, for a third of the time of all else: otherwise
 * the more there is to do, the less of it would be done.
 */
export class Turns {
  readonly #monotonic: () => number;
  readonly #waiting: (() => void)[] = [];
  #isScheduled = false;
  /** When the present turn has taken its share, in ms. */
  #end = 0;

  /** @param monotonic time that has passed, in ms */
  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /** Resolves when the next piece may be done. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (!this.#isScheduled) this.#schedule();
    });
  }

  #schedule(): void {
    this.#isScheduled = true;
    const asked = this.#monotonic();
    setImmediate(() => {
      const now = this.#monotonic();
      this.#end = now + (now - asked) * SHARE;
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

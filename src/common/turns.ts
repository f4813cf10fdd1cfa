/**
 * Lets long work be done in pieces, of which one is done in each turn of the event loop, first come first served: however many do long work
 * at a time, all else waits for no more than one piece.
 */
export class Turns {
  readonly #waiting: (() => void)[] = [];

  /** Resolves when the next piece may be done. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) setImmediate(this.#give);
    });
  }

  readonly #give = (): void => {
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) setImmediate(this.#give);
  };
}

/** Lets many callers share one confirmation that each of them may rely on. */

/** A pass is good for everybody who came before it began; those who come later share the next one. */
export class SharedBarrier {
  readonly #confirm: () => Promise<void>;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(confirm: () => Promise<void>) {
    this.#confirm = confirm;
  }

  /** Resolves after a confirmation that began after this call; rejects when that one failed. */
  pass(): Promise<void> {
    if (!this.#running) return this.#begin();
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.#begin();
      });
    return this.#next;
  }

  #begin(): Promise<void> {
    const running = this.#confirm().finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }
}

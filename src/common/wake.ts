/** Lets one loop wait for work that others announce. */
export class Wake {
  #isSet = false;
  #resolve: (() => void) | undefined;

  /** Announces work; announcements between two waits count once and are never lost. */
  readonly set = (): void => {
    this.#isSet = true;
    this.#resolve?.();
  };

  /** Resolves when there was an announcement since the last wait ended. Only one may wait at a time. */
  async wait(): Promise<void> {
    if (!this.#isSet) {
      await new Promise<void>((resolve) => {
        this.#resolve = resolve;
      });
      this.#resolve = undefined;
    }
    this.#isSet = false;
  }
}

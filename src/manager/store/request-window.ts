/** Ids of the requests applied last, so that a proposal that reaches the log twice is applied once. Part of the replicated state. */

const WINDOW = 4096;

export class RequestWindow {
  readonly #seen = new Set<string>();

  /** In order of application. */
  get ids(): readonly string[] {
    return [...this.#seen];
  }

  /** Whether a request is new; it counts as seen from now on. */
  admit(id: string): boolean {
    if (this.#seen.has(id)) return false;
    this.#seen.add(id);
    if (this.#seen.size > WINDOW) {
      // A Set iterates in order of insertion, so the first is the oldest.
      for (const oldest of this.#seen) {
        this.#seen.delete(oldest);
        break;
      }
    }
    return true;
  }

  reset(ids: readonly string[]): void {
    this.#seen.clear();
    for (const id of ids) this.#seen.add(id);
  }
}

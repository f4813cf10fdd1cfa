/** Ids of the requests applied last, so that a proposal that reaches the log twice is applied once. Part of the replicated state. */

const WINDOW = 4096;

export class RequestWindow {
  readonly #seen = new Set<string>();
  /** The same ids as a ring. Deleting the first of a Set costs more the more of its first ones were deleted before. */
  #ring: string[] = [];
  /** Where the oldest of a full ring stands. */
  #oldest = 0;

  /** In order of application. */
  get ids(): readonly string[] {
    return [...this.#ring.slice(this.#oldest), ...this.#ring.slice(0, this.#oldest)];
  }

  /** Whether a request is new; it counts as seen from now on. */
  admit(id: string): boolean {
    if (this.#seen.has(id)) return false;
    this.#seen.add(id);
    if (this.#ring.length < WINDOW) {
      this.#ring.push(id);
      return true;
    }
    this.#seen.delete(this.#ring[this.#oldest] ?? '');
    this.#ring[this.#oldest] = id;
    this.#oldest = (this.#oldest + 1) % WINDOW;
    return true;
  }

  reset(ids: readonly string[]): void {
    this.#seen.clear();
    this.#ring = [];
    this.#oldest = 0;
    for (const id of ids) this.admit(id);
  }
}

/** Terms of all entries of a log as runs: terms change seldom, so a term never needs a read from disk. */
export class TermRuns {
  #runs: { readonly first: number; readonly term: number }[] = [];

  append(index: number, term: number): void {
    if (this.#runs.at(-1)?.term !== term) this.#runs.push({ first: index, term });
  }

  /** The term of an entry within the range the caller knows to exist. */
  at(index: number): number | undefined {
    for (let i = this.#runs.length - 1; i >= 0; i--) {
      const run = this.#runs[i];
      if (run !== undefined && run.first <= index) return run.term;
    }
    return undefined;
  }

  truncate(from: number): void {
    while ((this.#runs.at(-1)?.first ?? -1) >= from) this.#runs.pop();
  }

  clear(): void {
    this.#runs = [];
  }

  /** Forgets terms below `index`. */
  compact(index: number): void {
    const keep = this.#runs.findLastIndex((run) => run.first <= index);
    if (keep > 0) this.#runs.splice(0, keep);
  }
}

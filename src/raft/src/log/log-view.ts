import type { ConfState, Entry, HardState } from '../types.ts';
import { EMPTY_CONF_STATE, EMPTY_HARD_STATE } from '../storage.ts';
import { EntryCache } from './entry-cache.ts';
import type { EntriesOutline, SnapshotMark, Truncation } from './payloads.ts';
import { SparseIndex } from './sparse-index.ts';
import type { RecordPlace } from './sparse-index.ts';
import { TermRuns } from './term-runs.ts';

/** A contradiction between records, found while replaying them. */
export class ReplayError extends Error {}

const NO_MARK: SnapshotMark = { index: 0, term: 0, confState: EMPTY_CONF_STATE, reset: false };

/**
 * The log in memory: its bounds, terms, newest entries and the state that goes with them. Recovery replays records into it, live
 * appends change it when they are issued. It never touches a file.
 */
export class LogView {
  readonly cache: EntryCache;
  readonly sparse = new SparseIndex();
  readonly #terms = new TermRuns();
  #base: { readonly index: number; readonly term: number } | undefined;
  #last = 0;
  #hardState: HardState = EMPTY_HARD_STATE;
  #mark: SnapshotMark = NO_MARK;
  #confState: ConfState | undefined;
  /** Highest index up to which entries can be read back from the files. */
  #placed = 0;

  constructor(cacheBytes: number) {
    this.cache = new EntryCache(cacheBytes, 1);
  }

  /** Index and term of the entry before the first one. */
  get base(): { readonly index: number; readonly term: number } {
    return this.#base ?? { index: 0, term: 0 };
  }

  get lastIndex(): number {
    return this.#last;
  }

  get hardState(): HardState {
    return this.#hardState;
  }

  get mark(): SnapshotMark {
    return this.#mark;
  }

  get confState(): ConfState | undefined {
    return this.#confState;
  }

  /** Term of an entry in [base, last]. */
  termAt(index: number): number | undefined {
    if (index === this.base.index) return this.base.term;
    return index < this.base.index || index > this.#last ? undefined : this.#terms.at(index);
  }

  /** Adds entries; a first index at or below the last one replaces the suffix. `prevTerm` is the term before the first. */
  append(prevTerm: number, entries: readonly Entry[]): void {
    const first = entries[0]?.index;
    if (first === undefined) return;
    this.#joinAt(first, prevTerm);
    for (const entry of entries) {
      this.#terms.append(entry.index, entry.term);
      this.cache.push(entry);
    }
    this.#last = first + entries.length - 1;
  }

  /** As {@link append}, of entries that are in the files and not needed in memory. */
  extend({ prevTerm, first, count, terms }: EntriesOutline): void {
    this.#joinAt(first, prevTerm);
    for (const { first: index, term } of terms) this.#terms.append(index, term);
    this.#last = first + count - 1;
    this.cache.reset(first + count);
  }

  truncate({ from, prevTerm }: Truncation): void {
    if (this.#base === undefined || from <= this.#base.index) this.#restart(from - 1, prevTerm);
    else this.#cut(from);
  }

  setHardState(state: HardState): void {
    // A commit index never moves back, and a snapshot may have proved more than an older write knows.
    const commit = Math.max(state.commit, this.#hardState.commit, this.#mark.index);
    this.#hardState = { term: state.term, vote: state.vote, commit };
  }

  setConfState(state: ConfState): void {
    this.#confState = state;
  }

  /** @param restated The mark is repeated at a segment's head: it changes no entries. */
  setMark(mark: SnapshotMark, restated: boolean): void {
    this.#mark = { ...mark, reset: mark.reset && !restated };
    this.#confState = mark.confState;
    if (mark.reset && !restated) this.#restart(mark.index, mark.term);
    this.setHardState(this.#hardState);
  }

  /**
   * After a replay: gives a log without entries its bounds and reports contradictions.
   * @param firstIndex Index of the next entry when the oldest segment replayed was begun.
   */
  settle(firstIndex: number): void {
    const mark = this.#mark;
    if (this.#base === undefined) {
      if (firstIndex - 1 > mark.index) {
        throw new ReplayError(
          `entries ${String(mark.index + 1)} to ${String(firstIndex - 1)} were in a segment that is missing`,
        );
      }
      this.#restart(mark.index, mark.term);
    }
    if (this.base.index > mark.index) {
      throw new ReplayError(
        `entries begin at ${String(this.base.index + 1)}, after the snapshot at ${String(mark.index)}`,
      );
    }
    if (mark.index > this.#last || this.termAt(mark.index) !== mark.term) {
      throw new ReplayError(
        `snapshot ${String(mark.index)} (term ${String(mark.term)}) is not part of the log, which ends at ${String(this.#last)}`,
      );
    }
    if (this.#hardState.commit > this.#last) {
      throw new ReplayError(
        `the commit index ${String(this.#hardState.commit)} is behind the last entry ${String(this.#last)}`,
      );
    }
  }

  /** Forgets entries up to `index`, which the snapshot covers. */
  compact(index: number): void {
    const term = this.termAt(index);
    if (term === undefined || index <= this.base.index) return;
    this.#base = { index, term };
    this.#terms.compact(index);
    this.cache.dropThrough(index);
    this.sparse.compact(index + 1);
  }

  /** A record with entries is in its file. Must be called in file order. */
  place(first: number, count: number, place: RecordPlace): void {
    this.sparse.add(first, count, place);
  }

  /** Everything up to `index` can be read back, so the cache may drop it. */
  setPlaced(index: number): void {
    this.#placed = Math.min(index, this.#last);
    this.cache.trim(this.#placed);
  }

  /** Makes `first` the next index: what stands there and behind goes. */
  #joinAt(first: number, prevTerm: number): void {
    if (this.#base === undefined || first <= this.#base.index) {
      this.#restart(first - 1, prevTerm);
    } else if (first > this.#last + 1) {
      throw new ReplayError(`entry ${String(first)} follows entry ${String(this.#last)}`);
    } else {
      if (this.termAt(first - 1) !== prevTerm) {
        throw new ReplayError(
          `entry ${String(first)} follows term ${String(prevTerm)}, the log has ${String(this.termAt(first - 1))}`,
        );
      }
      this.#cut(first);
    }
  }

  #restart(index: number, term: number): void {
    this.#base = { index, term };
    this.#last = index;
    this.#terms.clear();
    this.cache.reset(index + 1);
    this.#placed = Math.min(this.#placed, index);
  }

  #cut(from: number): void {
    this.#terms.truncate(from);
    this.cache.truncate(from);
    this.#last = from - 1;
    this.#placed = Math.min(this.#placed, from - 1);
  }
}

/**
 * The log as the state machine sees it: storage followed by the unstable part, with the positions up to which entries are committed,
 * handed out to be applied, and applied. Always applied ≤ applying ≤ committed ≤ last index.
 */
import type { Entry, Snapshot } from './types.ts';
import { countWithin, entriesBytes, limitBytes } from './entry-size.ts';
import { LogLevel } from './logger.ts';
import type { Logger } from './logger.ts';
import type { SnapshotUnavailable, Storage, StorageError } from './storage.ts';
import { Unstable } from './unstable.ts';

/** Where a log agrees at most with another one; term 0 where it is not known. */
export interface LogPosition {
  readonly index: number;
  readonly term: number;
}

export class RaftLog {
  readonly unstable: Unstable;
  committed: number;
  applying: number;
  applied: number;
  readonly #storage: Storage;
  readonly #logger: Logger;
  /** Limit of entries handed out and not yet applied, in bytes. */
  readonly #maxApplyingBytes: number;
  #applyingBytes = 0;
  #isApplyingPaused = false;

  constructor(storage: Storage, logger: Logger, maxApplyingBytes: number) {
    this.#storage = storage;
    this.#logger = logger;
    this.#maxApplyingBytes = maxApplyingBytes;
    this.unstable = new Unstable(storage.lastIndex() + 1, logger);
    this.committed = storage.firstIndex() - 1;
    this.applying = this.committed;
    this.applied = this.committed;
  }

  get maxApplyingBytes(): number {
    return this.#maxApplyingBytes;
  }

  firstIndex(): number {
    return this.unstable.firstIndex() ?? this.#storage.firstIndex();
  }

  lastIndex(): number {
    return this.unstable.lastIndex() ?? this.#storage.lastIndex();
  }

  lastTerm(): number {
    const term = this.term(this.lastIndex());
    if (typeof term === 'string') throw new Error(`the term of the last entry is not known: ${term}`);
    return term;
  }

  /** Term of entry i; also known for the entry just before the first one kept. */
  term(i: number): number | StorageError {
    const term = this.unstable.term(i);
    if (term !== undefined) return term;
    if (i + 1 < this.firstIndex()) return 'compacted';
    if (i > this.lastIndex()) return 'unavailable';
    return this.#storage.term(i);
  }

  /** The term for log lines: 0 where there is none. */
  termOrZero(i: number): number {
    const term = this.term(i);
    return typeof term === 'string' ? 0 : term;
  }

  matchesTerm(index: number, term: number): boolean {
    return this.term(index) === term;
  }

  /** Raft paper §5.4.1: the later term wins; with equal terms the longer log. */
  isUpToDate(lastIndex: number, lastTerm: number): boolean {
    const ours = this.lastTerm();
    return lastTerm > ours || (lastTerm === ours && lastIndex >= this.lastIndex());
  }

  /**
   * A follower's append (paper §5.3): refused (undefined) unless the entry before matches. Entries already here are kept, the log is cut
   * only at a real conflict. Commits up to the last new entry at most: what follows it here may differ from the leader's.
   */
  maybeAppend(prevIndex: number, prevTerm: number, entries: readonly Entry[], commit: number): number | undefined {
    if (!this.matchesTerm(prevIndex, prevTerm)) return undefined;
    const lastNew = prevIndex + entries.length;
    const conflict = this.#findConflict(entries);
    if (conflict !== 0) {
      if (conflict <= this.committed) {
        throw new Error(`entry ${conflict} conflicts with a committed entry (committed ${this.committed})`);
      }
      const kept = conflict - prevIndex - 1;
      this.append(kept === 0 ? entries : entries.slice(kept));
    }
    this.commitTo(Math.min(commit, lastNew));
    return lastNew;
  }

  /** Appends at the index of the first entry, cutting what followed there. Returns the last index. */
  append(entries: readonly Entry[]): number {
    const first = entries[0];
    if (first === undefined) return this.lastIndex();
    if (first.index <= this.committed) {
      throw new Error(`appending at ${first.index} would change committed entries (committed ${this.committed})`);
    }
    this.unstable.truncateAndAppend(entries);
    return this.lastIndex();
  }

  /**
   * The last position at or before `index` whose term is at most `term`: where this log may at best agree with one that has
   * (index, term). Term 0 means that the term there is not known.
   */
  findConflictByTerm(index: number, term: number): LogPosition {
    for (let i = index; i > 0; i--) {
      const ours = this.term(i);
      if (typeof ours === 'string') return { index: i, term: 0 };
      if (ours <= term) return { index: i, term: ours };
    }
    return { index: 0, term: 0 };
  }

  commitTo(index: number): void {
    if (index <= this.committed) return;
    const last = this.lastIndex();
    if (index > last) {
      throw new Error(
        `commit index ${index} is beyond the last index ${last}: was the log corrupted, truncated or lost?`,
      );
    }
    this.committed = index;
  }

  /** Commits by counting, which is safe only for an entry of the current term (paper §5.4.2, figure 8). */
  maybeCommit(index: number, term: number): boolean {
    if (index <= this.committed || term === 0 || !this.matchesTerm(index, term)) return false;
    this.commitTo(index);
    return true;
  }

  /** Entries from `lo` to the end, at least one and at most `maxBytes`. */
  entriesFrom(lo: number, maxBytes: number): readonly Entry[] | StorageError {
    const last = this.lastIndex();
    return lo > last ? [] : this.slice(lo, last + 1, maxBytes);
  }

  /** Entries [lo, hi), at least one and at most `maxBytes`. */
  slice(lo: number, hi: number, maxBytes: number): readonly Entry[] | StorageError {
    if (lo > hi) throw new Error(`entries [${lo},${hi}) asked for`);
    if (lo < this.firstIndex()) return 'compacted';
    const end = this.lastIndex() + 1;
    if (hi > end) throw new Error(`entries [${lo},${hi}) out of bounds [${this.firstIndex()},${end})`);
    if (lo === hi) return [];
    const { offset } = this.unstable;
    if (lo >= offset) return limitBytes(this.unstable.slice(lo, hi), maxBytes);
    const cut = Math.min(hi, offset);
    const stored = this.#storage.entries(lo, cut, maxBytes);
    if (stored === 'compacted') return stored;
    if (stored === 'unavailable') throw new Error(`entries [${lo},${cut}) are not available from storage`);
    // Storage may ignore the limit, but must not leave holes.
    const fitting = limitBytes(stored, maxBytes);
    if (hi <= offset || fitting.length < cut - lo) return fitting;
    const rest = maxBytes === Infinity ? Infinity : maxBytes - entriesBytes(fitting);
    if (rest <= 0) return fitting;
    const fresh = this.unstable.slice(offset, hi);
    const count = countWithin(fresh, rest);
    if (count === 1 && entriesBytes(fresh.slice(0, 1)) > rest) return fitting;
    return fitting.concat(count === fresh.length ? fresh : fresh.slice(0, count));
  }

  hasNextCommittedEntries(allowUnstable: boolean): boolean {
    if (this.#isApplyingPaused || this.unstable.snapshot !== undefined) return false;
    return this.applying < this.#maxAppliable(allowUnstable);
  }

  /** The next page of entries to apply; none while a snapshot waits to be applied, as it comes first. */
  nextCommittedEntries(allowUnstable: boolean): readonly Entry[] {
    if (!this.hasNextCommittedEntries(allowUnstable)) return [];
    const room = this.#maxApplyingBytes - this.#applyingBytes;
    const entries = this.slice(this.applying + 1, this.#maxAppliable(allowUnstable) + 1, room);
    if (typeof entries === 'string') throw new Error(`committed entries cannot be read: ${entries}`);
    return entries;
  }

  /**
   * Takes note that entries up to `index` (`bytes` in size) were handed out. Handing out pauses while the limit is reached, and also if
   * the limit cut this page short: the next entry would pass it.
   */
  acceptApplying(index: number, bytes: number, allowUnstable: boolean): void {
    if (index > this.committed || index < this.applying) {
      throw new Error(`applying ${index} is out of range [applying ${this.applying}, committed ${this.committed}]`);
    }
    this.applying = index;
    this.#applyingBytes += bytes;
    this.#isApplyingPaused = this.#applyingBytes >= this.#maxApplyingBytes || index < this.#maxAppliable(allowUnstable);
  }

  appliedTo(index: number, bytes: number): void {
    if (index > this.committed || index < this.applied) {
      throw new Error(`applied ${index} is out of range [applied ${this.applied}, committed ${this.committed}]`);
    }
    this.applied = index;
    this.applying = Math.max(this.applying, index);
    this.#applyingBytes = Math.max(0, this.#applyingBytes - bytes);
    this.#isApplyingPaused = this.#applyingBytes >= this.#maxApplyingBytes;
  }

  snapshot(): Snapshot | SnapshotUnavailable {
    return this.unstable.snapshot ?? this.#storage.snapshot();
  }

  /** Replaces the whole log by a snapshot. */
  restore(snapshot: Snapshot): void {
    const { index, term } = snapshot.metadata;
    if (this.#logger.level <= LogLevel.Info) {
      this.#logger.write(
        LogLevel.Info,
        `log [${this.toString()}] starts to restore snapshot [index: ${index}, term: ${term}]`,
      );
    }
    this.committed = index;
    this.unstable.restore(snapshot);
  }

  toString(): string {
    const { offset, offsetInProgress, entries } = this.unstable;
    return (
      `committed=${this.committed}, applied=${this.applied}, applying=${this.applying}, unstable.offset=${offset}, ` +
      `unstable.offsetInProgress=${offsetInProgress}, len(unstable.Entries)=${entries.length}`
    );
  }

  /** With async storage writes only durable entries may be applied. */
  #maxAppliable(allowUnstable: boolean): number {
    return allowUnstable ? this.committed : Math.min(this.committed, this.unstable.offset - 1);
  }

  /** Index of the first entry that is not here with the same term; 0 if all are. */
  #findConflict(entries: readonly Entry[]): number {
    for (const entry of entries) {
      const ours = this.term(entry.index);
      if (ours === entry.term) continue;
      if (typeof ours === 'number' && this.#logger.level <= LogLevel.Info) {
        this.#logger.write(
          LogLevel.Info,
          `found conflict at index ${entry.index} [existing term: ${ours}, conflicting term: ${entry.term}]`,
        );
      }
      return entry.index;
    }
    return 0;
  }
}

import type { EntryRun } from './batch.ts';
import type { LogView } from './log-view.ts';
import type { RecordPlace } from './sparse-index.ts';

/** A batch that was appended and is not yet durable. */
export interface PendingBatch {
  /** 0: nothing is written for it, it is done with the one before it. */
  readonly id: number;
  /** Commit index that is durable with it. */
  readonly commit: number;
  readonly runs: readonly EntryRun[];
  readonly truncateFrom: number | undefined;
  readonly isReset: boolean;
  readonly done: () => void;
}

/** Batches on their way to the disk, in order, and what becomes of them when they are there. */
export class PendingBatches {
  readonly #view: LogView;
  readonly #batches: PendingBatch[] = [];
  #durableCommit: number;
  #finished = 0;

  constructor(view: LogView) {
    this.#view = view;
    this.#durableCommit = view.hardState.commit;
  }

  get size(): number {
    return this.#batches.length;
  }

  /** Batches finished so far. */
  get finished(): number {
    return this.#finished;
  }

  get durableCommit(): number {
    return this.#durableCommit;
  }

  add(batch: PendingBatch): void {
    this.#batches.push(batch);
  }

  /** Notes where the entries of batches up to `id` lie in the files. */
  place(id: number, places: readonly RecordPlace[]): void {
    const { sparse } = this.#view;
    let at = 0;
    for (const batch of this.#batches) {
      if (batch.id > id) break;
      if (batch.isReset) sparse.clear();
      if (batch.truncateFrom !== undefined) sparse.truncate(batch.truncateFrom);
      for (const run of batch.runs) {
        const place = places[at++];
        if (place !== undefined) this.#view.place(run.first, run.count, place);
      }
    }
  }

  /** Calls back every batch up to `id`, and those without anything to write that follow, unless `isStopped` says to stop. */
  finish(id: number, isStopped: () => boolean): void {
    for (let next = this.#batches[0]; next !== undefined && next.id <= id; next = this.#batches[0]) {
      if (isStopped()) return;
      this.#batches.shift();
      this.#finished++;
      this.#durableCommit = Math.max(this.#durableCommit, next.commit);
      next.done();
    }
    this.#view.setPlaced(this.#placedIndex());
  }

  /** Highest index whose present entry is in the files: what is still pending may replace entries that are. */
  #placedIndex(): number {
    let placed = this.#view.lastIndex;
    for (const { runs, truncateFrom } of this.#batches) {
      placed = Math.min(placed, (runs[0]?.first ?? Infinity) - 1, (truncateFrom ?? Infinity) - 1);
    }
    return placed;
  }
}

import { DiskFullError } from '../log/errors.ts';
import type { LogStore } from '../log/log-store.ts';
import type { SnapshotMetadata } from '../types.ts';
import { compactionIndex, isSnapshotDue } from './snapshot-policy.ts';
import type { SnapshotPolicy } from './snapshot-policy.ts';
import { startedStream } from './started-stream.ts';
import type { StateMachine } from './state-machine.ts';

/** Makes the node's own snapshots, one at a time, and drops the log behind them. */
export class Snapshotter {
  readonly #log: LogStore;
  readonly #stateMachine: StateMachine;
  readonly #policy: SnapshotPolicy;
  readonly #pauseTicks: number;
  readonly #failed: (error: unknown) => void;
  #isRunning = false;
  #isStopped = false;
  /** Ticks until another snapshot is tried after the disk was full. */
  #pause = 0;

  constructor(options: {
    readonly log: LogStore;
    readonly stateMachine: StateMachine;
    readonly policy: SnapshotPolicy;
    /** Ticks to wait after a snapshot found no room on the disk. */
    readonly pauseTicks: number;
    readonly failed: (error: unknown) => void;
  }) {
    this.#log = options.log;
    this.#stateMachine = options.stateMachine;
    this.#policy = options.policy;
    this.#pauseTicks = options.pauseTicks;
    this.#failed = options.failed;
  }

  tick(): void {
    if (this.#pause > 0) this.#pause--;
  }

  /**
   * Begins a snapshot of the state as of now if one is due; true if it did.
   * @param isWanted One is needed whether or not it is due.
   */
  snapshotIfDue(now: SnapshotMetadata, isWanted: boolean): boolean {
    if (this.#isRunning || this.#isStopped || this.#pause > 0) return false;
    const { bytesSinceSnapshot, snapshotBytes } = this.#log;
    const snapshotIndex = this.#log.snapshot().metadata.index;
    const growth = { appliedIndex: now.index, snapshotIndex, bytesSinceSnapshot, snapshotBytes };
    if (now.index <= snapshotIndex || !(isWanted || isSnapshotDue(this.#policy, growth))) return false;
    void this.#snapshot(now);
    return true;
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Never rejects. */
  async #snapshot(metadata: SnapshotMetadata): Promise<void> {
    this.#isRunning = true;
    try {
      const isNewest = await this.#log.createSnapshot(metadata, startedStream(this.#stateMachine.snapshot()));
      if (isNewest && !this.#isStopped) this.#log.compact(compactionIndex(this.#policy, metadata.index));
    } catch (error) {
      if (!(error instanceof DiskFullError)) this.#failed(error);
      this.#pause = this.#pauseTicks;
    } finally {
      this.#isRunning = false;
    }
  }
}

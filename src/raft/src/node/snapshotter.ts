import { DiskFullError } from '../log/errors.ts';
import type { LogStore } from '../log/log-store.ts';
import type { RawNode } from '../raw-node.ts';
import type { SnapshotMetadata } from '../types.ts';
import { compactionIndex, isSnapshotDue } from './snapshot-policy.ts';
import type { SnapshotPolicy, SnapshotPolicyChange } from './snapshot-policy.ts';
import { startedStream } from './started-stream.ts';
import type { StateMachine } from './state-machine.ts';

/** Makes the node's own snapshots, one at a time, and drops the log behind them. */
export class Snapshotter {
  readonly #log: LogStore;
  readonly #stateMachine: StateMachine;
  #policy: SnapshotPolicy;
  readonly #pauseTicks: number;
  readonly #failed: (error: unknown) => void;
  #isRunning = false;
  #isStopped = false;
  #isRequested = false;
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

  /** Takes effect with the next entry; what is left out stays as it is. */
  setPolicy({ snapshotEntries, trailingEntries }: SnapshotPolicyChange): void {
    this.#policy = {
      ...this.#policy,
      ...(snapshotEntries === undefined ? {} : { snapshotEntries }),
      ...(trailingEntries === undefined ? {} : { trailingEntries }),
    };
  }

  tick(): void {
    if (this.#pause > 0) this.#pause--;
  }

  /** The next chance for a snapshot is to be used, whether or not one is due. */
  request(): void {
    this.#isRequested = true;
  }

  /** Begins a snapshot of the state as of now if one is due, was requested, or is what a follower waits for. */
  snapshotIfDue(raw: RawNode, { index, term }: { readonly index: number; readonly term: number }): void {
    if (this.#isRunning || this.#isStopped || this.#pause > 0) return;
    // In the middle of a page the state machine of raft still needs entries that are applied already.
    if (raw.appliedIndex !== index) return;
    const { bytesSinceSnapshot, snapshotBytes } = this.#log;
    const snapshotIndex = this.#log.snapshot().metadata.index;
    if (index <= snapshotIndex) return;
    const growth = { appliedIndex: index, snapshotIndex, bytesSinceSnapshot, snapshotBytes };
    if (!this.#isRequested && !raw.wantsSnapshot && !isSnapshotDue(this.#policy, growth)) return;
    this.#isRequested = false;
    void this.#snapshot({ index, term, confState: raw.confState });
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

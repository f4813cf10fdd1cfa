/** What the leader knows about the log of one peer, and how fast it may send to it. */
import type { Inflights } from './inflights.ts';

/**
 * `StateProbe`: the point where the logs part is not known; one append per heartbeat interval.
 * `StateReplicate`: appends are pipelined. `StateSnapshot`: a snapshot is on its way; no appends.
 */
export const ProgressState = {
  Probe: 'StateProbe',
  Replicate: 'StateReplicate',
  Snapshot: 'StateSnapshot',
} as const;
export type ProgressState = (typeof ProgressState)[keyof typeof ProgressState];

export interface ProgressOptions {
  readonly next: number;
  readonly isLearner: boolean;
  readonly recentActive: boolean;
  readonly inflights: Inflights;
}

export class Progress {
  /** Highest index known to be durable on the peer. */
  match = 0;
  /** Index of the next entry to send; always above match. */
  next: number;
  /** Highest commit index sent in a message that may have moved the peer's. */
  sentCommit = 0;
  state: ProgressState = ProgressState.Probe;
  /** Index of the snapshot on its way, in state Snapshot. */
  pendingSnapshot = 0;
  /** Heard from since the last check for an active quorum. */
  recentActive: boolean;
  /** Set after a probe, and while the in-flight window is full: sending waits for an answer or the next heartbeat. */
  appendPaused = false;
  isLearner: boolean;
  readonly inflights: Inflights;

  constructor(options: ProgressOptions) {
    this.next = options.next;
    this.isLearner = options.isLearner;
    this.recentActive = options.recentActive;
    this.inflights = options.inflights;
  }

  /** A copy that shares the in-flight window, for a change of configuration that may still fail. */
  clone(): Progress {
    const copy = new Progress(this);
    copy.match = this.match;
    copy.sentCommit = this.sentCommit;
    copy.state = this.state;
    copy.pendingSnapshot = this.pendingSnapshot;
    copy.appendPaused = this.appendPaused;
    return copy;
  }

  /** Forgets everything but membership, at a change of term or role. */
  reset(match: number, next: number): void {
    this.#enter(ProgressState.Probe);
    this.match = match;
    this.next = next;
    this.sentCommit = 0;
    this.recentActive = false;
  }

  becomeProbe(): void {
    // After a snapshot the peer is probed from where the snapshot ends.
    const after = this.state === ProgressState.Snapshot ? this.pendingSnapshot : 0;
    this.#enter(ProgressState.Probe);
    this.next = Math.max(this.match, after) + 1;
    this.sentCommit = Math.min(this.sentCommit, this.next - 1);
  }

  becomeReplicate(): void {
    this.#enter(ProgressState.Replicate);
    this.next = this.match + 1;
  }

  becomeSnapshot(index: number): void {
    this.#enter(ProgressState.Snapshot);
    this.pendingSnapshot = index;
    this.next = index + 1;
    this.sentCommit = index;
  }

  /** Accounts for an append just sent. */
  sentEntries(count: number, bytes: number): void {
    if (this.state === ProgressState.Replicate) {
      if (count > 0) {
        this.next += count;
        this.inflights.add(this.next - 1, bytes);
      }
      this.appendPaused = this.inflights.isFull();
    } else if (this.state === ProgressState.Probe) {
      if (count > 0) this.appendPaused = true;
    } else {
      throw new Error(`sending an append in state ${this.state}`);
    }
  }

  sentCommitIndex(commit: number): void {
    this.sentCommit = commit;
  }

  /** Whether telling the peer this commit index now can move it (and was not already told). */
  canBumpCommit(commit: number): boolean {
    return commit > this.sentCommit && this.sentCommit < this.next - 1;
  }

  /** Takes an acknowledgement up to `index`; false if it is not news. Match never goes back. */
  maybeUpdate(index: number): boolean {
    if (index <= this.match) return false;
    this.match = index;
    if (this.next <= index) this.next = index + 1;
    this.appendPaused = false;
    return true;
  }

  /**
   * Takes a rejection of an append at `rejected`; `matchHint` is where the logs may agree. False if the rejection is stale:
   * in Replicate when it lies at or before match, else when it does not answer the last probe.
   */
  maybeDecreaseTo(rejected: number, matchHint: number): boolean {
    if (this.state === ProgressState.Replicate) {
      if (rejected <= this.match) return false;
      this.next = this.match + 1;
    } else {
      if (this.next - 1 !== rejected) return false;
      this.next = Math.max(Math.min(rejected, matchHint + 1), this.match + 1);
      this.appendPaused = false;
    }
    this.sentCommit = Math.min(this.sentCommit, this.next - 1);
    return true;
  }

  isPaused(): boolean {
    return this.state === ProgressState.Snapshot || this.appendPaused;
  }

  /** One line for logs and the status command. */
  toString(): string {
    const count = this.inflights.count;
    return (
      `${this.state} match=${this.match} next=${this.next}` +
      (this.isLearner ? ' learner' : '') +
      (this.isPaused() ? ' paused' : '') +
      (this.pendingSnapshot > 0 ? ` pendingSnap=${this.pendingSnapshot}` : '') +
      (this.recentActive ? '' : ' inactive') +
      (count > 0 ? ` inflight=${count}` + (this.inflights.isFull() ? '[full]' : '') : '')
    );
  }

  #enter(state: ProgressState): void {
    this.appendPaused = false;
    this.pendingSnapshot = 0;
    this.state = state;
    this.inflights.reset();
  }
}

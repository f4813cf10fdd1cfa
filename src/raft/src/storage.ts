/**
 * What the state machine asks of the durable log. All calls are synchronous: an implementation keeps the tail in memory or reads it
 * from a file it can read without waiting. Expected failures are values; anything else should throw and stop the process.
 */
import type { ConfState, Entry, HardState, PeerId, Snapshot } from './types.ts';

/** `compacted`: the index lies before the first one kept. `unavailable`: it lies after the last one. */
export type StorageError = 'compacted' | 'unavailable';

/** The snapshot is being made; the state machine asks again later. */
export const SNAPSHOT_TEMPORARILY_UNAVAILABLE = 'snapshot-temporarily-unavailable';
export type SnapshotUnavailable = typeof SNAPSHOT_TEMPORARILY_UNAVAILABLE;

export interface InitialState {
  readonly hardState: HardState;
  readonly confState: ConfState;
}

export interface Storage {
  /** The state saved before a restart; all zero on a new node. Read once, when the node starts. */
  initialState(): InitialState;
  /**
   * Entries [lo, hi). At least one is returned, further ones only while their encoded size sums up to at most `maxBytes` bytes
   * (storage may return more; the state machine copes).
   */
  entries(lo: number, hi: number, maxBytes: number): readonly Entry[] | StorageError;
  /** Term of entry i, for i in [firstIndex − 1, lastIndex]. */
  term(i: number): number | StorageError;
  /** Index of the oldest entry still kept (or the one after the snapshot if none is). */
  firstIndex(): number;
  /** Index of the newest entry, or that of the snapshot. */
  lastIndex(): number;
  /** The most recent snapshot; its index must be at least firstIndex − 1, and the entries before it may be gone. */
  snapshot(): Snapshot | SnapshotUnavailable;
}

export const EMPTY_CONF_STATE: ConfState = {
  voters: [],
  learners: [],
  votersOutgoing: [],
  learnersNext: [],
  autoLeave: false,
};

export const EMPTY_HARD_STATE: HardState = { term: 0, vote: '0', commit: 0 };

export const EMPTY_SNAPSHOT: Snapshot = {
  data: new Uint8Array(0),
  metadata: { confState: EMPTY_CONF_STATE, index: 0, term: 0 },
};

export function isEmptyHardState(state: HardState): boolean {
  return state.term === 0 && state.vote === '0' && state.commit === 0;
}

export function isEmptySnapshot(snapshot: Snapshot | undefined): boolean {
  return snapshot === undefined || snapshot.metadata.index === 0;
}

/** Whether a node is a member in the configuration of a snapshot; waiting learners are found among the outgoing voters. */
export function includesMember({ metadata: { confState } }: Snapshot, id: PeerId): boolean {
  return confState.voters.includes(id) || confState.learners.includes(id) || confState.votersOutgoing.includes(id);
}

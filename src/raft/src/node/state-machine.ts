import type { SnapshotContent } from '../log/snapshot-reader.ts';
import type { Entry } from '../types.ts';

/** What the group replicates. Must be deterministic: the same entries lead to the same state on every member. */
export interface StateMachine {
  /**
   * Applies committed entries, each exactly once since the last restore, in order and without gaps. Entries with empty data and
   * configuration changes are among them; the node itself takes care of the latter. Must not throw: that ends the node.
   */
  apply(entries: readonly Entry[]): void;

  /** Replaces the whole state by that of a snapshot. Nothing is applied until it resolves. */
  restore(snapshot: SnapshotContent): Promise<void>;

  /**
   * The whole state as of now, as a stream of bytes. Entries are applied while the stream is read, so it must come from a view of
   * the state taken during this call. (The first item is asked for at once, so a generator takes its view in time if it does so before its first await.)
   */
  snapshot(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

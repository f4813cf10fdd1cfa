/** When a node makes a snapshot of its own, and how much of the log it keeps behind it. */
export interface SnapshotPolicy {
  readonly snapshotEntries: number;
  readonly trailingEntries: number;
  readonly minSnapshotLogBytes: number;
}

/** What may be changed while a node runs. */
export interface SnapshotPolicyChange {
  readonly snapshotEntries?: number | undefined;
  readonly trailingEntries?: number | undefined;
}

export interface LogGrowth {
  readonly appliedIndex: number;
  /** Index of the last snapshot. */
  readonly snapshotIndex: number;
  readonly bytesSinceSnapshot: number;
  readonly snapshotBytes: number;
}

/** Log bytes per byte of snapshot at which replaying the log costs more than a new snapshot. */
const LOG_PER_SNAPSHOT = 4;
/** Log bytes per byte of snapshot below which a snapshot costs more than it saves. */
const LEAST_LOG_PER_SNAPSHOT = 2;

/**
 * A snapshot is due every so many entries, or bytes of log. A large one waits besides until about twice as much log has
 * come as it is long: writing all of a large state every few seconds would cost more than the writes that changed it.
 */
export function isSnapshotDue(policy: SnapshotPolicy, growth: LogGrowth): boolean {
  const { bytesSinceSnapshot, snapshotBytes } = growth;
  const entries = growth.appliedIndex - growth.snapshotIndex;
  if (entries <= 0) return false;
  if (bytesSinceSnapshot > Math.max(policy.minSnapshotLogBytes, LOG_PER_SNAPSHOT * snapshotBytes)) return true;
  const isWorthIt = bytesSinceSnapshot >= LEAST_LOG_PER_SNAPSHOT * snapshotBytes - policy.minSnapshotLogBytes;
  return entries >= policy.snapshotEntries && isWorthIt;
}

/** Highest index that may be forgotten after a snapshot. */
export function compactionIndex(policy: SnapshotPolicy, snapshotIndex: number): number {
  return Math.max(0, snapshotIndex - policy.trailingEntries);
}

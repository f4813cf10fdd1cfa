/** What forwarding needs to know about who leads. */
import type { ControlClient } from '../../proto/generated/docker/swarmkit/v1/control.ts';

export interface Leadership {
  /** Whether this manager leads and its store holds everything decided before. */
  isLeader(): boolean;
  /** A client of the leader's Control service; undefined when no leader is known or it is this manager. */
  leaderConnection(): ControlClient | undefined;
  /** Resolves when this manager's store shows everything committed before the call. Throws unavailable without a leader. */
  readBarrier(signal?: AbortSignal): Promise<void>;
  /** Calls `listener` when another manager leads, or none; returns how to stop that. */
  onChange(listener: () => void): () => void;
}

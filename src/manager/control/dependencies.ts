/** What the use cases need from their surroundings. */
import type { Clock } from '../../common/clock.ts';
import type { IdSource } from '../../common/ids.ts';
import type { ExternalCA } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Store } from '../store/store.ts';

/** What the raft group knows about its members, by node id. */
export interface RaftMembers {
  /** Whether the node is a member now. */
  has(nodeId: string): boolean;
  /** Whether the others would still have a reachable majority without this member. */
  canRemove(nodeId: string): boolean;
}

export interface ControlDependencies {
  readonly store: Store;
  readonly clock: Clock;
  readonly newId: IdSource;
  readonly members: RaftMembers;
  /** A fresh join token for a cluster with this root certificate (PEM bundle). */
  readonly newJoinToken: (rootBundle: string) => string;
  /** Resolves when one of these authorities outside of the cluster answers as a server of this root (PEM). Throws saying why none does. */
  readonly reachAuthorities: (authorities: readonly ExternalCA[], root: string) => Promise<void>;
  /** A fresh key that locks managers, 32 random bytes. */
  readonly newUnlockKey: () => Uint8Array;
}

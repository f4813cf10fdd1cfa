/** What a manager is started with, and how it comes into its group. */
import type { Registry } from 'prom-client';
import type { Clock } from '../common/clock.ts';
import type { Logger } from '../common/log.ts';
import type { Random } from '../common/random.ts';
import type { Keyring } from '../identity/keyring.ts';
import type { NodeIdentity } from '../identity/node-identity.ts';
import type { Cluster, Node } from '../proto/generated/docker/swarmkit/v1/objects.ts';
import type { DispatcherSettings } from './dispatcher/settings.ts';

/** How a manager comes into its group. */
export type Entry =
  /** Founds a cluster of one with these first objects. */
  | { readonly kind: 'found'; readonly raftId: string; readonly cluster: Cluster; readonly node: Node }
  /** Is a member already; its log knows the rest. */
  | {
      readonly kind: 'resume';
      readonly raftId: string;
      /** Go on without all other managers, which are gone for good. */
      readonly alone?: boolean;
    }
  /** Asks the managers at these addresses to be admitted. */
  | { readonly kind: 'join'; readonly managers: readonly string[] };

export interface ManagerOptions {
  readonly identity: NodeIdentity;
  readonly raftDirectory: string;
  /** Opened. */
  readonly keyring: Keyring;
  readonly listen: { readonly host: string; readonly port: number };
  /** Host at which others reach this manager, and port where it differs from the one listened on. */
  readonly advertise: { readonly host: string; readonly port?: number | undefined };
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly raft: { readonly tickMs: number; readonly electionTicks: number; readonly heartbeatTicks: number };
  readonly dispatcherSettings?: Partial<DispatcherSettings>;
  readonly metrics?: Registry;
  readonly onRemoved: () => void;
  /** The private key lay on disk in the clear until now: it should be replaced. */
  readonly onExposedKey: () => void;
  readonly onFatal: (error: Error) => void;
}

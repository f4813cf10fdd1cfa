/** What the dispatcher needs from the manager it works in. */
import type { Clock } from '../../common/clock.ts';
import type { IdSource } from '../../common/ids.ts';
import type { Logger } from '../../common/log.ts';
import type { Random } from '../../common/random.ts';
import type { WeightedPeer } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Store } from '../store/store.ts';
import type { DispatcherSettings } from './settings.ts';

/** The managers agents may register with. */
interface ManagerList {
  /** Every manager with its address "host:port"; weight 10 each unless one is to be preferred. */
  current(): readonly WeightedPeer[];
  /** Calls `listener` after every change of {@link current}; returns how to stop. */
  onChange(listener: () => void): () => void;
}

/** What agents are asked to tell of what their tasks use. */
interface UsageWishes {
  /** Time between two reports in ms; undefined for none. */
  readonly intervalMs: number | undefined;
  /** Calls `listener` after every change; returns how to stop. */
  onChange(listener: () => void): () => void;
}

/** The manager that leads. */
export interface LeaderAddress {
  readonly nodeId: string;
  /** "host:port" */
  readonly address: string;
}

export interface DispatcherOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  /** Fresh session ids. */
  readonly newId: IdSource;
  readonly log: Logger;
  /** Node id of this manager. */
  readonly nodeId: string;
  readonly managers: ManagerList;
  readonly usage: UsageWishes;
  /**
   * Resolves when a majority has confirmed, after the call, that this manager leads, and the store holds all that was
   * committed until then. Asked before a node is told what it is to run: a leader that was deposed and does not know
   * it yet would have the node stop what the new leader placed there.
   */
  readonly confirmLeadership: () => Promise<void>;
  /** Who leads; undefined when unknown. */
  readonly leader: () => LeaderAddress | undefined;
  readonly settings?: Partial<DispatcherSettings>;
}

/** What the log broker needs from the manager it works in. */
import type { Clock } from '../../common/clock.ts';
import type { IdSource } from '../../common/ids.ts';
import type { Logger } from '../../common/log.ts';
import type { Store } from '../store/store.ts';

export interface LogBrokerSettings {
  /** Bytes of lines held for one client that reads slowly; beyond this the nodes wait. */
  readonly lineLimitBytes: number;
  /** Bytes of lines in one message. */
  readonly batchBytes: number;
  /** How long to wait, in ms, for a node that is not down but does not listen at the moment. */
  readonly listenerGraceMs: number;
}

export const DEFAULT_LOG_BROKER_SETTINGS: LogBrokerSettings = {
  lineLimitBytes: 1024 * 1024,
  batchBytes: 256 * 1024,
  listenerGraceMs: 1_000,
};

export interface LogBrokerOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** Fresh subscription ids. */
  readonly newId: IdSource;
  readonly log: Logger;
  /** Who leads, for people ("node id at host:port"); undefined when unknown. */
  readonly leader: () => string | undefined;
  readonly settings?: Partial<LogBrokerSettings>;
}

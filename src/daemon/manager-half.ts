/** The manager half of a daemon: a manager and how the API sees it. */
import type { Registry } from 'prom-client';
import type { Swarm } from '../api/ports.ts';
import type { Clock } from '../common/clock.ts';
import type { Logger } from '../common/log.ts';
import { systemRandom } from '../common/random.ts';
import type { Keyring } from '../identity/keyring.ts';
import type { NodeIdentity } from '../identity/node-identity.ts';
import type { Manager } from '../manager/manager.ts';
import type { Entry } from '../manager/manager-options.ts';
import { advertisedHost, parseHostPort } from './addresses.ts';
import type { DaemonOptions } from './options.ts';
import type { NodeRecord, StateFolder } from './state-folder.ts';

export interface ManagerHalfOptions {
  readonly folder: StateFolder;
  readonly settings: DaemonOptions;
  readonly record: NodeRecord;
  readonly identity: NodeIdentity;
  readonly keyring: Keyring;
  /** Addresses of managers; what this node is called is told from the way to them. */
  readonly managers: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Registry;
  readonly onRemoved: () => void;
  readonly onExposedKey: () => void;
  readonly onFatal: (error: Error) => void;
}

export interface ManagerHalf {
  readonly manager: Manager;
  readonly view: Swarm;
  /** Where it listens: the port may have been picked by the system. */
  readonly listenAddr: string;
}

/** Throws SwarmError when the port is taken, the folder is damaged or another's, or no manager admits this one. */
export async function startManagerHalf(options: ManagerHalfOptions, entry: Entry): Promise<ManagerHalf> {
  const { folder, settings, record, identity, keyring, managers, clock, log, metrics } = options;
  const listen = parseHostPort(record.listenAddr);
  // Loaded only where it is needed: a worker carries no manager in its memory.
  const [{ Manager }, { swarmView }] = await Promise.all([import('../manager/manager.ts'), import('./swarm-view.ts')]);
  const manager = await Manager.start(
    {
      identity,
      raftDirectory: folder.raft,
      keyring,
      listen,
      advertise: advertisedHost(record.advertiseAddr, listen, managers),
      clock,
      random: systemRandom,
      log,
      raft: {
        tickMs: settings.raftTickMs,
        electionTicks: settings.raftElectionTicks,
        heartbeatTicks: settings.raftHeartbeatTicks,
      },
      metrics,
      onRemoved: options.onRemoved,
      onExposedKey: options.onExposedKey,
      onFatal: options.onFatal,
    },
    entry,
  );
  const port = manager.address.split(':').at(-1) ?? '';
  return {
    manager,
    view: swarmView(manager),
    listenAddr: listen.port === 0 ? `${listen.host}:${port}` : record.listenAddr,
  };
}

/** `swarmd manager`, `worker` and `node`: a node with its API, from settings to shutdown. */
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createSecureContext } from 'node:tls';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { createApi, type ApiOptions, type ApiServer } from '../api/server.ts';
import { systemClock } from '../common/clock.ts';
import { errorText, SwarmError } from '../common/errors.ts';
import { defaultSocketPath } from '../common/local-socket.ts';
import { issuerInfo, loadCertificateLibrary } from '../identity/certificate.ts';
import type { Logger } from '../common/log.ts';
import { registerMetrics } from './metrics.ts';
import type { DaemonOptions } from './options.ts';
import { StateFolder } from './state-folder.ts';
import { AVAILABILITY, SwarmNode } from './swarm-node.ts';

/** A running daemon. */
export interface Daemon {
  readonly node: SwarmNode;
  /** Addresses the API is served at. */
  readonly api: readonly string[];
  /** Resolves with the reason when the daemon cannot go on. */
  readonly failed: Promise<Error>;
  stop(): Promise<void>;
}

/** Founds a swarm on the first start, or joins one with --join; later starts resume. */
export const runManager = (settings: DaemonOptions, log: Logger): Promise<Daemon> =>
  runMember(settings, log, {
    prepare: () => {
      if (settings.join.length > 0) requireToken(settings, 'manager');
      else if (settings.token !== undefined)
        throw new SwarmError(
          'invalidArgument',
          '--token: it is for joining; name a manager too, as in --join 10.0.0.1:2377',
        );
    },
    enter: async (node) => {
      if (settings.join.length === 0) return foundWithSettings(node, settings);
      await joinWithSettings(node, settings, true);
      // Managers that do not know of that wish let the token decide.
      if (node.info().isManager) return;
      await node.leaveSwarm({ force: true });
      throw new SwarmError(
        'invalidArgument',
        '--token: this is a worker token; a manager needs the manager token, print it with "swarmctl swarm join-token manager"',
      );
    },
  });

/** Joins a swarm on the first start; later starts resume. */
export const runWorker = (settings: DaemonOptions, log: Logger): Promise<Daemon> =>
  runMember(settings, log, {
    prepare: () => {
      if (settings.join.length === 0)
        throw new SwarmError(
          'invalidArgument',
          '--join: name a manager of the swarm, for example --join 10.0.0.1:2377',
        );
      requireToken(settings, 'worker');
    },
    enter: (node) => joinWithSettings(node, settings, false),
  });

/** Starts outside any swarm; the API decides what happens. */
export const runNode = (settings: DaemonOptions, log: Logger): Promise<Daemon> =>
  runMember(settings, log, { prepare: loadManager });

/** Whoever asks a waiting node to found a swarm shall not have to wait for its code. */
async function loadManager(): Promise<void> {
  await Promise.all([
    import('../manager/manager.ts'),
    import('../manager/control/bootstrap.ts'),
    import('./swarm-view.ts'),
    loadCertificateLibrary(),
  ]);
}

function requireToken({ token }: DaemonOptions, role: 'manager' | 'worker'): void {
  if (token) return;
  throw new SwarmError(
    'invalidArgument',
    `--token: give the join token; print it on a manager with "swarmctl swarm join-token ${role}"`,
  );
}

async function joinWithSettings(node: SwarmNode, settings: DaemonOptions, mustBeManager: boolean): Promise<void> {
  const request = {
    listenAddr: settings.listenAddr,
    advertiseAddr: settings.advertiseAddr ?? '',
    dataPathAddr: '',
    remoteAddrs: settings.join,
    joinToken: settings.token ?? '',
    availability: AVAILABILITY[settings.availability],
  };
  await node.joinSwarm(request, mustBeManager);
}

export async function foundWithSettings(node: SwarmNode, settings: DaemonOptions): Promise<void> {
  await node.initSwarm({
    listenAddr: settings.listenAddr,
    advertiseAddr: settings.advertiseAddr ?? '',
    dataPathAddr: '',
    dataPathPort: 0,
    forceNewCluster: false,
    availability: AVAILABILITY[settings.availability],
    defaultAddressPool: [],
    subnetSize: 0,
    clusterSpec: (defaults) => defaults,
  });
}

/** What to do on the first start, when the state folder knows of no swarm. */
export interface FirstStart {
  /** Before anybody is served: whatever is wrong with the settings is said here. */
  readonly prepare?: () => void | Promise<void>;
  /** How this node comes into a swarm; without it the API decides. */
  readonly enter?: (node: SwarmNode) => Promise<void>;
}

export async function runMember(settings: DaemonOptions, log: Logger, { prepare, enter }: FirstStart): Promise<Daemon> {
  const folder = await StateFolder.open(settings.dataDir);
  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  let fail: (error: Error) => void = () => undefined;
  const failed = new Promise<Error>((resolve) => {
    fail = resolve;
  });
  const node = new SwarmNode({ folder, settings, log, metrics, onFatal: (error) => fail(error) });
  registerMetrics(metrics, node);
  const api: ApiServer = createApi(
    { node, swarm: node, issuerOf: issuerInfo, metrics, log: log.child({ room: 'api' }), clock: systemClock },
    apiOptions(settings),
  );
  const stop = async (): Promise<void> => {
    await api.close();
    await node.stop();
    folder.release();
  };
  const addresses = settings.api.length > 0 ? settings.api : [`unix://${defaultSocketPath()}`];
  try {
    if (settings.api.length === 0) await mkdir(dirname(defaultSocketPath()), { recursive: true, mode: 0o700 });
    if ((await folder.readRecord()) === undefined) await prepare?.();
    for (const address of addresses) await api.listen(address);
    if (!(await node.resume())) await enter?.(node);
  } catch (error) {
    await stop();
    throw error;
  }
  log.info({ api: addresses, dataDir: settings.dataDir, nodeId: node.info().nodeId }, 'swarmd is running');
  return { node, api: addresses, failed, stop };
}

function apiOptions({ apiVersion, apiTlsCa, apiTlsCert, apiTlsKey, runtime, engine }: DaemonOptions): ApiOptions {
  const engineSocket = runtime === 'docker' ? unixSocketOf(engine) : undefined;
  if (!apiTlsCert || !apiTlsKey || !apiTlsCa) return { engineSocket, apiVersion };
  const tls = {
    ca: readPem('--api-tls-ca', apiTlsCa),
    certificate: readPem('--api-tls-cert', apiTlsCert),
    key: readPem('--api-tls-key', apiTlsKey),
  };
  try {
    createSecureContext({ ca: tls.ca, cert: tls.certificate, key: tls.key });
  } catch (error) {
    throw new SwarmError(
      'invalidArgument',
      `--api-tls-cert ${apiTlsCert}, --api-tls-key ${apiTlsKey}: ${errorText(error)}; give a certificate and the key that belongs to it`,
      { cause: error },
    );
  }
  return { engineSocket, apiVersion, tls };
}

function readPem(flag: string, file: string): string {
  let why = 'it holds no PEM block';
  try {
    const text = readFileSync(file, 'utf8');
    if (text.includes('-----BEGIN ')) return text;
  } catch (error) {
    why = errorText(error);
  }
  throw new SwarmError('invalidArgument', `${flag} ${file}: ${why}; name a PEM file that this user can read`);
}

const UNIX_SCHEME = 'unix://';

/** An engine behind TCP runs tasks, but its containers are not shown here. */
const unixSocketOf = (address: string | undefined): string | undefined =>
  address?.startsWith(UNIX_SCHEME) ? address.slice(UNIX_SCHEME.length) : undefined;

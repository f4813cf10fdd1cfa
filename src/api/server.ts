/**
 * The HTTP side of swarmd: the Swarm half of the Docker Engine API for Docker's clients, and routes of our own below
 * `/swarmd`. One handler answers on any number of unix sockets and TCP ports.
 */
import { setMaxListeners } from 'node:events';
import type { RequestListener } from 'node:http';
import { DEFAULT_API_VERSION, parseApiVersion } from './api-version.ts';
import type { TlsFiles } from './connections/protocol.ts';
import type { ApiContext } from './context.ts';
import { Attachments } from './engine/attachments.ts';
import { Engine } from './engine/engine.ts';
import { application } from './http/application.ts';
import { Router } from './http/router.ts';
import { parseListenAddress } from './listen-address.ts';
import { Listeners } from './listeners.ts';
import { registerOpenApi } from './openapi/document.ts';
import type { ApiPorts } from './ports.ts';
import { requestMetrics } from './request-metrics.ts';
import { registerConfigs } from './routes/configs.ts';
import { registerAttachedContainers } from './routes/container-attachments.ts';
import { registerContainerList } from './routes/container-list.ts';
import { registerContainers } from './routes/containers.ts';
import { registerEvents } from './routes/events.ts';
import { registerLogs } from './routes/logs.ts';
import { registerNetworks } from './routes/networks.ts';
import { registerNodes } from './routes/nodes.ts';
import { registerSecrets } from './routes/secrets.ts';
import { registerServices } from './routes/services.ts';
import { registerSwarm } from './routes/swarm.ts';
import { registerSystem } from './routes/system.ts';
import { registerTasks } from './routes/tasks.ts';
import { EventBus } from './streams/event-bus.ts';
import { registerBackup } from './swarmd/backup.ts';
import { registerPlan } from './swarmd/plan.ts';
import { registerStatus } from './swarmd/status.ts';
import { registerUsage } from './swarmd/usage.ts';
import { Upgrades } from './swarmd/upgrades.ts';

export interface ApiOptions {
  /** Docker API version to advertise, "1.24" to "1.51". @default "1.41" */
  readonly apiVersion?: string;
  /** For TCP addresses. */
  readonly tls?: TlsFiles | undefined;
  /** Unix socket of the container engine this node runs tasks with: it answers the container half of the API. */
  readonly engineSocket?: string | undefined;
  /** Largest request body in bytes. @default 4 MiB: a config of 1000 kB in base64 fits thrice */
  readonly maxBodyBytes?: number;
}

export interface ApiServer {
  /**
   * Serves on "unix:///path" or "tcp://host:port" as well; resolves with the port (0 for unix sockets).
   * Throws invalidArgument or failedPrecondition naming the address.
   */
  listen(address: string): Promise<number>;
  /** Answers a request, for tests that need no socket. */
  readonly handle: RequestListener;
  /** Ends all streams, lets answers finish for a moment, and stops listening. */
  close(): Promise<void>;
}

const DEFAULT_MAX_BODY_BYTES = 4 * 1024 * 1024;
const CLOSE_GRACE_MS = 2_000;

export function createApi(ports: ApiPorts, options: ApiOptions = {}): ApiServer {
  const apiMinor = parseApiVersion(options.apiVersion ?? DEFAULT_API_VERSION);
  const closing = new AbortController();
  // Every open request and stream listens to it.
  setMaxListeners(0, closing.signal);
  const events = new EventBus({ swarm: ports.swarm, clock: ports.clock, log: ports.log });
  const engine = options.engineSocket ? new Engine(options.engineSocket) : undefined;
  const attachments = engine && new Attachments(engine, ports.node);
  const context: ApiContext = { ports, events, engine, attachments, apiMinor, closing: closing.signal };
  const router = createRouter(context);
  const handle = createHandler(context, router, options.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES);
  const listeners = new Listeners({ handler: handle, tls: options.tls });
  const upgrades = new Upgrades(context, (...request) => listeners.stay(...request));
  listeners.onUpgrade((request, connection, head) => upgrades.take(request, connection, head));
  events.start();

  return {
    handle,
    listen: async (text) => {
      const port = await listeners.open(parseListenAddress(text));
      ports.log.info({ address: text }, 'API is served');
      return port;
    },
    close: async () => {
      closing.abort();
      events.stop();
      upgrades.close();
      await listeners.close(CLOSE_GRACE_MS);
    },
  };
}

function createRouter(context: ApiContext): Router {
  const router = new Router();
  registerSystem(router, context);
  registerSwarm(router, context);
  registerNodes(router, context);
  registerServices(router, context);
  registerTasks(router, context);
  registerLogs(router, context);
  registerSecrets(router, context);
  registerConfigs(router, context);
  registerNetworks(router, context);
  registerEvents(router, context);
  if (context.engine) {
    context.engine.register(router);
    registerAttachedContainers(router, context);
    registerContainerList(router, context);
  } else registerContainers(router);
  registerStatus(router, context);
  registerPlan(router, context);
  registerUsage(router, context);
  registerBackup(router, context);
  registerOpenApi(router, context);
  return router;
}

function createHandler(context: ApiContext, router: Router, maxBodyBytes: number): RequestListener {
  const { log, node, metrics, clock } = context.ports;
  const { osType, version } = node.system();
  return application({
    router,
    apiMinor: context.apiMinor,
    headers: {
      'api-version': `1.${context.apiMinor}`,
      'docker-experimental': 'false',
      ostype: osType,
      server: `Docker/${version} (${osType})`,
    },
    maxBodyBytes,
    closing: context.closing,
    observe: requestMetrics(metrics, clock),
    failed: (error, { method, url = '' }) =>
      log.error({ err: error, method, url: url.slice(0, 200) }, 'a request failed'),
  });
}

/**
 * The HTTP side of swarmd: the Swarm half of the Docker Engine API for Docker's clients, and routes of our own below
 * `/swarmd`. One application answers on any number of unix sockets and TCP ports.
 */
import { setMaxListeners } from 'node:events';
import type { Server } from 'node:http';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import { errorText } from '../common/errors.ts';
import { DEFAULT_API_VERSION, parseApiVersion, requestedMinor, withoutVersion } from './api-version.ts';
import { sendJson, type ApiContext } from './context.ts';
import { Engine } from './engine.ts';
import { HttpError, plainError } from './http-error.ts';
import { parseListenAddress } from './listen-address.ts';
import { closeListener, createListener, openListener, type TlsFiles } from './listeners.ts';
import type { ApiPorts } from './ports.ts';
import { requestMetrics } from './request-metrics.ts';
import { registerConfigs } from './routes/configs.ts';
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
import { registerPlan } from './swarmd/plan.ts';
import { registerStatus } from './swarmd/status.ts';
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
  /** The application itself, for tests and for further routes added before the first `listen`. */
  readonly app: FastifyInstance;
  /** Ends all streams, lets answers finish for a moment, and stops listening. */
  close(): Promise<void>;
}

const DEFAULT_MAX_BODY_BYTES = 4 * 1024 * 1024;
const CLOSE_GRACE_MS = 2_000;
/** Names and ids are far shorter; what is longer than this cannot be one. */
const MAX_PATH_PART = 4096;

export function createApi(ports: ApiPorts, options: ApiOptions = {}): ApiServer {
  const apiMinor = parseApiVersion(options.apiVersion ?? DEFAULT_API_VERSION);
  const closing = new AbortController();
  // Every open request and stream listens to it.
  setMaxListeners(0, closing.signal);
  const events = new EventBus({ swarm: ports.swarm, clock: ports.clock, log: ports.log });
  const context: ApiContext = { ports, events, apiMinor, closing: closing.signal };
  const engine = options.engineSocket ? new Engine(options.engineSocket) : undefined;
  const app = createApp(context, options.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES, engine);
  const upgrades = new Upgrades(context, engine);
  const servers: Server[] = [];
  events.start();

  return {
    app,
    listen: async (text) => {
      const address = parseListenAddress(text);
      await app.ready();
      const handler = (request: Parameters<typeof app.routing>[0], response: Parameters<typeof app.routing>[1]): void =>
        app.routing(request, response);
      const server = createListener(address, { handler, tls: options.tls });
      upgrades.attach(server);
      const port = await openListener(server, address);
      servers.push(server);
      ports.log.info({ address: text }, 'API is served');
      return port;
    },
    close: async () => {
      closing.abort();
      events.stop();
      upgrades.close();
      await Promise.all(servers.map((server) => closeListener(server, CLOSE_GRACE_MS)));
      await app.close();
    },
  };
}

function createApp(context: ApiContext, maxBodyBytes: number, engine: Engine | undefined): FastifyInstance {
  const { log, node, metrics, clock } = context.ports;
  const observe = requestMetrics(metrics, clock);
  const goneSignal = goneSignals(context.closing);
  const app = Fastify({
    logger: false,
    bodyLimit: maxBodyBytes,
    exposeHeadRoutes: false,
    rewriteUrl: (request) => withoutVersion(request.url ?? '/'),
    routerOptions: { maxParamLength: MAX_PATH_PART },
    frameworkErrors: (error, _request, reply) => void sendError(reply as FastifyReply, error),
  });

  app.decorateRequest('apiMinor', 0);
  app.decorateRequest('gone', null as unknown as AbortSignal);
  app.addHook('onRequest', async (request, reply) => {
    const server = node.system();
    reply.header('api-version', `1.${context.apiMinor}`).header('docker-experimental', 'false');
    reply.header('ostype', server.osType).header('server', `Docker/${server.version} (${server.osType})`);
    request.apiMinor = requestedMinor(request.originalUrl, context.apiMinor);
    request.gone = goneSignal(reply);
    const path = request.originalUrl.split('?', 1)[0] ?? '';
    if (path.includes('//')) {
      return reply.redirect(request.originalUrl.replace(path, path.replaceAll(/\/{2,}/g, '/')), 301);
    }
    if (request.method === 'OPTIONS') return reply.code(200).send();
  });
  app.addHook('onRequest', async (request, reply) => observe(request, reply));

  // Bodies are read whole, whatever type they claim; routes decode them.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  app.setNotFoundHandler(async (_request, reply) => sendJson(reply, 404, { message: 'page not found' }));
  app.setErrorHandler(async (error, request, reply) => {
    const { status } = httpErrorOf(error, maxBodyBytes);
    if (status >= 500 && !(error instanceof HttpError)) {
      log.error({ err: error, method: request.method, url: request.url.slice(0, 200) }, 'a request failed');
    }
    return sendError(reply, error, maxBodyBytes);
  });

  registerSystem(app, context);
  registerSwarm(app, context);
  registerNodes(app, context);
  registerServices(app, context);
  registerTasks(app, context);
  registerLogs(app, context);
  registerSecrets(app, context);
  registerConfigs(app, context);
  registerNetworks(app, context);
  registerEvents(app, context);
  if (engine) engine.register(app);
  else registerContainers(app);
  registerStatus(app, context);
  registerPlan(app, context);
  return app;
}

/** Makes the signal of a request: it aborts when the client leaves before its answer is complete, or the server closes. */
function goneSignals(closing: AbortSignal): (reply: FastifyReply) => AbortSignal {
  // One listener for all requests: adding one to a signal is slow.
  const open = new Set<AbortController>();
  closing.addEventListener('abort', () => open.forEach((gone) => gone.abort()), { once: true });
  return (reply) => {
    const gone = new AbortController();
    if (closing.aborted) gone.abort();
    open.add(gone);
    reply.raw.once('close', () => {
      open.delete(gone);
      if (!reply.raw.writableFinished) gone.abort();
    });
    return gone.signal;
  };
}

const FASTIFY_ERRORS: Readonly<Record<string, (error: FastifyError, maxBodyBytes: number) => HttpError>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: (_error, limit) =>
    new HttpError(413, `the request body is too large: at most ${limit} bytes are accepted`),
  FST_ERR_BAD_URL: (error) => new HttpError(400, `the address cannot be read: ${error.message}`),
};

function httpErrorOf(error: unknown, maxBodyBytes = DEFAULT_MAX_BODY_BYTES): HttpError {
  const known = isFastifyError(error) ? error : undefined;
  if (!known) return plainError(error);
  const special = FASTIFY_ERRORS[known.code];
  if (special) return special(known, maxBodyBytes);
  const status = known.statusCode ?? 500;
  return new HttpError(status >= 400 ? status : 500, known.message, { cause: error });
}

const isFastifyError = (error: unknown): error is FastifyError =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('FST_');

function sendError(reply: FastifyReply, error: unknown, maxBodyBytes?: number): FastifyReply {
  if (reply.sent) {
    // The answer had begun as a stream: all that is left is to cut it.
    reply.raw.destroy(error instanceof Error ? error : new Error(errorText(error)));
    return reply;
  }
  const { status, message } = httpErrorOf(error, maxBodyBytes);
  return sendJson(reply, status, { message });
}

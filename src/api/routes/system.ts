/** /_ping, /version, /info */
import { errorText } from '../../common/errors.ts';
import { MIN_API_MINOR } from '../api-version.ts';
import { sendJson, type ApiContext } from '../context.ts';
import { infoToDocker, goArchitecture } from '../docker/info.ts';
import type { ApiReply } from '../http/reply.ts';
import type { ApiRequest } from '../http/request.ts';
import type { Router } from '../http/router.ts';

/** From this version on, pings tell the state of the swarm. */
const SWARM_HEADER_MINOR = 42;

/** Of this node and its swarm, whatever the engine below says of itself. */
const OWN_INFO = new Set(['ID', 'Labels', 'Name', 'ServerVersion', 'Swarm', 'SystemTime']);

export function registerSystem(app: Router, context: ApiContext): void {
  const ping = (reply: ApiReply): ApiReply => {
    reply.header('cache-control', 'no-cache, no-store, must-revalidate').header('pragma', 'no-cache');
    reply.header('content-type', 'text/plain; charset=utf-8');
    const { state, isManager } = context.ports.node.info();
    if (context.apiMinor >= SWARM_HEADER_MINOR) {
      reply.header('swarm', state === 'active' ? `${state}/${isManager ? 'manager' : 'worker'}` : state);
    }
    return reply;
  };
  app.head('/_ping', (_request, reply) => ping(reply).send(''));
  app.get('/_ping', (_request, reply) => ping(reply).send('OK'));

  app.get('/version', (_request, reply) => {
    const system = context.ports.node.system();
    const common = {
      Version: system.version,
      ApiVersion: `1.${context.apiMinor}`,
      MinAPIVersion: `1.${MIN_API_MINOR}`,
      GitCommit: system.gitCommit,
      GoVersion: `node ${process.version}`,
      Os: system.osType,
      Arch: goArchitecture(system.architecture),
      KernelVersion: system.kernelVersion,
      BuildTime: system.buildTime,
    };
    const { Version, ...details } = common;
    return sendJson(reply, 200, {
      Platform: { Name: 'swarmd' },
      Components: [{ Name: 'Engine', Version, Details: { ...details, Experimental: 'false' } }],
      ...common,
    });
  });

  app.get('/info', async (request, reply) => {
    const own = infoToDocker(context.ports, new Date(context.ports.clock.now()));
    const NEventsListener = context.events.listenerCount;
    return sendJson(reply, 200, { ...own, ...(await engineInfo(context, request)), NEventsListener });
  });
}

/** What a container engine tells of itself that is not this node's own to tell; nothing when it does not answer. */
async function engineInfo({ engine, ports }: ApiContext, request: ApiRequest): Promise<object> {
  if (!engine) return {};
  try {
    const { json } = await engine.ask('GET', '/info', request);
    return Object.fromEntries(Object.entries(json ?? {}).filter(([key]) => !OWN_INFO.has(key)));
  } catch (error) {
    ports.log.warn({ error: errorText(error) }, 'the container engine tells nothing of itself');
    return {};
  }
}

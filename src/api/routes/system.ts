/** /_ping, /version, /info, /system/df, /distribution */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { MIN_API_MINOR } from '../api-version.ts';
import { pathPart, sendJson, type ApiContext } from '../context.ts';
import { infoToDocker, goArchitecture } from '../docker/info.ts';
import { badRequest, HttpError } from '../http-error.ts';

/** From this version on, pings tell the state of the swarm. */
const SWARM_HEADER_MINOR = 42;

export function registerSystem(app: FastifyInstance, context: ApiContext): void {
  const ping = (reply: FastifyReply): FastifyReply => {
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

  app.get('/info', (_request, reply) =>
    sendJson(reply, 200, infoToDocker(context.ports, new Date(context.ports.clock.now()))),
  );

  app.get('/system/df', (_request, reply) =>
    sendJson(reply, 200, { LayersSize: 0, Images: [], Containers: [], Volumes: [], BuildCache: [] }),
  );

  // Clients only want to pin a digest: without a registry at hand the quickest answer is the best one.
  app.get('/distribution/*', (request) => {
    const name = pathPart(request, '*').replace(/\/json$/, '');
    if (!/^[\w.:@/-]+$/.test(name)) throw badRequest('invalid reference format');
    throw new HttpError(404, `no registry is asked for ${name}: its digest is not pinned`);
  });
}

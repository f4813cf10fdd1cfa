/** The calls of the container half that can put a container into a network of the swarm; all else of them is the engine's. */
import { pathPart, type ApiContext } from '../context.ts';
import type { Attachments, Endpoint } from '../engine/attachments.ts';
import type { Engine } from '../engine/engine.ts';
import type { ApiRequest } from '../http/request.ts';
import type { Router } from '../http/router.ts';

type Json = Record<string, unknown>;

/** Create and start of containers. */
export function registerAttachedContainers(app: Router, context: ApiContext): void {
  const { engine, attachments } = context;
  if (!engine || !attachments) return;
  app.post('/containers/create', async (request, reply) => {
    await engine.pass(request, reply, await withNameServer(context, request));
  });
  app.post('/containers/:id/start', async (request, reply) => {
    const undo = await attachments.beforeStart(pathPart(request, 'id'), request);
    if ((await engine.pass(request, reply)) >= 400) await undo();
  });
}

/** Connect and disconnect of networks. */
export function registerConnections(app: Router, engine: Engine, attachments: Attachments): void {
  app.post('/networks/:id/connect', async (request, reply) => {
    const body = objectOf(request.body);
    const endpoint = (body['EndpointConfig'] ?? {}) as Endpoint;
    const joined = await attachments.connecting(textOf(body['Container']), pathPart(request, 'id'), endpoint, request);
    const changed = joined && Buffer.from(JSON.stringify({ ...body, EndpointConfig: joined.settings }));
    const status = await engine.pass(request, reply, changed);
    if (status >= 400) await joined?.undo();
  });
  app.post('/networks/:id/disconnect', async (request, reply) => {
    const container = textOf(objectOf(request.body)['Container']);
    if ((await engine.pass(request, reply)) < 400) {
      await attachments.disconnected(container, pathPart(request, 'id'), request);
    }
  });
}

/**
 * A container in a network of the swarm asks the swarm's name server there first, then those it was given or those of the
 * machine. That can only be told when it is created, and by a manager, which knows the networks.
 */
async function withNameServer({ ports }: ApiContext, request: ApiRequest): Promise<Buffer> {
  const swarm = ports.swarm.current();
  if (!swarm) return request.body;
  const body = objectOf(request.body);
  const host = (body['HostConfig'] ?? {}) as Json;
  const name = textOf(host['NetworkMode']);
  const { read } = swarm.store;
  const network = read.network.byName(name) ?? read.network.get(name);
  const gateway = network?.spec?.attachable ? network.ipam?.configs[0]?.gateway : undefined;
  if (gateway === undefined) return request.body;
  const given = (host['Dns'] ?? []) as readonly string[];
  const others = given.length > 0 ? given : await ports.node.nameServers();
  return Buffer.from(JSON.stringify({ ...body, HostConfig: { ...host, Dns: [gateway, ...others] } }));
}

/** Empty when it is none: the engine says what is wrong with it. */
function objectOf(body: Buffer): Json {
  try {
    const parsed = JSON.parse(body.toString('utf8')) as unknown;
    return typeof parsed === 'object' && parsed !== null ? (parsed as Json) : {};
  } catch {
    return {};
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

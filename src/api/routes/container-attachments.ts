/** The calls of the container half that can put a container into a network of the swarm; all else of them is the engine's. */
import { pathPart, type ApiContext } from '../context.ts';
import type { Attachments, Endpoint } from '../engine/attachments.ts';
import type { Engine } from '../engine/engine.ts';
import { LocalNetworks } from '../engine/local-networks.ts';
import type { ApiRequest } from '../http/request.ts';
import type { Router } from '../http/router.ts';

type Json = Record<string, unknown>;

/** Create and start of containers. */
export function registerAttachedContainers(app: Router, context: ApiContext): void {
  const { engine, attachments } = context;
  if (!engine || !attachments) return;
  app.post('/containers/create', async (request, reply) => {
    await engine.pass(request, reply, await withNameServer(context, attachments, request));
  });
  app.post('/containers/:id/start', async (request, reply) => {
    const undo = await attachments.beforeStart(pathPart(request, 'id'), request);
    await passOrUndo(() => engine.pass(request, reply), undo);
  });
}

/** Connect and disconnect of networks. */
export function registerConnections(app: Router, context: ApiContext, engine: Engine, attachments: Attachments): void {
  app.post('/networks/:id/connect', async (request, reply) => {
    const network = await knownToEngine(context, engine, request);
    const body = objectOf(request.body);
    const endpoint = endpointOf(body['EndpointConfig']);
    const joined = endpoint && (await attachments.connecting(textOf(body['Container']), network, endpoint, request));
    const changed = joined && Buffer.from(JSON.stringify({ ...body, EndpointConfig: joined.settings }));
    await passOrUndo(() => engine.pass(request, reply, changed, urlOf(network, request)), joined?.undo);
  });
  app.post('/networks/:id/disconnect', async (request, reply) => {
    const network = await knownToEngine(context, engine, request);
    const container = textOf(objectOf(request.body)['Container']);
    if ((await engine.pass(request, reply, undefined, urlOf(network, request))) < 400) {
      await attachments.disconnected(container, network, request);
    }
  });
}

/** Networks of the swarm have other ids on the engine: there they are known by their names. */
async function knownToEngine({ ports }: ApiContext, engine: Engine, request: ApiRequest): Promise<string> {
  const key = pathPart(request, 'id');
  const swarm = ports.swarm.current();
  const name = swarm
    ? swarm.store.read.network.get(key)?.spec?.annotations?.name
    : await new LocalNetworks(engine, request).nameOf(key);
  return name ?? key;
}

const urlOf = (network: string, { originalUrl }: ApiRequest): string =>
  originalUrl.replace(/\/networks\/[^/]+\//, () => `/networks/${encodeURIComponent(network)}/`);

/** A place in a network is given up again when the engine refuses what it was for, or cannot be asked. */
async function passOrUndo(pass: () => Promise<number>, undo: (() => Promise<void>) | undefined): Promise<void> {
  let status = 500;
  try {
    status = await pass();
  } finally {
    if (status >= 400) await undo?.();
  }
}

/**
 * A container in a network of the swarm asks the swarm's name server there first, then those it was given or those of the
 * machine. That can only be told when it is created.
 */
async function withNameServer({ ports }: ApiContext, attachments: Attachments, request: ApiRequest): Promise<Buffer> {
  const body = objectOf(request.body);
  const host = (body['HostConfig'] ?? {}) as Json;
  const server = await attachments.nameServer(textOf(host['NetworkMode']), request);
  if (server === undefined) return request.body;
  const given = host['Dns'] ?? [];
  if (!isTexts(given)) return request.body;
  const others = given.length > 0 ? given : await ports.node.nameServers();
  return Buffer.from(JSON.stringify({ ...body, HostConfig: { ...host, Dns: [server, ...others] } }));
}

/** Empty when it is none: the engine says what is wrong with it. */
function objectOf(body: Buffer): Json {
  try {
    const parsed = JSON.parse(body.toString('utf8')) as unknown;
    return isObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}

/** Undefined when it is none: then too the engine says what is wrong with it. */
function endpointOf(value: unknown): Endpoint | undefined {
  const given = value ?? {};
  if (!isObject(given)) return undefined;
  const { Aliases = [], IPAMConfig = {} } = given;
  const address = isObject(IPAMConfig ?? {}) ? ((IPAMConfig as Json | null)?.['IPv4Address'] ?? '') : undefined;
  return isTexts(Aliases ?? []) && typeof address === 'string' ? given : undefined;
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

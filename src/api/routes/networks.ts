/** /networks: those of the swarm, and beside them those of this machine, which belong to its container engine. */
import { isSwarmError } from '../../common/errors.ts';
import type { Network } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { Timestamp } from '../../proto/generated/google/protobuf/timestamp.ts';
import { pathPart, queryOf, readBody, readSwarm, sendEmpty, sendJson, type ApiContext } from '../context.ts';
import {
  networkCreateRequest,
  networkSpecToProto,
  networkToDocker,
  type DockerNetworkCreateRequest,
} from '../docker/network.ts';
import { networkDetails } from '../docker/network-details.ts';
import { registerConnections } from './container-attachments.ts';
import { localNetworks, NAMES_OF_ENGINES, type LocalNetwork } from '../engine/local-networks.ts';
import { parseFilters, type Filters } from '../filters.ts';
import { badRequest, HttpError, notFound, unclassified, viaRpc } from '../http-error.ts';
import type { ApiRequest } from '../http/request.ts';
import type { Handler, Router } from '../http/router.ts';
import { sendList } from '../list-reply.ts';
import { findNetwork } from '../lookup.ts';
import { queryStrictFlag, queryText } from '../query.ts';
import { isListed, isPredefined, isPruned, parseUntil } from './network-selection.ts';

const FILTERS = ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'];
const TYPES = ['builtin', 'custom'];
const FLAGS = ['true', '1', 'false', '0'];
const PRUNE_FILTERS = ['label', 'label!', 'until'];
const SWARM_DRIVER = 'overlay';

export function registerNetworks(app: Router, context: ApiContext): void {
  const { engine, attachments } = context;
  app.get('/networks', listNetworks(context));
  // The only path that Docker also answers with a slash at its end.
  app.get('/networks/', listNetworks(context));
  app.post('/networks/create', createNetwork(context));
  app.post('/networks/prune', pruneNetworks(context));
  app.get('/networks/:id', inspectNetwork(context));
  app.delete('/networks/:id', removeNetwork(context));
  if (engine && attachments) registerConnections(app, context, engine, attachments);
  else {
    for (const verb of ['connect', 'disconnect']) {
      app.post(`/networks/:id/${verb}`, () => {
        throw new HttpError(501, `containers are connected by a container engine, and this node has none`);
      });
    }
  }
}

function listNetworks(context: ApiContext): Handler {
  return async (request, reply) => {
    const query = queryOf(request);
    const filters = parseFilters(query, FILTERS);
    const type = filters.get('type').find((word) => !TYPES.includes(word));
    if (type !== undefined) throw unclassified(`invalid filter: 'type'='${type}'`);
    requireOneFlag(filters.get('dangling'), 'dangling');
    const local = (await localNetworks(context, request)?.list(queryText(query, 'filters'))) ?? [];
    const networks = await networksOfSwarm(context, request);
    const listed = networks?.all.filter((network) => isListed(networks.read, network, filters)) ?? [];
    return sendList(reply, [...listed.map(networkToDocker), ...local], (network) => network);
  };
}

function createNetwork(context: ApiContext): Handler {
  const { engine } = context;
  return async (request, reply) => {
    requireJsonType(request);
    const docker = readBody(request, networkCreateRequest);
    if (docker.Driver === SWARM_DRIVER && docker.Scope === 'local' && docker.ConfigOnly !== true) {
      throw new HttpError(403, 'cannot downgrade network scope for overlay networks');
    }
    if (belongsToMachine(docker)) {
      if (!engine) throw noEngine(docker);
      // By this name services and containers mean the swarm's.
      if (isNameInSwarm(context, docker.Name ?? '')) throw nameTaken(docker.Name ?? '');
      await engine.pass(request, reply, withDuplicateCheck(request));
      return;
    }
    const spec = networkSpecToProto(docker);
    refuseAwayFromManagers(context, docker);
    const swarm = await readSwarm(context, request);
    const name = docker.Name ?? '';
    if (name !== '' && swarm.store.read.network.byName(name)) throw nameTaken(name);
    if (NAMES_OF_ENGINES.has(name)) {
      throw new HttpError(403, `operation is not permitted on predefined ${name} network `);
    }
    if (mustBeUnique(request, docker) && (await localNetworks(context, request)?.find(name))?.Name === name)
      throw nameTaken(name);
    const { network } = await viaRpc(swarm.control.createNetwork({ id: '', spec }, request));
    return sendJson(reply, 201, { Id: network?.id ?? '', Warning: '' });
  };
}

function pruneNetworks(context: ApiContext): Handler {
  return async (request, reply) => {
    const query = queryOf(request);
    const filters = parseFilters(query, PRUNE_FILTERS);
    const until = parseUntil(filters, context.ports.clock.now());
    const removed = [
      ...(await pruneSwarm(context, request, filters, until)),
      ...((await localNetworks(context, request)?.prune(queryText(query, 'filters'))) ?? []),
    ];
    return sendJson(reply, 200, { NetworksDeleted: removed.length > 0 ? removed : null });
  };
}

function inspectNetwork(context: ApiContext): Handler {
  return async (request, reply) => {
    const query = queryOf(request);
    const key = pathPart(request, 'id');
    const scope = queryText(query, 'scope');
    const isVerbose = queryStrictFlag(query, 'verbose');
    const onMachine = localNetworks(context, request);
    const local = scope === '' || scope === 'local' ? await onMachine?.find(key) : undefined;
    if (local && isExactly(local, key)) return sendJson(reply, 200, local);
    const networks = scope === '' || scope === 'swarm' ? await networksOfSwarm(context, request) : undefined;
    const network = networks && foundIn(networks, key, scope);
    if (!network) {
      if (local) return sendJson(reply, 200, local);
      throw notFound('network', key);
    }
    const { name = '' } = network.spec?.annotations ?? {};
    const details = isVerbose ? networkDetails(networks.read, network) : {};
    const containers = await onMachine?.containersOn(name, network.id);
    return sendJson(reply, 200, {
      ...networkToDocker(network),
      ...(containers === undefined ? {} : { Containers: containers }),
      ...details,
    });
  };
}

function removeNetwork(context: ApiContext): Handler {
  const { engine } = context;
  return async (request, reply) => {
    const key = pathPart(request, 'id');
    if (engine && (await localNetworks(context, request)?.find(key))) {
      await engine.pass(request, reply);
      return;
    }
    if (!context.ports.swarm.current()) throw notFound('network', key);
    const swarm = await readSwarm(context, request);
    const { id } = findNetwork(swarm.store.read, key);
    await viaRpc(swarm.control.removeNetwork({ name: '', networkId: id }, request));
    return sendEmpty(reply, 204);
  };
}

function requireOneFlag(values: readonly string[], key: string): void {
  if (values.length > 1) throw badRequest(`got more than one value for filter key "${key}"`);
  if (values.some((value) => !FLAGS.includes(value))) {
    throw badRequest(`invalid value for filter '${key}', must be "true" (or "1"), or "false" (or "0")`);
  }
}

const nameTaken = (name: string): HttpError => new HttpError(409, `network with name ${name} already exists`);

const isNameInSwarm = ({ ports }: ApiContext, name: string): boolean =>
  name !== '' && ports.swarm.current()?.store.read.network.byName(name)?.spec?.annotations?.name === name;

/** Of networks Docker says more than that the node is no manager. */
function refuseAwayFromManagers({ ports }: ApiContext, { Driver }: DockerNetworkCreateRequest): void {
  const { state, isManager } = ports.node.info();
  if (state === 'inactive' && Driver !== SWARM_DRIVER) {
    throw new HttpError(403, 'cannot create a swarm scoped network when swarm is not active');
  }
  if (state === 'active' && !isManager) {
    throw new HttpError(
      403,
      'Cannot create a multi-host network from a worker node. Please create the network from a manager node.',
    );
  }
}

interface SwarmNetworks {
  readonly all: readonly Network[];
  readonly read: Awaited<ReturnType<typeof readSwarm>>['store']['read'];
}

/** Undefined on a node that is no manager. */
async function networksOfSwarm(context: ApiContext, request: ApiRequest): Promise<SwarmNetworks | undefined> {
  if (!context.ports.swarm.current()) return undefined;
  const { read } = (await readSwarm(context, request)).store;
  return { all: read.network.all(), read };
}

/** The engines' own networks are the swarm's only for those who ask for its scope, as services that use them do. */
function foundIn({ read }: SwarmNetworks, key: string, scope: string): Network | undefined {
  try {
    const network = findNetwork(read, key);
    return isPredefined(network) && scope !== 'swarm' ? undefined : network;
  } catch (error) {
    if (error instanceof HttpError && error.status === 404) return undefined;
    throw error;
  }
}

const isExactly = ({ Id, Name }: LocalNetwork, key: string): boolean => Id === key || Name === key;

async function pruneSwarm(
  context: ApiContext,
  request: ApiRequest,
  filters: Filters,
  until: Timestamp | undefined,
): Promise<readonly string[]> {
  if (!context.ports.swarm.current()) return [];
  const { control, store } = await readSwarm(context, request);
  const removed: string[] = [];
  for (const network of store.read.network.all().filter((n) => isPruned(store.read, n, filters, until))) {
    try {
      await control.removeNetwork({ name: '', networkId: network.id }, request);
      removed.push(network.spec?.annotations?.name ?? network.id);
    } catch (error) {
      // Somebody began to use it, or removed it first.
      if (!isSwarmError(error, 'failedPrecondition') && !isSwarmError(error, 'notFound')) throw error;
    }
  }
  return removed;
}

function requireJsonType(request: ApiRequest): void {
  const type = request.headers['content-type'] ?? '';
  if (type !== '' && !/^application\/json\s*(;|$)/i.test(type)) {
    throw badRequest(`Content-Type specified (${type}) must be 'application/json'`);
  }
}

/** From 1.44 on clients take for granted that a name is given once; an older engine sees to that only when it is asked. */
const UNIQUE_NAMES_MINOR = 44;

const mustBeUnique = ({ apiMinor }: ApiRequest, { CheckDuplicate }: DockerNetworkCreateRequest): boolean =>
  CheckDuplicate === true || apiMinor >= UNIQUE_NAMES_MINOR;

function withDuplicateCheck({ apiMinor, body }: ApiRequest): Buffer | undefined {
  if (apiMinor < UNIQUE_NAMES_MINOR) return undefined;
  try {
    return Buffer.from(JSON.stringify({ ...(JSON.parse(body.toString('utf8')) as object), CheckDuplicate: true }));
  } catch {
    // The engine is more patient with what follows a document.
    return undefined;
  }
}

/** Networks of the swarm have scope "swarm", or the driver that is made for it. */
const belongsToMachine = ({ Scope, Driver, ConfigOnly }: DockerNetworkCreateRequest): boolean =>
  ConfigOnly === true || (Driver !== SWARM_DRIVER && Scope !== 'swarm');

function noEngine({ Scope, Driver, ConfigOnly }: DockerNetworkCreateRequest): HttpError {
  const what = ConfigOnly
    ? 'configuration-only networks belong'
    : Scope
      ? `networks of scope ${Scope} belong`
      : `networks with driver "${Driver || 'bridge'}" belong`;
  return new HttpError(
    501,
    `${what} to one machine, and this node has no container engine: use driver "${SWARM_DRIVER}", or scope "swarm"`,
  );
}

/** /networks: those of the swarm. Networks of one machine belong to a container engine. */
import { isSwarmError } from '../../common/errors.ts';
import { pathPart, queryOf, readBody, readSwarm, sendEmpty, sendJson, sendList, type ApiContext } from '../context.ts';
import {
  networkCreateRequest,
  networkSpecToProto,
  networkToDocker,
  type DockerNetworkCreateRequest,
} from '../docker/network.ts';
import { networkDetails } from '../docker/network-details.ts';
import { parseFilters, type Filters } from '../filters.ts';
import { badRequest, HttpError, notFound, viaRpc } from '../http-error.ts';
import type { ApiRequest } from '../http/request.ts';
import type { Router } from '../http/router.ts';
import { findNetwork } from '../lookup.ts';
import type { Network } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { StoreReads } from '../ports.ts';
import { queryFlag, queryText } from '../query.ts';
import { parseTimeBound } from '../streams/time-bound.ts';
import { compareTimestamps } from '../../common/time.ts';

const FILTERS = ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'];
const PRUNE_FILTERS = ['label', 'label!', 'until'];
const SWARM_DRIVER = 'overlay';

export function registerNetworks(app: Router, context: ApiContext): void {
  app.get('/networks', async (request, reply) => {
    const filters = parseFilters(queryOf(request), FILTERS);
    if (!context.ports.swarm.current()) return sendJson(reply, 200, []);
    const swarm = await readSwarm(context, request);
    const { read } = swarm.store;
    const networks = read.network.all().filter((network) => isListed(read, network, filters));
    return sendList(reply, networks, networkToDocker);
  });

  app.post('/networks/create', async (request, reply) => {
    requireJsonType(request);
    const docker = readBody(request, networkCreateRequest);
    requireSwarmNetwork(docker);
    const swarm = await readSwarm(context, request);
    const name = docker.Name ?? '';
    if (name !== '' && swarm.store.read.network.byName(name)) {
      throw new HttpError(409, `network with name ${name} already exists`);
    }
    const spec = networkSpecToProto(docker);
    const { network } = await viaRpc(swarm.control.createNetwork({ id: '', spec }, { signal: request.gone }));
    return sendJson(reply, 201, { Id: network?.id ?? '', Warning: '' });
  });

  app.post('/networks/prune', async (request, reply) => {
    const filters = parseFilters(queryOf(request), PRUNE_FILTERS);
    const swarm = await readSwarm(context, request);
    const { read } = swarm.store;
    const unused = read.network.all().filter((network) => isPruned(read, network, filters));
    const removed: string[] = [];
    for (const network of unused) {
      try {
        await swarm.control.removeNetwork({ name: '', networkId: network.id }, { signal: request.gone });
        removed.push(network.spec?.annotations?.name ?? network.id);
      } catch (error) {
        // Somebody began to use it, or removed it first.
        if (!isSwarmError(error, 'failedPrecondition') && !isSwarmError(error, 'notFound')) throw error;
      }
    }
    return sendJson(reply, 200, { NetworksDeleted: removed.length > 0 ? removed : null });
  });

  app.get('/networks/:id', async (request, reply) => {
    const query = queryOf(request);
    const key = pathPart(request, 'id');
    const scope = queryText(query, 'scope');
    if ((scope !== '' && scope !== 'swarm') || !context.ports.swarm.current()) throw notFound('network', key);
    const swarm = await readSwarm(context, request);
    const network = findNetwork(swarm.store.read, key);
    const details = queryFlag(query, 'verbose') ? networkDetails(swarm.store.read, network) : {};
    return sendJson(reply, 200, { ...networkToDocker(network), ...details });
  });

  app.delete('/networks/:id', async (request, reply) => {
    const swarm = await readSwarm(context, request);
    const { id } = findNetwork(swarm.store.read, pathPart(request, 'id'));
    await viaRpc(swarm.control.removeNetwork({ name: '', networkId: id }, { signal: request.gone }));
    return sendEmpty(reply, 204);
  });
}

function requireJsonType(request: ApiRequest): void {
  const type = request.headers['content-type'] ?? '';
  if (type !== '' && !/^application\/json\s*(;|$)/i.test(type)) {
    throw badRequest(`Content-Type specified (${type}) must be 'application/json'`);
  }
}

function requireSwarmNetwork(docker: DockerNetworkCreateRequest): void {
  const driver = docker.Driver ?? '';
  if (docker.ConfigOnly) {
    throw new HttpError(501, 'configuration-only networks belong to one machine: this API makes networks of the swarm');
  }
  if (docker.Scope !== undefined && docker.Scope !== '' && docker.Scope !== 'swarm') {
    throw new HttpError(
      501,
      `networks of scope ${docker.Scope} belong to one machine: this API makes networks of the swarm`,
    );
  }
  if (docker.Scope !== 'swarm' && !docker.Ingress && driver !== SWARM_DRIVER) {
    throw new HttpError(
      501,
      `networks with driver "${driver || 'bridge'}" belong to one machine: use driver "${SWARM_DRIVER}", or scope "swarm"`,
    );
  }
}

function isListed(read: StoreReads['read'], network: Network, filters: Filters): boolean {
  const driver = (network.driverState ?? network.spec?.driverConfig)?.name ?? '';
  const isUsed = isNetworkUsed(read, network);
  // The swarm's view of the engines' own networks, which users know as local ones.
  const isPredefined = network.spec?.annotations?.labels['com.docker.swarm.predefined'] === 'true';
  return (
    !isPredefined &&
    filters.allows('driver', driver) &&
    filters.allows('scope', 'swarm') &&
    filters.allows('type', 'custom') &&
    filters.allowsLabels('label', network.spec?.annotations?.labels) &&
    (!filters.has('id') || filters.get('id').some((text) => containsAnchored(network.id, text))) &&
    (!filters.has('name') ||
      filters.get('name').some((text) => containsAnchored(network.spec?.annotations?.name ?? '', text))) &&
    (!filters.has('dangling') || filters.get('dangling').some((text) => isUsed === ['0', 'false'].includes(text)))
  );
}

/** Docker matches names of networks anywhere; "^" and "$" hold to the ends. */
function containsAnchored(candidate: string, text: string): boolean {
  const fromStart = text.startsWith('^');
  const toEnd = text.endsWith('$');
  const part = text.slice(fromStart ? 1 : 0, toEnd ? -1 : undefined);
  if (fromStart && toEnd) return candidate === part;
  if (fromStart) return candidate.startsWith(part);
  return toEnd ? candidate.endsWith(part) : candidate.includes(part);
}

const isNetworkUsed = (read: StoreReads['read'], { id }: Network): boolean =>
  read.service.by('network', id).length > 0 || read.task.by('network', id).length > 0;

function isPruned(read: StoreReads['read'], network: Network, filters: Filters): boolean {
  const labels = network.spec?.annotations?.labels;
  const created = network.meta?.createdAt;
  const isOldEnough = filters.get('until').every((text) => {
    const until = parseTimeBound(text);
    return until !== undefined && created !== undefined && compareTimestamps(created, until) < 0;
  });
  return (
    !network.spec?.ingress &&
    !isNetworkUsed(read, network) &&
    filters.allowsLabels('label', labels) &&
    !(filters.has('label!') && filters.allowsLabels('label!', labels)) &&
    isOldEnough
  );
}

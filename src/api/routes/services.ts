/** /services */
import type { Service } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import {
  pathPart,
  queryOf,
  readBody,
  readSwarm,
  requireSwarm,
  sendEmpty,
  sendJson,
  type ApiContext,
} from '../context.ts';
import { generatedName } from '../docker/generated-name.ts';
import { withoutNewerFields } from '../docker/older-clients.ts';
import { serviceStatusToDocker, serviceToDocker } from '../docker/service.ts';
import { serviceSpec, type DockerServiceSpec } from '../docker/service-spec.ts';
import { localNetworks } from '../engine/local-networks.ts';
import { parseFilters, type Filters } from '../filters.ts';
import { viaRpc } from '../http-error.ts';
import type { Router } from '../http/router.ts';
import { ObjectBytes } from '../json/object-bytes.ts';
import { stringify } from '../json/stringify.ts';
import { sendList } from '../list-reply.ts';
import { findService } from '../lookup.ts';
import type { Swarm } from '../ports.ts';
import { queryStrictFlag, queryVersion } from '../query.ts';
import {
  keptRegistryAuth,
  mentionsNetworks,
  parseRollback,
  registryAuth,
  resolveSpec,
  withRegistryAuth,
} from './service-request.ts';

const FILTERS = ['id', 'label', 'mode', 'name', 'runtime'];

/** API version from which lists can count tasks. */
const STATUS_MINOR = 41;

export function registerServices(app: Router, context: ApiContext): void {
  const bytes = new ObjectBytes(serviceToDocker);

  app.get('/services', async (request, reply) => {
    const query = queryOf(request);
    const filters = parseFilters(query, FILTERS);
    const withStatus = request.apiMinor >= STATUS_MINOR && queryStrictFlag(query, 'status');
    const swarm = await readSwarm(context, request);
    const services = swarm.store.read.service.all().filter((service) => isListed(service, filters));
    const statuses = withStatus ? await statusesOf(swarm, services, request.signal) : undefined;
    return sendList(reply, services, (service) => {
      const known = bytes.of(service, request.apiMinor);
      const status = statuses?.get(service.id);
      if (!status) return known;
      // The counts change without the service.
      const rest = Buffer.from(`,"ServiceStatus":${stringify(serviceStatusToDocker(status))}}`);
      return Buffer.concat([known.subarray(0, -1), rest]);
    });
  });

  app.post('/services/create', async (request, reply) => {
    const docker = withoutNewerFields(readBody(request, serviceSpec), request.apiMinor);
    const swarm = mentionsNetworks(docker) ? await readSwarm(context, request) : requireSwarm(context);
    const named: DockerServiceSpec = docker.Name ? docker : { ...docker, Name: generatedName() };
    const resolved = await resolveSpec(named, swarm.store.read, localNetworks(context, request));
    const spec = withRegistryAuth(resolved, registryAuth(request));
    const { service } = await viaRpc(swarm.control.createService({ id: '', spec }, request));
    return sendJson(reply, 201, { ID: service?.id ?? '' });
  });

  app.get('/services/:id', async (request, reply) => {
    const insertDefaults = queryStrictFlag(queryOf(request), 'insertDefaults');
    const swarm = await readSwarm(context, request);
    const found = findService(swarm.store.read, pathPart(request, 'id'));
    const service = insertDefaults
      ? (await viaRpc(swarm.control.getService({ serviceId: found.id, insertDefaults }, request))).service
      : found;
    return sendJson(reply, 200, serviceToDocker(service ?? found, request.apiMinor));
  });

  app.post('/services/:id/update', async (request, reply) => {
    const query = queryOf(request);
    const docker = withoutNewerFields(readBody(request, serviceSpec), request.apiMinor);
    const serviceVersion = queryVersion(query, 'service');
    const swarm = await readSwarm(context, request);
    // Docker reads the spec before it looks for the service.
    const wanted = await resolveSpec(docker, swarm.store.read, localNetworks(context, request));
    const service = findService(swarm.store.read, pathPart(request, 'id'));
    const spec = withRegistryAuth(wanted, registryAuth(request) ?? keptRegistryAuth(query, service));
    const update = { serviceId: service.id, serviceVersion, spec, rollback: parseRollback(query) };
    await viaRpc(swarm.control.updateService(update, request));
    return sendJson(reply, 200, { Warnings: null });
  });

  app.delete('/services/:id', async (request, reply) => {
    const swarm = await readSwarm(context, request);
    const { id } = findService(swarm.store.read, pathPart(request, 'id'));
    await viaRpc(swarm.control.removeService({ serviceId: id }, request));
    return sendEmpty(reply);
  });
}

const MODE_WORDS = {
  replicated: 'replicated',
  global: 'global',
  replicatedJob: 'replicated-job',
  globalJob: 'global-job',
} as const;

function isListed(service: Service, filters: Filters): boolean {
  const { spec } = service;
  const runtime = spec?.task?.runtime?.$case ?? 'container';
  return (
    filters.allowsPrefix('id', service.id) &&
    filters.allowsPrefix('name', spec?.annotations?.name ?? '') &&
    filters.allowsLabels('label', spec?.annotations?.labels) &&
    filters.allows('mode', spec?.mode ? MODE_WORDS[spec.mode.$case] : '') &&
    (filters.has('runtime') ? filters.allows('runtime', runtime) : runtime === 'container')
  );
}

async function statusesOf(swarm: Swarm, services: readonly Service[], signal: AbortSignal) {
  const request = { services: services.map(({ id }) => id) };
  const { statuses } = await viaRpc(swarm.control.listServiceStatuses(request, { signal }));
  return new Map(statuses.map((status) => [status.serviceId, status]));
}

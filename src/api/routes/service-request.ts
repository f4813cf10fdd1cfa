/** What a client says about a service, made into what the Control service takes. */
import type { ServiceSpec } from '../../proto/generated/docker/swarmkit/v1/specs.ts';
import type { Service } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { UpdateServiceRequest_Rollback as Rollback } from '../../proto/generated/docker/swarmkit/v1/control.ts';
import { HttpError, unclassified } from '../http-error.ts';
import { NAMES_OF_ENGINES, type LocalNetworks } from '../engine/local-networks.ts';
import { findNetwork } from '../lookup.ts';
import { serviceSpecToProto, type DockerServiceSpec } from '../docker/service-spec.ts';
import type { ApiRequest } from '../http/request.ts';
import { queryText, type Query } from '../query.ts';
import type { StoreReads } from '../ports.ts';

/**
 * Networks are given by name or id; from here on they go by id. Throws 500 for unknown ones, as Docker does.
 * @param local networks of this machine, where it has any
 */
export async function resolveSpec(
  docker: DockerServiceSpec,
  read: StoreReads['read'],
  local: LocalNetworks | undefined,
): Promise<ServiceSpec> {
  const idOf = async (target: string): Promise<string> => {
    try {
      return findNetwork(read, target).id;
    } catch (error) {
      if (error instanceof HttpError && error.status === 404) throw await whyNoNetwork(target, local);
      throw error;
    }
  };
  const byId = async (networks: DockerServiceSpec['Networks']) =>
    networks &&
    Promise.all(networks.map(async (network) => ({ ...network, Target: await idOf(network.Target ?? '') })));
  return serviceSpecToProto({
    ...docker,
    Networks: await byId(docker.Networks),
    TaskTemplate: docker.TaskTemplate && {
      ...docker.TaskTemplate,
      Networks: await byId(docker.TaskTemplate.Networks),
    },
  });
}

/** There may be one of that name on this machine alone. */
async function whyNoNetwork(target: string, local: LocalNetworks | undefined): Promise<HttpError> {
  const found = target === '' ? undefined : await local?.find(target);
  if (!found) return unclassified(`network ${target} not found`);
  if (NAMES_OF_ENGINES.has(found.Name)) {
    return new HttpError(
      404,
      `could not find the corresponding predefined swarm network: network ${found.Name} not found`,
    );
  }
  return new HttpError(
    403,
    `The network ${found.Name} cannot be used with services. Only networks scoped to the swarm can be used, such as those created with the overlay driver.`,
  );
}

export const mentionsNetworks = (docker: DockerServiceSpec): boolean =>
  (docker.Networks?.length ?? 0) + (docker.TaskTemplate?.Networks?.length ?? 0) > 0;

/** Credentials for the registry, as clients encode them; undefined when there are none. */
export function registryAuth(request: ApiRequest): string | undefined {
  const header = request.headers['x-registry-auth'];
  const auth = typeof header === 'string' ? header.trim() : '';
  return isEmptyAuth(auth) ? undefined : auth;
}

/** Clients without credentials send an encoded `{}`. */
function isEmptyAuth(auth: string): boolean {
  if (auth === '') return true;
  const json = Buffer.from(auth, 'base64url').toString('utf8').trim();
  return json === '{}' || json === 'null' || json === '';
}

/** Puts credentials into a container spec; other specs stay as they are. */
export function withRegistryAuth(spec: ServiceSpec, auth: string | undefined): ServiceSpec {
  const runtime = spec.task?.runtime;
  if (!auth || !spec.task || runtime?.$case !== 'container') return spec;
  const container = { ...runtime.value, pullOptions: { registryAuth: auth } };
  return { ...spec, task: { ...spec.task, runtime: { $case: 'container', value: container } } };
}

/** Credentials an update keeps when it brings none: those of the spec or of the one before. Throws 500. */
export function keptRegistryAuth(query: Query, service: Service): string | undefined {
  const from = queryText(query, 'registryAuthFrom');
  const source =
    from === '' || from === 'spec'
      ? service.spec
      : from === 'previous-spec'
        ? (service.previousSpec ?? missing('service does not have a previous spec'))
        : missing('unsupported registryAuthFrom value');
  const runtime = source?.task?.runtime;
  return runtime?.$case === 'container' ? runtime.value.pullOptions?.registryAuth : undefined;
}

function missing(message: string): never {
  throw unclassified(message);
}

/** Throws 500 for anything but previous and none. */
export function parseRollback(query: Query): Rollback {
  const text = queryText(query, 'rollback');
  if (text === 'previous') return Rollback.PREVIOUS;
  if (text === '' || text === 'none') return Rollback.NONE;
  throw unclassified(`unrecognized rollback option ${text}`);
}

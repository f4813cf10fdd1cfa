/** Services: create, change, roll back, remove, read. */
import { SwarmError } from '../../common/errors.ts';
import { timestampOfMs } from '../../common/time.ts';
import {
  UpdateServiceRequest_Rollback,
  type UpdateServiceRequest,
} from '../../proto/generated/docker/swarmkit/v1/control.ts';
import { Endpoint, Service } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { ServiceSpec } from '../../proto/generated/docker/swarmkit/v1/specs.ts';
import {
  PortConfig_PublishMode,
  UpdateStatus_UpdateState,
  type Version,
} from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Writer } from '../store/transaction.ts';
import type { ControlService } from './control.ts';
import type { ControlDependencies } from './dependencies.ts';
import { candidates, isEmptyOr, matchesCommon } from './filters.ts';
import { notFound } from './not-found.ts';
import { refusePortConflicts } from './port-conflicts.ts';
import { resolveReferences } from './references.ts';
import { runtimeName } from './runtime-name.ts';
import { withDefaults } from './service-defaults.ts';
import { refuseForbiddenChanges, refuseNetworkChange } from './service-changes.ts';
import { serviceStatus } from './service-status.ts';
import { refuseTooLarge } from './spec-size.ts';
import { invalid, refused } from './validation/refusal.ts';
import { validateServiceSpec } from './validation/service-spec.ts';
import { refuseStaleVersion } from './versions.ts';

type ServiceCalls = Pick<
  ControlService,
  'getService' | 'listServices' | 'createService' | 'updateService' | 'removeService' | 'listServiceStatuses'
>;

export function serviceCalls({ store, clock, newId }: ControlDependencies): ServiceCalls {
  return {
    async createService({ spec, id }) {
      validateServiceSpec(spec);
      const service = newService(id || newId(), spec, clock.now());
      await store.update((tx) => {
        if (tx.service.get(service.id)) return;
        const name = spec.annotations?.name ?? '';
        if (tx.service.byName(name)) {
          throw new SwarmError(
            'alreadyExists',
            `name conflicts with an existing object: service ${name} already exists`,
          );
        }
        const resolved = resolveReferences(tx, spec);
        refuseTooLarge(resolved);
        tx.service.create({ ...service, spec: resolved });
        refusePortConflicts(spec.endpoint, service.id, () => tx.service.all());
      });
      return { service: store.read.service.get(service.id) ?? service };
    },

    async updateService(request) {
      const updated = await store.update((tx) => updateService(tx, request, clock.now()));
      return { service: store.read.service.get(updated.id) ?? updated };
    },

    async removeService({ serviceId }) {
      await store.update((tx) => {
        if (!tx.service.get(serviceId)) throw notFound('service', serviceId);
        tx.service.delete(serviceId);
      });
      return {};
    },

    async getService({ serviceId, insertDefaults }) {
      const service = store.read.service.get(serviceId);
      if (!service) throw notFound('service', serviceId);
      return { service: insertDefaults && service.spec ? { ...service, spec: withDefaults(service.spec) } : service };
    },

    async listServices({ filters }) {
      const services = candidates(filters, store.read.service).filter((service) => {
        const annotations = service.spec?.annotations;
        return (
          matchesCommon(filters, { id: service.id, names: [annotations?.name ?? ''], labels: annotations?.labels }) &&
          isEmptyOr(filters?.runtimes ?? [], (runtime) => runtime === runtimeName(service.spec?.task))
        );
      });
      return { services };
    },

    async listServiceStatuses({ services }) {
      return {
        statuses: services.map((id) =>
          serviceStatus(id, store.read.service.get(id), store.read.task.by('service', id)),
        ),
      };
    },
  };
}

function newService(id: string, spec: ServiceSpec, nowMs: number): Service {
  const isJob = spec.mode?.$case === 'replicatedJob' || spec.mode?.$case === 'globalJob';
  return Service.fromPartial({
    id,
    spec,
    specVersion: { index: 0 },
    endpoint: settledEndpoint(spec),
    jobStatus: isJob ? { jobIteration: { index: 0 }, lastExecution: timestampOfMs(nowMs) } : undefined,
  });
}

/** The endpoint of a service for which nothing has to be chosen; saves the allocator a write. */
function settledEndpoint(spec: ServiceSpec): Endpoint | undefined {
  const ports = spec.endpoint?.ports ?? [];
  const mustChoose =
    spec.networks.length > 0 ||
    (spec.task?.networks.length ?? 0) > 0 ||
    ports.some((port) => port.publishMode === PortConfig_PublishMode.INGRESS);
  return mustChoose ? undefined : Endpoint.fromPartial({ spec: spec.endpoint, ports });
}

/**
 * Whether a change was made for a version that has the newest spec. Managers write the progress of an update on the
 * service itself, so a client that reads, thinks and writes during one would meet a newer version again and again.
 */
const hasSeenNewestChange = ({ changedFrom, meta }: Service, madeFor: Version): boolean =>
  changedFrom !== undefined && madeFor.index > changedFrom.index && madeFor.index <= (meta?.version?.index ?? 0);

/** The checks run in the order in which clients expect to hear of them; the version is compared last. */
function updateService(tx: Writer, request: UpdateServiceRequest, nowMs: number): Service {
  const { serviceId, serviceVersion, rollback } = request;
  if (serviceId === '' || !serviceVersion) throw invalid('invalid argument: service id and version must be provided');
  const service = tx.service.get(serviceId);
  if (!service?.spec) throw notFound('service', serviceId);
  const changed =
    rollback === UpdateServiceRequest_Rollback.PREVIOUS
      ? rolledBack(tx, service, nowMs)
      : changedTo(tx, service, request.spec);
  refusePortConflicts(changed.spec?.endpoint, serviceId, () => tx.service.all());
  const updated = {
    ...changed,
    jobStatus: service.jobStatus && {
      jobIteration: { index: (service.jobStatus.jobIteration?.index ?? 0) + 1 },
      lastExecution: timestampOfMs(nowMs),
    },
  };
  if (!hasSeenNewestChange(service, serviceVersion)) refuseStaleVersion('service', service, serviceVersion);
  tx.service.update(updated);
  return updated;
}

function changedTo(tx: Writer, service: Service, wanted: ServiceSpec | undefined): Service {
  validateServiceSpec(wanted);
  const present = service.spec as ServiceSpec;
  refuseForbiddenChanges(present, wanted);
  const spec = resolveReferences(tx, wanted);
  refuseTooLarge(spec);
  refuseNetworkChange(present, spec);
  return {
    ...service,
    spec,
    // The version the service has now: no earlier spec of it had this number.
    specVersion: service.meta?.version,
    previousSpec: present,
    previousSpecVersion: service.specVersion,
    changedFrom: service.meta?.version,
    updateStatus: undefined,
  };
}

/** Spec and previous spec change places, so that rolling back twice returns. Tasks of the earlier spec count as up to date again. */
function rolledBack(tx: Writer, service: Service, nowMs: number): Service {
  if (!service.previousSpec) throw refused(`service ${service.id} does not have a previous spec`);
  return {
    ...service,
    // What it refers to may have been removed meanwhile; better to say so than to make tasks that cannot start.
    spec: resolveReferences(tx, service.previousSpec),
    specVersion: service.previousSpecVersion,
    previousSpec: service.spec,
    previousSpecVersion: service.specVersion,
    changedFrom: service.meta?.version,
    // A job runs again with the earlier spec; there is nothing to roll.
    updateStatus: service.jobStatus
      ? undefined
      : {
          state: UpdateStatus_UpdateState.ROLLBACK_STARTED,
          message: 'manually requested rollback',
          startedAt: timestampOfMs(nowMs),
        },
  };
}

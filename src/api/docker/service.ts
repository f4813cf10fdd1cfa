/** A service as `GET /services/{id}` shows it. */
import type { ListServiceStatusesResponse_ServiceStatus as Status } from '../../proto/generated/docker/swarmkit/v1/control.ts';
import type { Service } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { endpointToDocker } from './endpoint.ts';
import { serviceSpecToDocker } from './service-spec.ts';
import { updateStatusToDocker } from './update-config.ts';
import { metaToDocker, timeToDocker, versionToDocker } from './values.ts';

export function serviceToDocker(service: Service, apiMinor: number): object {
  return {
    ID: service.id,
    ...metaToDocker(service.meta),
    Spec: service.spec ? serviceSpecToDocker(service.spec, apiMinor) : {},
    PreviousSpec: service.previousSpec && serviceSpecToDocker(service.previousSpec, apiMinor),
    Endpoint: endpointToDocker(service.endpoint, {
      hasNetworks: hasNetworks(service),
      wasChanged: service.previousSpec !== undefined,
    }),
    UpdateStatus: service.updateStatus && updateStatusToDocker(service.updateStatus),
    JobStatus: service.jobStatus && {
      JobIteration: versionToDocker(service.jobStatus.jobIteration),
      LastExecution: service.jobStatus.lastExecution && timeToDocker(service.jobStatus.lastExecution),
    },
  };
}

/** Counts of tasks, which lists add to a service as its `ServiceStatus` where they are asked for. */
export const serviceStatusToDocker = (status: Status): object => ({
  RunningTasks: status.runningTasks,
  DesiredTasks: status.desiredTasks,
  CompletedTasks: status.completedTasks,
});

const hasNetworks = ({ spec }: Service): boolean =>
  (spec?.task?.networks.length ?? 0) > 0 || (spec?.networks.length ?? 0) > 0;

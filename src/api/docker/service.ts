/** A service as `GET /services/{id}` shows it. */
import type { ListServiceStatusesResponse_ServiceStatus as Status } from '../../proto/generated/docker/swarmkit/v1/control.ts';
import type { Service } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { endpointToDocker } from './endpoint.ts';
import { serviceSpecToDocker } from './service-spec.ts';
import { updateStatusToDocker } from './update-config.ts';
import { metaToDocker, timeToDocker, versionToDocker } from './values.ts';

/** @param status counts of tasks, where they were asked for */
export function serviceToDocker(service: Service, apiMinor: number, status?: Status): object {
  return {
    ID: service.id,
    ...metaToDocker(service.meta),
    Spec: service.spec ? serviceSpecToDocker(service.spec, apiMinor) : {},
    PreviousSpec: service.previousSpec && serviceSpecToDocker(service.previousSpec, apiMinor),
    Endpoint: endpointToDocker(service.endpoint),
    UpdateStatus: service.updateStatus && updateStatusToDocker(service.updateStatus),
    ServiceStatus: status && {
      RunningTasks: status.runningTasks,
      DesiredTasks: status.desiredTasks,
      CompletedTasks: status.completedTasks,
    },
    JobStatus: service.jobStatus && {
      JobIteration: versionToDocker(service.jobStatus.jobIteration),
      LastExecution: service.jobStatus.lastExecution && timeToDocker(service.jobStatus.lastExecution),
    },
  };
}

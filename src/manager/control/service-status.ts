/** How many tasks a service wants and has, as `service ls` shows it. */
import type { ListServiceStatusesResponse_ServiceStatus } from '../../proto/generated/docker/swarmkit/v1/control.ts';
import type { Service, Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../proto/generated/docker/swarmkit/v1/types.ts';

/** All zero for a service that does not exist. Running counts tasks that run now, even those being shut down. */
export function serviceStatus(
  serviceId: string,
  service: Service | undefined,
  tasks: readonly Task[],
): ListServiceStatusesResponse_ServiceStatus {
  const mode = service?.spec?.mode;
  if (!mode) return { serviceId, desiredTasks: 0, runningTasks: 0, completedTasks: 0 };
  const count = (matches: (task: Task) => boolean): number => {
    let found = 0;
    for (const task of tasks) if (matches(task)) found++;
    return found;
  };
  const iteration = service.jobStatus?.jobIteration?.index ?? 0;
  const isJob = mode.$case === 'replicatedJob' || mode.$case === 'globalJob';
  const isCurrent = (task: Task): boolean => (task.jobIteration?.index ?? 0) === iteration;
  return {
    serviceId,
    desiredTasks: desiredTasks(),
    runningTasks: count((task) => task.status?.state === TaskState.RUNNING),
    completedTasks: isJob ? completed() : 0,
  };

  /** A slot counts once, even if a task that was given up as lost had completed too. */
  function completed(): number {
    const done = tasks.filter((task) => isCurrent(task) && task.status?.state === TaskState.COMPLETE);
    return new Set(done.map((task) => (mode?.$case === 'globalJob' ? task.nodeId : task.slot))).size;
  }

  function desiredTasks(): number {
    switch (mode?.$case) {
      case 'replicated':
        return mode.value.replicas;
      case 'replicatedJob':
        return mode.value.maxConcurrent;
      case 'globalJob':
        return count(
          (task) =>
            isCurrent(task) &&
            task.desiredState === TaskState.COMPLETE &&
            (task.status?.state ?? 0) < TaskState.COMPLETE,
        );
      default:
        // A task that waits for the one it replaces is not wanted to run yet.
        return count((task) => task.desiredState === TaskState.RUNNING);
    }
  }
}

/** A task as `GET /tasks/{id}` shows it. */
import { TaskState, type TaskStatus } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { annotationsToDocker, genericResourceToDocker } from './common.ts';
import { portToDocker } from './endpoint.ts';
import { networkOfTaskToDocker } from './network.ts';
import { taskSpecToDocker } from './task-spec.ts';
import { enumWords, metaToDocker, nonEmpty, timeToDocker, versionToDocker } from './values.ts';

export const taskStates = enumWords<TaskState>(TaskState);

export function taskToDocker(task: Task, apiMinor: number): object {
  return {
    ID: task.id,
    ...metaToDocker(task.meta),
    ...annotationsToDocker(task.annotations),
    Spec: task.spec ? taskSpecToDocker(task.spec, apiMinor) : {},
    ServiceID: nonEmpty(task.serviceId),
    Slot: nonEmpty(task.slot),
    NodeID: nonEmpty(task.nodeId),
    Status: taskStatusToDocker(task.status),
    DesiredState: taskStates.word(task.desiredState),
    NetworksAttachments: nonEmpty(
      task.networks.map((attachment) => ({
        Network: attachment.network ? networkOfTaskToDocker(attachment.network) : {},
        Addresses: nonEmpty(attachment.addresses),
      })),
    ),
    GenericResources: nonEmpty(task.assignedGenericResources.map(genericResourceToDocker)),
    JobIteration: task.jobIteration && versionToDocker(task.jobIteration),
    Volumes: nonEmpty(
      task.volumes.map((volume) => ({
        ID: nonEmpty(volume.id),
        Source: nonEmpty(volume.source),
        Target: nonEmpty(volume.target),
      })),
    ),
  };
}

function taskStatusToDocker(status: TaskStatus | undefined): object {
  const container = status?.runtimeStatus?.value;
  return {
    Timestamp: timeToDocker(status?.timestamp),
    State: taskStates.word(status?.state ?? TaskState.NEW),
    Message: nonEmpty(status?.message),
    Err: nonEmpty(status?.err),
    ContainerStatus: container && {
      ContainerID: container.containerId,
      PID: container.pid,
      ExitCode: container.exitCode,
    },
    PortStatus: { Ports: nonEmpty((status?.portStatus?.ports ?? []).map(portToDocker)) },
  };
}

/** "service.slot.id", or "service.node.id" for tasks without a slot: the name users see and may look a task up by. */
export function taskName(task: Task): string {
  if (task.annotations?.name) return task.annotations.name;
  const slot = task.slot === 0 ? task.nodeId : String(task.slot);
  return `${task.serviceAnnotations?.name ?? ''}.${slot}.${task.id}`;
}

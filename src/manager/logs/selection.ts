/** Which nodes hold the logs that somebody asks for. */
import type { LogSelector } from '../../proto/generated/docker/swarmkit/v1/logbroker.ts';
import type { Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Reader } from '../store/transaction.ts';

export interface Selection {
  readonly nodeIds: ReadonlySet<string>;
  /** Tasks asked for by name that run nowhere yet; those of a service that wait have nothing to tell, and nobody asked for them. */
  readonly unplacedTaskIds: readonly string[];
}

export function select(reader: Pick<Reader, 'task'>, selector: LogSelector): Selection {
  const named = selector.taskIds.map((id) => reader.task.get(id)).filter((task) => task !== undefined);
  const ofServices = selector.serviceIds.flatMap((id) => reader.task.by('service', id));
  const placed = [...named, ...ofServices].filter(({ nodeId }) => nodeId !== '');
  return {
    nodeIds: new Set([...selector.nodeIds, ...placed.map(({ nodeId }) => nodeId)]),
    unplacedTaskIds: [...new Set(named.filter(isWaiting).map(({ id }) => id))].sort(),
  };
}

/** Whether a task's logs are asked for by its own id or its service's. */
export const selects = (selector: LogSelector, task: Task): boolean =>
  selector.serviceIds.includes(task.serviceId) || selector.taskIds.includes(task.id);

const isWaiting = (task: Task): boolean =>
  task.nodeId === '' &&
  (task.status?.state ?? TaskState.NEW) < TaskState.ASSIGNED &&
  task.desiredState < TaskState.SHUTDOWN;

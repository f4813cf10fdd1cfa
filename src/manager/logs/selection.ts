/** Which nodes hold the logs that somebody asks for. */
import type { LogSelector } from '../../proto/generated/docker/swarmkit/v1/logbroker.ts';
import type { Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Reader } from '../store/transaction.ts';

export interface Selection {
  readonly nodeIds: ReadonlySet<string>;
  /** Tasks that are meant but run nowhere yet. */
  readonly unplacedTaskIds: readonly string[];
}

export function select(reader: Pick<Reader, 'task'>, selector: LogSelector): Selection {
  const nodeIds = new Set(selector.nodeIds);
  const unplaced = new Set<string>();
  const tasks = [
    ...selector.taskIds.map((id) => reader.task.get(id)).filter((task) => task !== undefined),
    ...selector.serviceIds.flatMap((id) => reader.task.by('service', id)),
  ];
  for (const task of tasks) {
    if (task.nodeId !== '') nodeIds.add(task.nodeId);
    else if (isWaiting(task)) unplaced.add(task.id);
  }
  return { nodeIds, unplacedTaskIds: [...unplaced].sort() };
}

/** Whether a task's logs are asked for by its own id or its service's. */
export const selects = (selector: LogSelector, task: Task): boolean =>
  selector.serviceIds.includes(task.serviceId) || selector.taskIds.includes(task.id);

const isWaiting = (task: Task): boolean =>
  (task.status?.state ?? TaskState.NEW) < TaskState.ASSIGNED && task.desiredState < TaskState.SHUTDOWN;

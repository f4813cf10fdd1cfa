/** Tasks: read, and remove ones that nothing manages any more. */
import type { Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { Reader } from '../store/transaction.ts';
import { isTaskDirty } from '../placement/task-dirty.ts';
import type { ControlService } from './control.ts';
import type { ControlDependencies } from './dependencies.ts';
import { candidates, isEmptyOr, matchesCommon } from './filters.ts';
import { notFound } from './not-found.ts';
import { runtimeName } from './runtime-name.ts';

type TaskCalls = Pick<ControlService, 'getTask' | 'listTasks' | 'removeTask'>;
type TaskFilters = NonNullable<Parameters<ControlService['listTasks']>[0]['filters']>;

export function taskCalls({ store }: ControlDependencies): TaskCalls {
  return {
    async getTask({ taskId }) {
      const task = store.read.task.get(taskId);
      if (!task) throw notFound('task', taskId);
      return { task };
    },
    async listTasks({ filters }) {
      const reader = store.read;
      return { tasks: narrowed(reader, filters).filter((task) => matches(reader, filters, task)) };
    },
    async removeTask({ taskId }) {
      await store.update((tx) => {
        if (!tx.task.get(taskId)) throw notFound('task', taskId);
        tx.task.delete(taskId);
      });
      return {};
    },
  };
}

/** Clients poll the tasks of one service several times a second: start from the index, not from all tasks. */
function narrowed(reader: Reader, filters: TaskFilters | undefined): readonly Task[] {
  if (!filters) return reader.task.all();
  if (filters.serviceIds.length > 0) return filters.serviceIds.flatMap((id) => reader.task.by('service', id));
  if (filters.nodeIds.length > 0) return filters.nodeIds.flatMap((id) => reader.task.by('node', id));
  return candidates({ ...filters, names: [] }, reader.task);
}

function matches(reader: Reader, filters: TaskFilters | undefined, task: Task): boolean {
  if (!filters) return true;
  return (
    matchesCommon(filters, { id: task.id, names: [taskName(task)], labels: task.serviceAnnotations?.labels }) &&
    isEmptyOr(filters.serviceIds, (id) => id === task.serviceId) &&
    isEmptyOr(filters.nodeIds, (id) => id === task.nodeId) &&
    isEmptyOr(filters.desiredStates, (state) => state === task.desiredState) &&
    isEmptyOr(filters.runtimes, (runtime) => runtime === runtimeName(task.spec)) &&
    (!filters.upToDate || isUpToDate(reader, task))
  );
}

function isUpToDate(reader: Reader, task: Task): boolean {
  const service = reader.service.get(task.serviceId);
  return service !== undefined && !isTaskDirty(service, task, reader.node.get(task.nodeId));
}

/** Name of a task as containers and log lines carry it: service.slot.id, or service.node.id where there are no slots. */
function taskName(task: Task): string {
  if (task.annotations?.name) return task.annotations.name;
  const service = task.serviceAnnotations?.name ?? '';
  return `${service}.${task.slot === 0 ? task.nodeId : task.slot}.${task.id}`;
}

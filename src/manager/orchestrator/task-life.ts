/** Where a task stands in its life, as the orchestrator sees it. Times are manager times in ms. */
import { msOfTimestamp } from '../../common/time.ts';
import type { Service, Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../proto/generated/docker/swarmkit/v1/types.ts';

/** Version of the service spec a service or task carries; 0 until the first change. */
export const specVersionOf = (object: Pick<Service | Task, 'specVersion'>): number => object.specVersion?.index ?? 0;

export const stateOf = (task: Task): TaskState => task.status?.state ?? TaskState.NEW;

/** Somebody wants it to run, now or after a delay; a task of a job is wanted until it has completed. */
export const isWanted = (task: Task): boolean =>
  task.desiredState <= TaskState.RUNNING ||
  (task.desiredState === TaskState.COMPLETE && stateOf(task) !== TaskState.COMPLETE);

export const isRunning = (task: Task): boolean => stateOf(task) === TaskState.RUNNING;

/** It will never run again. */
export const hasEnded = (task: Task): boolean => stateOf(task) > TaskState.RUNNING;

/** It ended although nobody asked: it finished, failed, or was refused. */
export function endedByItself(task: Task): boolean {
  const state = stateOf(task);
  return state === TaskState.COMPLETE || state === TaskState.FAILED || state === TaskState.REJECTED;
}

/** Nobody wants it and it never reached a node, so no agent will ever report about it. */
export const willNeverRun = (task: Task): boolean => stateOf(task) < TaskState.ASSIGNED && !isWanted(task);

/** When its status last changed: the manager's clock outranks the agent's. */
export function statusTimeMs(task: Task): number {
  const time = task.status?.appliedAt ?? task.status?.timestamp ?? task.meta?.createdAt;
  return time ? msOfTimestamp(time) : 0;
}

export const createdMs = (task: Task): number => (task.meta?.createdAt ? msOfTimestamp(task.meta.createdAt) : 0);

/** Sorts tasks of a slot from the oldest to the newest; of those made in the same moment the ended ones are older. */
export function byAge(a: Task, b: Task): number {
  if (a.id === b.id) return 0;
  return (
    createdMs(a) - createdMs(b) ||
    Number(hasEnded(b)) - Number(hasEnded(a)) ||
    statusTimeMs(a) - statusTimeMs(b) ||
    (a.id < b.id ? -1 : 1)
  );
}

export const newestOf = (tasks: readonly Task[]): Task | undefined =>
  tasks.reduce<Task | undefined>((newest, task) => (newest && byAge(newest, task) > 0 ? newest : task), undefined);

/** Which stored tasks may be forgotten. */
import type { Service, Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { hasCompleted, isOfPresentIteration, iterationOf, presentSlot } from './job.ts';
import { failedUpdate, isHeld, type Slot } from './slots.ts';
import {
  endedByItself,
  hasEnded,
  isWanted,
  newestOf,
  specVersionOf,
  stateOf,
  statusTimeMs,
  willNeverRun,
} from './task-life.ts';

export const DEFAULT_HISTORY_LIMIT = 5;

/** A task that is to be deleted and that no agent holds any more. */
export function isRemovable(task: Task, serviceExists: boolean): boolean {
  const state = stateOf(task);
  if (task.desiredState === TaskState.REMOVE) return state < TaskState.ASSIGNED || state >= TaskState.COMPLETE;
  if (serviceExists) return false;
  // Without a service there is no history to keep.
  return state === TaskState.ORPHANED || (task.serviceId === '' && state >= TaskState.COMPLETE);
}

/**
 * Tasks kept per slot, the live one included; negative keeps all. A policy with at most n restarts needs n + 1 tasks to
 * be counted from, whatever the cluster's limit.
 */
export function historyLimit(service: Service, clusterLimit: number): number {
  const maxAttempts = service.spec?.task?.restart?.maxAttempts ?? 0;
  return maxAttempts > 0 ? maxAttempts + 1 : clusterLimit;
}

/** The tasks of a slot that go to keep the limit, the oldest first; more stay when too few have ended. */
export function tasksToForget(service: Service, slot: Slot, limit: number): readonly Task[] {
  const surplus = slot.tasks.length - limit;
  if (limit < 0 || surplus <= 0) return [];
  const needed = restartsToRemember(service, slot);
  return slot.tasks
    .filter((task) => !needed.has(task.id) && isForgettable(service, slot, task))
    .sort(byStatusTime)
    .slice(0, surplus);
}

const byStatusTime = (a: Task, b: Task): number => statusTimeMs(a) - statusTimeMs(b) || (a.id < b.id ? -1 : 1);

/** Where restarts are limited to n: the newest n ended tasks from which they are counted. */
function restartsToRemember(service: Service, slot: Slot): ReadonlySet<string> {
  const maxAttempts = service.spec?.task?.restart?.maxAttempts ?? 0;
  const newest = newestOf(slot.tasks);
  if (maxAttempts === 0 || !newest) return new Set();
  const counted = slot.tasks
    .filter((task) => task !== newest && endedByItself(task) && specVersionOf(task) === specVersionOf(newest))
    .sort(byStatusTime);
  return new Set(counted.slice(-maxAttempts).map((task) => task.id));
}

function isForgettable(service: Service, slot: Slot, task: Task): boolean {
  if (willNeverRun(task)) return true;
  // While an ended task is still wanted, its restart is yet to be decided.
  if (!hasEnded(task) || isWanted(task)) return false;
  if (iterationOf(service) !== undefined) return !countsForJob(service, slot, task);
  // Without this one the slot would look as if it were still to be updated.
  if (task === failedUpdate(slot, service)) return false;
  // Without its newest task a slot that ended for good would look empty, and be filled again.
  return task !== newestOf(slot.tasks) || !isHeld(slot, service);
}

/** What the progress of a job is counted from: the completions of the present iteration, and the slots it gave up. */
function countsForJob(service: Service, slot: Slot, task: Task): boolean {
  if (!isOfPresentIteration(service, task)) return false;
  const present = presentSlot(service, slot);
  return hasCompleted(task) || (task === newestOf(present.tasks) && isHeld(present, service));
}

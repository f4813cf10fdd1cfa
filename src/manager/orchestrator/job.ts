/** Jobs: services whose tasks shall complete instead of running on. Every update of a job is a further iteration. */
import type { Service, Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { isJob, modeOf } from './service-mode.ts';
import type { Slot } from './slots.ts';
import { stateOf } from './task-life.ts';

/** The present iteration of a job, from 0; undefined for services that run on. */
export const iterationOf = (service: Service): number | undefined =>
  isJob(modeOf(service)) ? (service.jobStatus?.jobIteration?.index ?? 0) : undefined;

export const isOfPresentIteration = (service: Service, task: Task): boolean =>
  (task.jobIteration?.index ?? 0) === iterationOf(service);

export const hasCompleted = (task: Task): boolean => stateOf(task) === TaskState.COMPLETE;

/** A slot with the tasks of the present iteration alone. */
export const presentSlot = (service: Service, slot: Slot): Slot => ({
  ...slot,
  tasks: slot.tasks.filter((task) => isOfPresentIteration(service, task)),
});

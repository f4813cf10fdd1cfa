/** Slots: the identities of a service's replicas. Several stored tasks may share one over time. */
import type { Service, Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState, UpdateStatus_UpdateState as UpdateState } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { slotKey } from '../store/objects.ts';
import { mayRestart } from './restart-policy.ts';
import { byAge, endedByItself, isWanted, newestOf, specVersionOf } from './task-life.ts';

export interface Slot {
  /** Key in the store's slot index. */
  readonly key: string;
  /** Slot number; 0 in global modes. */
  readonly number: number;
  /** Node of the slot in global modes, else empty. */
  readonly nodeId: string;
  /** All stored tasks, in no order. */
  readonly tasks: readonly Task[];
}

/**
 * Groups the tasks of one service.
 * @param isNamedByNode needed for jobs; tasks of services tell by themselves
 */
export function slotsOf(tasks: readonly Task[], isNamedByNode?: boolean): ReadonlyMap<string, Slot> {
  const slots = new Map<string, Slot & { readonly tasks: Task[] }>();
  for (const task of tasks) {
    const key = slotKey(task, isNamedByNode);
    const slot = slots.get(key);
    if (slot) slot.tasks.push(task);
    else slots.set(key, { ...placeOf(task, isNamedByNode), key, tasks: [task] });
  }
  return slots;
}

/** Number and node that name the slot of a task. */
export const placeOf = (task: Task, isNamedByNode = task.slot === 0): Pick<Slot, 'number' | 'nodeId'> => ({
  number: task.slot,
  nodeId: isNamedByNode ? task.nodeId : '',
});

export const isLive = (slot: Slot): boolean => slot.tasks.some(isWanted);

/**
 * A slot nobody wants a task in, but whose newest task ended for good by its restart policy: it keeps its place and is
 * not filled again until an update. A running rollback fills those that ended under the spec it takes back.
 */
export function isHeld(slot: Slot, service: Service): boolean {
  const newest = isLive(slot) ? undefined : newestOf(slot.tasks);
  if (!newest || newest.desiredState === TaskState.REMOVE) return false;
  const isTakenBack =
    service.updateStatus?.state === UpdateState.ROLLBACK_STARTED && specVersionOf(newest) !== specVersionOf(service);
  return !isTakenBack && !mayRestart(newest, slot.tasks);
}

/**
 * The task of the present spec whose failure ended a start-first update of this slot: it came after the one that goes on.
 * The restart policy decides about its successors; the update has done its part, or it would never end.
 */
export function failedUpdate(slot: Slot, service: Service): Task | undefined {
  const version = specVersionOf(service);
  const old = slot.tasks.find((task) => isWanted(task) && specVersionOf(task) !== version);
  if (!old) return undefined;
  return newestOf(
    slot.tasks.filter((task) => specVersionOf(task) === version && endedByItself(task) && byAge(old, task) < 0),
  );
}

/** The tasks an update would have to replace: the wanted ones or, in a held slot, the newest. */
export function updatableTasks(slot: Slot, service: Service): readonly Task[] {
  const wanted = slot.tasks.filter(isWanted);
  if (wanted.length > 0) return wanted;
  const newest = newestOf(slot.tasks);
  return newest && isHeld(slot, service) ? [newest] : [];
}

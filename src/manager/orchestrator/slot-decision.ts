/** What one slot needs now: which of its tasks may stay wanted, restarts, moves, and delayed starts that are due. */
import type { Random } from '../../common/random.ts';
import { serviceOptions } from '../../common/service-labels.ts';
import type { Node, Service, Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState, UpdateStatus_UpdateState as UpdateState } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { isTaskDirty } from '../placement/task-dirty.ts';
import { iterationOf } from './job.ts';
import { isLost, mayKeepTasks } from './node-fitness.ts';
import { isFromTheFuture, mayMove, mayRestart, restartDelayMs, startAfterMs } from './restart-policy.ts';
import { globalPlace, type ServiceMode } from './service-mode.ts';
import { isHeld, type Slot } from './slots.ts';
import type { Step, TaskWish } from './step.ts';
import { byAge, createdMs, endedByItself, hasEnded, isRunning, isWanted, stateOf } from './task-life.ts';

/** Everything decisions may look at besides the slot itself. */
export interface Surroundings {
  readonly nowMs: number;
  readonly node: (id: string) => Node | undefined;
  /** How long an ended task ran, if it was seen. */
  readonly ranMs: (taskId: string) => number | undefined;
  readonly newId: () => string;
  readonly random: Random;
}

export interface SlotDecision {
  readonly steps: readonly Step[];
  /** Look again then, even if nothing happens before. */
  readonly wakeAtMs?: number;
}

/** A replacement waits at most this long for the task it replaces to stop. */
const OLD_TASK_TIMEOUT_MS = 60_000;

const NOTHING: SlotDecision = { steps: [] };

/** @param mayFill an empty slot of a global service gets a task */
export function decideSlot(
  service: Service,
  mode: ServiceMode,
  slot: Slot,
  around: Surroundings,
  mayFill: boolean,
): SlotDecision {
  if (mode.kind === 'global') {
    const place = globalPlace(service, around.node(slot.nodeId));
    if (place === 'gone') return { steps: slot.tasks.map((task) => ({ kind: 'delete', taskId: task.id })) };
    if (place === 'unwanted') return { steps: slot.tasks.filter(isWanted).map(stop) };
    const isEmpty = !slot.tasks.some(isWanted) && !isHeld(slot, service);
    if (isEmpty) return mayFill && place === 'wanted' ? { steps: [fill(service, slot, around)] } : NOTHING;
    return decideTasks(service, mode, slot, around, place === 'wanted');
  }
  return decideTasks(service, mode, slot, around, true);
}

export const stop = (task: Task): Step => ({ kind: 'desire', taskId: task.id, desiredState: TaskState.SHUTDOWN });

/** The state a task is to reach: tasks of jobs shall complete, all others run. */
const goalOf = (jobIteration: unknown): TaskState =>
  jobIteration === undefined ? TaskState.RUNNING : TaskState.COMPLETE;

/** Makes the first task of a slot, or one for a slot that nothing holds any more. */
export function fill(service: Service, slot: Pick<Slot, 'number' | 'nodeId'>, around: Surroundings): Step {
  const jobIteration = iterationOf(service);
  const wish: TaskWish = {
    id: around.newId(),
    slot: slot.number,
    nodeId: slot.nodeId,
    desiredState: goalOf(jobIteration),
    jobIteration,
  };
  return { kind: 'create', serviceId: service.id, wish };
}

function decideTasks(
  service: Service,
  mode: ServiceMode,
  slot: Slot,
  around: Surroundings,
  mayReplace: boolean,
): SlotDecision {
  const wanted = slot.tasks.filter(isWanted);
  if (wanted.length === 0) return NOTHING;
  const keepers = wanted.length === 1 ? wanted : tasksToKeep(service, wanted, around);
  const steps: Step[] = wanted.filter((task) => !keepers.includes(task)).map(stop);
  let wakeAtMs: number | undefined;
  for (const task of keepers) {
    const decision = decideTask(service, mode, slot, task, around, mayReplace);
    steps.push(...decision.steps);
    if (decision.wakeAtMs !== undefined) wakeAtMs = Math.min(wakeAtMs ?? Infinity, decision.wakeAtMs);
  }
  return { steps, ...(wakeAtMs !== undefined && { wakeAtMs }) };
}

/**
 * At most one task of the present spec and one older one stay wanted, and the older one only until the other runs:
 * that is a start-first step of an update. When such a step fails for good, the older task stays alone.
 */
function tasksToKeep(service: Service, wanted: readonly Task[], around: Surroundings): readonly Task[] {
  const isOld = (task: Task): boolean => isTaskDirty(service, task, around.node(task.nodeId));
  const fresh = bestOf(wanted.filter((task) => !isOld(task)));
  const old = bestOf(wanted.filter(isOld));
  if (!fresh || !old) return [fresh ?? old].filter((task) => task !== undefined);
  if (isRunning(fresh)) return [fresh];
  const oldIsLost = hasEnded(old) || (old.nodeId !== '' && !mayKeepTasks(around.node(old.nodeId)));
  if (oldIsLost) return [fresh];
  const state = service.updateStatus?.state;
  const isStopped = state === UpdateState.PAUSED || state === UpdateState.ROLLBACK_PAUSED;
  return hasEnded(fresh) && isStopped ? [old] : [fresh, old];
}

/** The task furthest on its way, the oldest of equals. */
const bestOf = (tasks: readonly Task[]): Task | undefined =>
  [...tasks].sort((a, b) => progress(b) - progress(a) || byAge(a, b))[0];
const progress = (task: Task): number => (hasEnded(task) ? -1 : stateOf(task));

function decideTask(
  service: Service,
  mode: ServiceMode,
  slot: Slot,
  task: Task,
  around: Surroundings,
  mayReplace: boolean,
): SlotDecision {
  if (hasEnded(task)) return decideEnded(service, slot, task, around, mayReplace);
  const isMisplaced = mode.kind === 'replicated' && task.nodeId !== '' && !mayKeepTasks(around.node(task.nodeId));
  if (isMisplaced) return { steps: [move(service, slot, task, around)] };
  return task.desiredState < TaskState.RUNNING ? decideStart(task, slot, around) : NOTHING;
}

function decideEnded(
  service: Service,
  slot: Slot,
  task: Task,
  around: Surroundings,
  mayReplace: boolean,
): SlotDecision {
  // A replacement that fails before it was to start must not shorten the delay it was given, nor pile up beside what still stops.
  const isEarly = task.desiredState < TaskState.RUNNING && (task.startAfter || isAnyStopping(slot, around));
  const dueMs = isEarly ? startDueMs(task, slot, around) : 0;
  if (around.nowMs < dueMs) return { steps: [], wakeAtMs: dueMs };
  if (!mayReplace) return { steps: [stop(task)] };
  if (stateOf(task) === TaskState.ORPHANED) return { steps: [move(service, slot, task, around)] };
  if (!mayRestart(task, slot.tasks)) return { steps: [stop(task)] };
  const delayMs = restartDelayMs(task, {
    maxDelayMs: serviceOptions(service.spec?.annotations?.labels).restartMaxDelayMs,
    ranMs: endedByItself(task) ? around.ranMs(task.id) : undefined,
    random: around.random,
  });
  return { steps: [replace(service, slot, task, around.nowMs + delayMs, around)] };
}

/** Gives a task another place at once: it did not fail, its node did. A delay it was still waiting for goes on. */
function move(service: Service, slot: Slot, task: Task, around: Surroundings): Step {
  if (!mayMove(task)) return stop(task);
  const isDelayed = task.desiredState < TaskState.RUNNING && task.startAfter && !isFromTheFuture(task, around.nowMs);
  const pending = isDelayed ? startAfterMs(task) : around.nowMs;
  return replace(service, slot, task, Math.max(around.nowMs, pending), around);
}

function replace(service: Service, slot: Slot, task: Task, startAfter: number, around: Surroundings): Step {
  const wish: TaskWish = {
    id: around.newId(),
    slot: slot.number,
    nodeId: slot.nodeId,
    desiredState: TaskState.READY,
    jobIteration: iterationOf(service),
    startAfterMs: startAfter,
  };
  return { kind: 'replace', serviceId: service.id, oldIds: [task.id], wish };
}

/** A prepared task starts when it is due. */
function decideStart(task: Task, slot: Slot, around: Surroundings): SlotDecision {
  const dueMs = startDueMs(task, slot, around);
  if (around.nowMs < dueMs) return { steps: [], wakeAtMs: dueMs };
  return { steps: [{ kind: 'desire', taskId: task.id, desiredState: goalOf(task.jobIteration) }] };
}

/** When the delay of a replacement is over and what it replaces has stopped, cannot tell any more, or took too long. */
function startDueMs(task: Task, slot: Slot, around: Surroundings): number {
  if (isAnyStopping(slot, around)) return Math.max(startAfterMs(task), createdMs(task) + OLD_TASK_TIMEOUT_MS);
  return isFromTheFuture(task, around.nowMs) ? around.nowMs : startAfterMs(task);
}

function isAnyStopping(slot: Slot, around: Surroundings): boolean {
  return slot.tasks.some(
    (task) => !isWanted(task) && !hasEnded(task) && task.nodeId !== '' && !isLost(around.node(task.nodeId)),
  );
}

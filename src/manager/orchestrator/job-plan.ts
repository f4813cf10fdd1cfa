/**
 * What a job needs: its slots go the way of all slots (`slot-decision.ts`), with two rules of their own. A slot that has
 * completed is done for this iteration, and tasks of earlier iterations have to go.
 */
import type { Node, Service, Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeStatus_State, TaskState } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { hasCompleted, iterationOf } from './job.ts';
import { isLost } from './node-fitness.ts';
import type { JobMode, ServiceMode } from './service-mode.ts';
import { decideSlot, fill, stop, type Surroundings } from './slot-decision.ts';
import { isHeld, isLive, slotsOf, type Slot } from './slots.ts';
import type { Step } from './step.ts';
import { hasEnded, isWanted, stateOf } from './task-life.ts';

export interface JobPlan {
  readonly steps: readonly Step[];
  /** When to look at a slot again, by slot key. */
  readonly slotWakes: ReadonlyMap<string, number>;
}

export interface JobInput {
  /** All stored tasks of the job, of any iteration. */
  readonly tasks: readonly Task[];
  readonly nodes: () => readonly Node[];
  readonly around: Surroundings;
}

/** Every task is looked at once; slots are only made of what has not completed, which is little of a long job. */
export function planJob(service: Service, job: JobMode, { tasks, nodes, around }: JobInput): JobPlan {
  const isGlobal = job.kind === 'globalJob';
  const iteration = iterationOf(service);
  const steps: Step[] = [];
  const done = new Set<number | string>();
  const open: Task[] = [];
  for (const task of tasks) {
    if (isGlobal && !around.node(task.nodeId)) steps.push({ kind: 'delete', taskId: task.id });
    else if ((task.jobIteration?.index ?? 0) !== iteration) {
      // Docker keeps no history of global jobs.
      if (isGlobal ? task.desiredState < TaskState.REMOVE : isWanted(task))
        steps.push(isGlobal || !hasEnded(task) ? remove(task) : stop(task));
    } else if (hasCompleted(task)) done.add(isGlobal ? task.nodeId : task.slot);
    else open.push(task);
  }
  const slots = [...slotsOf(open, isGlobal).values()];
  if (isGlobal) slots.push(...emptyPlaces(service, slots, nodes()));
  const slotWakes = new Map<string, number>();
  const mode: ServiceMode = isGlobal ? { kind: 'global' } : { kind: 'replicated', replicas: job.totalCompletions };
  for (const slot of slots.sort(byPlace)) {
    const isSurplus = !isGlobal && slot.number >= job.totalCompletions;
    if (isSurplus || done.has(isGlobal ? slot.nodeId : slot.number)) {
      steps.push(...slot.tasks.filter(isWanted).map(isSurplus ? remove : stop));
      continue;
    }
    const decision = decideSlot(service, mode, slot, around, mayFill(slot, around));
    steps.push(...decision.steps);
    if (decision.wakeAtMs !== undefined) slotWakes.set(slot.key, decision.wakeAtMs);
  }
  if (!isGlobal) {
    for (const number of slotsToFill(service, job, slots, done, around)) {
      steps.push(fill(service, { number, nodeId: '' }, around));
    }
  }
  return { steps, slotWakes };
}

const remove = (task: Task): Step => ({ kind: 'desire', taskId: task.id, desiredState: TaskState.REMOVE });

const byPlace = (a: Slot, b: Slot): number => a.number - b.number || (a.nodeId < b.nodeId ? -1 : 1);

/** Slots of a global job on nodes where it has no task. */
function emptyPlaces(service: Service, slots: readonly Slot[], nodes: readonly Node[]): readonly Slot[] {
  const known = new Set(slots.map((slot) => slot.nodeId));
  return nodes
    .filter(({ id }) => !known.has(id))
    .map(({ id }) => ({ key: `${service.id}\0${id}`, number: 0, nodeId: id, tasks: [] }));
}

/** Only a node that answers gets work that is to end, and only when nothing of this slot still runs there. */
const mayFill = (slot: Slot, around: Surroundings): boolean =>
  around.node(slot.nodeId)?.status?.state === NodeStatus_State.READY && !isStopping(slot, around);

/** A task that was asked to stop may still complete; as long as its node can tell, its slot waits for that. */
const isStopping = (slot: Slot, around: Surroundings): boolean =>
  slot.tasks.some(
    (task) =>
      !isWanted(task) && !hasEnded(task) && stateOf(task) >= TaskState.ASSIGNED && !isLost(around.node(task.nodeId)),
  );

/** The lowest free slots, as many as may be active beside those that are. */
function slotsToFill(
  service: Service,
  { maxConcurrent, totalCompletions }: Extract<JobMode, { kind: 'replicatedJob' }>,
  slots: readonly Slot[],
  done: ReadonlySet<number | string>,
  around: Surroundings,
): readonly number[] {
  const taken = new Set<number>();
  let active = 0;
  for (const slot of slots) {
    if (isLive(slot)) active++;
    if (isLive(slot) || isHeld(slot, service) || isStopping(slot, around)) taken.add(slot.number);
  }
  const free: number[] = [];
  for (let number = 0; number < totalCompletions && active + free.length < maxConcurrent; number++) {
    if (!taken.has(number) && !done.has(number)) free.push(number);
  }
  return free;
}

/**
 * What a job needs: its slots go the way of all slots (`slot-decision.ts`), with two rules of their own. A slot that has
 * completed is done for this iteration, and tasks of earlier iterations have to go.
 */
import type { Node, Service, Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeStatus_State, TaskState } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { hasCompleted, isOfPresentIteration } from './job.ts';
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

export function planJob(service: Service, job: JobMode, { tasks, nodes, around }: JobInput): JobPlan {
  const present: Task[] = [];
  const steps: Step[] = [];
  const isGlobal = job.kind === 'globalJob';
  for (const task of tasks) {
    if (isGlobal && !around.node(task.nodeId)) steps.push({ kind: 'delete', taskId: task.id });
    else if (isOfPresentIteration(service, task)) present.push(task);
    else if (isWanted(task)) steps.push(hasEnded(task) ? stop(task) : remove(task));
  }
  const slots = slotsOf(present, isGlobal);
  const slotWakes = new Map<string, number>();
  const mode: ServiceMode = isGlobal ? { kind: 'global' } : { kind: 'replicated', replicas: job.totalCompletions };
  const all = isGlobal ? withEmptyPlaces(service, slots, nodes()) : [...slots.values()];
  for (const slot of all.sort(byPlace)) {
    const isSurplus = !isGlobal && slot.number >= job.totalCompletions;
    if (isSurplus || slot.tasks.some(hasCompleted)) {
      steps.push(...slot.tasks.filter(isWanted).map(isSurplus ? remove : stop));
      continue;
    }
    const decision = decideSlot(service, mode, slot, around, mayFill(slot, around));
    steps.push(...decision.steps);
    if (decision.wakeAtMs !== undefined) slotWakes.set(slot.key, decision.wakeAtMs);
  }
  if (!isGlobal) {
    for (const number of slotsToFill(service, job, slots, around)) {
      steps.push(fill(service, { number, nodeId: '' }, around));
    }
  }
  return { steps, slotWakes };
}

const remove = (task: Task): Step => ({ kind: 'desire', taskId: task.id, desiredState: TaskState.REMOVE });

const byPlace = (a: Slot, b: Slot): number => a.number - b.number || (a.nodeId < b.nodeId ? -1 : 1);

/** The slots of a global job: those that have tasks, and one on each further node. */
function withEmptyPlaces(service: Service, slots: ReadonlyMap<string, Slot>, nodes: readonly Node[]): Slot[] {
  const all = [...slots.values()];
  const known = new Set(all.map((slot) => slot.nodeId));
  for (const { id } of nodes)
    if (!known.has(id)) all.push({ key: `${service.id}\0${id}`, number: 0, nodeId: id, tasks: [] });
  return all;
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
  slots: ReadonlyMap<string, Slot>,
  around: Surroundings,
): readonly number[] {
  const taken = new Set<number>();
  let active = 0;
  for (const slot of slots.values()) {
    if (isLive(slot)) active++;
    const isTaken = isLive(slot) || slot.tasks.some(hasCompleted) || isHeld(slot, service) || isStopping(slot, around);
    if (isTaken) taken.add(slot.number);
  }
  const free: number[] = [];
  for (let number = 0; number < totalCompletions && active + free.length < maxConcurrent; number++) {
    if (!taken.has(number)) free.push(number);
  }
  return free;
}

/** Brings together what a service needs: its scale, its update, and its slots. Decides only; nothing is written here. */
import type { Service } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import {
  TaskState,
  UpdateConfig_FailureAction as FailureAction,
  UpdateStatus_UpdateState as UpdateState,
} from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { isTaskDirty } from '../placement/task-dirty.ts';
import { slotKey } from '../store/objects.ts';
import type { Reader } from '../store/transaction.ts';
import { planJob } from './job-plan.ts';
import { decideScale } from './replicated-scale.ts';
import { isJob, modeOf, type ServiceMode } from './service-mode.ts';
import { decideSlot, fill, type Surroundings } from './slot-decision.ts';
import { isHeld, placeOf, slotsOf, type Slot } from './slots.ts';
import type { Step } from './step.ts';
import { isWanted, specVersionOf } from './task-life.ts';
import { UpdateRun, slotIsDirty, type UpdateAdvance, type UpdateOutcome, type UpdateView } from './update-run.ts';
import { isRollback, updateSettings } from './update-settings.ts';

/** A slot to look at. */
export interface SlotMark {
  readonly key: string;
  /** Node of the slot in global modes, for slots that hold no task yet. */
  readonly nodeId: string;
  /** Its node changed: an empty slot of a global service is filled and an outdated task brought up to date. */
  readonly nodeChanged: boolean;
}

/** What to look at in one service. */
export interface ServiceMarks {
  /** Everything: its scale, its update, all slots. */
  readonly whole: boolean;
  readonly slots: readonly SlotMark[];
}

export interface ServicePlan {
  readonly steps: readonly Step[];
  /** When to look at a slot again, by slot key. */
  readonly slotWakes: ReadonlyMap<string, number>;
  /** When to look at the update again. */
  readonly updateWakeMs?: number;
  /** The update under way, to be kept for the next round. */
  readonly run: UpdateRun | undefined;
  /** How many slots were looked at: what the plan cost. */
  readonly slotCount: number;
}

export interface PlanInput {
  readonly serviceId: string;
  readonly marks: ServiceMarks;
  readonly run: UpdateRun | undefined;
  readonly reader: Reader;
  readonly around: Surroundings;
}

const NO_WAKES: ReadonlyMap<string, number> = new Map();
const NO_SLOTS: ReadonlyMap<string, Slot> = new Map();

export function planService(input: PlanInput): ServicePlan {
  const { reader, serviceId, marks } = input;
  const service = reader.service.get(serviceId);
  if (!service) {
    const steps = removeTasks(reader, serviceId);
    return { steps, slotWakes: NO_WAKES, run: undefined, slotCount: steps.length };
  }
  const mode = modeOf(service);
  if (isJob(mode)) {
    const tasks = reader.task.by('service', serviceId);
    const plan = planJob(service, mode, { tasks, nodes: () => reader.node.all(), around: input.around });
    return { ...plan, run: undefined, slotCount: Math.max(tasks.length, plan.steps.length) };
  }
  return marks.whole
    ? planWhole(service, mode, input)
    : planMarked(service, mode, input, input.run, marks.slots, [], NO_SLOTS);
}

/** Tasks of a service that is gone are stopped; the reaper deletes them then. */
const removeTasks = (reader: Reader, serviceId: string): readonly Step[] =>
  reader.task
    .by('service', serviceId)
    .map((task) => ({ kind: 'desire', taskId: task.id, desiredState: TaskState.REMOVE }));

function planWhole(service: Service, mode: ServiceMode, input: PlanInput): ServicePlan {
  const { reader, around } = input;
  const slots = slotsOf(reader.task.by('service', service.id));
  const steps: Step[] = [];
  let kept: readonly Slot[];
  let marks: readonly SlotMark[];
  if (mode.kind === 'replicated') {
    const scale = decideScale(service, slots.values(), mode.replicas);
    kept = scale.keep;
    for (const number of scale.create) {
      const wish = { id: around.newId(), slot: number, nodeId: '', desiredState: TaskState.RUNNING };
      steps.push({ kind: 'create', serviceId: service.id, wish });
    }
    for (const { id } of scale.remove) steps.push({ kind: 'desire', taskId: id, desiredState: TaskState.REMOVE });
    marks = kept.map(({ key }) => ({ key, nodeId: '', nodeChanged: false }));
  } else {
    kept = [...slots.values()];
    const changed = new Set(input.marks.slots.map((mark) => mark.key));
    marks = globalMarks(service, reader, kept).map((mark) => ({ ...mark, nodeChanged: changed.has(mark.key) }));
  }
  const { run, status } = continueRun(service, mode, kept, input.run, around);
  steps.push(...status);
  return planMarked(service, mode, input, run, marks, steps, slots);
}

/** Slots of all nodes, and of nodes that are gone but left tasks. */
function globalMarks(service: Service, reader: Reader, slots: readonly Slot[]): readonly SlotMark[] {
  const nodeIds = new Set([...reader.node.all().map((node) => node.id), ...slots.map((slot) => slot.nodeId)]);
  return [...nodeIds].sort().map((nodeId) => globalMark(service.id, nodeId, false));
}

/** The slot of a global service on a node. */
export const globalMark = (serviceId: string, nodeId: string, nodeChanged: boolean): SlotMark => ({
  key: `${serviceId}\0${nodeId}`,
  nodeId,
  nodeChanged,
});

/** The update to go on with, if one is needed, and the status that says so. */
function continueRun(
  service: Service,
  mode: ServiceMode,
  kept: readonly Slot[],
  old: UpdateRun | undefined,
  around: Surroundings,
): { readonly run: UpdateRun | undefined; readonly status: readonly Step[] } {
  const state = service.updateStatus?.state;
  if (state === UpdateState.PAUSED || state === UpdateState.ROLLBACK_PAUSED) return { run: undefined, status: [] };
  const isOpen = state === UpdateState.UPDATING || state === UpdateState.ROLLBACK_STARTED;
  if (old && old.specVersion === specVersionOf(service) && old.isRollback === isRollback(service)) {
    old.recheck(service, mode, kept, around);
    return { run: old, status: [] };
  }
  if (!isOpen && !kept.some((slot) => slotIsDirty(service, mode, slot, around))) return { run: undefined, status: [] };
  const run = new UpdateRun(service, mode, kept, around);
  if (isOpen) return { run, status: [] };
  return { run, status: [statusStep(service, openState(service), openMessage(service))] };
}

/** Work that turns up after a finished rollback is still that rollback. */
const openState = (service: Service): UpdateState =>
  isRollback(service) ? UpdateState.ROLLBACK_STARTED : UpdateState.UPDATING;
const openMessage = (service: Service): string => (isRollback(service) ? 'rollback in progress' : 'update in progress');

const statusStep = (service: Service, state: UpdateState, message: string): Step => ({
  kind: 'updateStatus',
  serviceId: service.id,
  specVersion: specVersionOf(service),
  state,
  message,
});

function planMarked(
  service: Service,
  mode: ServiceMode,
  input: PlanInput,
  run: UpdateRun | undefined,
  marks: readonly SlotMark[],
  before: readonly Step[],
  known: ReadonlyMap<string, Slot>,
): ServicePlan {
  const { reader, around } = input;
  const steps: Step[] = [...before];
  const slotAt = (key: string): Slot | undefined => {
    const slot = known.get(key);
    if (slot) return slot;
    const tasks = reader.task.by('slot', key);
    return tasks[0] && { ...placeOf(tasks[0]), key, tasks };
  };
  if (run && mode.kind === 'global') {
    for (const { key, nodeChanged } of marks) {
      const slot = nodeChanged ? slotAt(key) : undefined;
      if (slot && slotIsDirty(service, mode, slot, around)) run.add(slot);
    }
  }
  const view: UpdateView = { service, mode, slot: slotAt, task: (id) => reader.task.get(id), around };
  const advance: UpdateAdvance = run ? advanceRun(run, view, reader) : { steps: [] };
  for (const step of advance.steps) steps.push(step);
  if (advance.outcome) {
    steps.push(...outcomeSteps(service, advance.outcome));
    // Paused or rolled back: the slots are looked at again when the new status has arrived.
    if (advance.outcome.kind === 'failed')
      return { steps, slotWakes: NO_WAKES, run: undefined, slotCount: marks.length };
  }
  const begun = slotsFilledBy(advance.steps);
  const slotWakes = new Map<string, number>();
  for (const mark of marks) {
    const slot = slotAt(mark.key) ?? emptySlot(mode, mark);
    if (!slot) continue;
    const mayFill = mark.nodeChanged || input.marks.whole;
    const decision = decideSlot(service, mode, slot, around, mayFill);
    // A slot that the update gives a task in this very round needs no second one.
    steps.push(...(begun.has(mark.key) ? decision.steps.filter((step) => !('wish' in step)) : decision.steps));
    if (decision.wakeAtMs !== undefined) slotWakes.set(mark.key, decision.wakeAtMs);
    if (mark.nodeChanged && !run && decision.steps.length === 0)
      steps.push(...bringUpToDate(service, mode, slot, around));
  }
  return {
    steps,
    slotWakes,
    run: advance.outcome ? undefined : run,
    slotCount: Math.max(marks.length, steps.length),
    ...(advance.wakeAtMs !== undefined && { updateWakeMs: advance.wakeAtMs }),
  };
}

/** Keys of the slots for which steps make a task. */
const slotsFilledBy = (steps: readonly Step[]): ReadonlySet<string> =>
  new Set(steps.flatMap((step) => ('wish' in step ? [slotKey({ ...step.wish, serviceId: step.serviceId })] : [])));

/** Advances, and makes sure that nothing became dirty unseen before the update is called complete. */
function advanceRun(run: UpdateRun, view: UpdateView, reader: Reader): UpdateAdvance {
  const advance = run.advance(view);
  if (advance.outcome?.kind !== 'completed') return advance;
  run.recheck(view.service, view.mode, slotsOf(reader.task.by('service', view.service.id)).values(), view.around);
  return run.isIdle ? advance : run.advance(view);
}

const emptySlot = (mode: ServiceMode, mark: SlotMark): Slot | undefined =>
  mode.kind === 'global' ? { key: mark.key, number: 0, nodeId: mark.nodeId, tasks: [] } : undefined;

/** A node of a global service came back with an outdated task: nothing is gained by waiting for a place in an update. */
function bringUpToDate(service: Service, mode: ServiceMode, slot: Slot, around: Surroundings): readonly Step[] {
  const state = service.updateStatus?.state;
  const isStopped = state === UpdateState.PAUSED || state === UpdateState.ROLLBACK_PAUSED;
  if (mode.kind !== 'global' || isStopped || !slotIsDirty(service, mode, slot, around)) return [];
  const outdated = slot.tasks.filter((task) => isWanted(task) && isTaskDirty(service, task, around.node(task.nodeId)));
  // Given up for good, but by the policy of a spec that no longer counts.
  if (outdated.length === 0) return isHeld(slot, service) ? [fill(service, slot, around)] : [];
  const wish = {
    id: around.newId(),
    slot: 0,
    nodeId: slot.nodeId,
    desiredState: TaskState.READY,
    startAfterMs: around.nowMs,
  };
  return [{ kind: 'replace', serviceId: service.id, oldIds: outdated.map((task) => task.id), wish }];
}

function outcomeSteps(service: Service, outcome: UpdateOutcome): readonly Step[] {
  const rollingBack = isRollback(service);
  if (outcome.kind === 'completed') {
    const isOpen = service.updateStatus?.completedAt === undefined;
    if (!isOpen) return [];
    return [
      rollingBack
        ? statusStep(service, UpdateState.ROLLBACK_COMPLETED, 'rollback completed')
        : statusStep(service, UpdateState.COMPLETED, 'update completed'),
    ];
  }
  const cause = outcome.wasStuck
    ? `because task ${outcome.taskId} made no progress within the progress deadline`
    : `due to failure or early termination of task ${outcome.taskId}`;
  const { failureAction } = updateSettings(service);
  if (rollingBack) {
    // Docker calls a paused rollback an update, unless it was to be rolled back itself.
    const what = failureAction === FailureAction.ROLLBACK ? 'rollback' : 'update';
    return [statusStep(service, UpdateState.ROLLBACK_PAUSED, `${what} paused ${cause}`)];
  }
  if (failureAction === FailureAction.ROLLBACK && service.previousSpec) {
    const message = `update rolled back ${cause}`;
    return [{ kind: 'rollback', serviceId: service.id, specVersion: specVersionOf(service), message }];
  }
  return [statusStep(service, UpdateState.PAUSED, `update paused ${cause}`)];
}

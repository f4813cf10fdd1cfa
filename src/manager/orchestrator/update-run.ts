/**
 * One rolling update (or rollback) under way: which slots wait, which are being worked on, which new tasks are still
 * watched. It holds no truth of its own: a new leader builds it again from the stored tasks.
 */
import { msOfTimestamp } from '../../common/time.ts';
import type { Service, Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import {
  TaskState,
  UpdateConfig_FailureAction as FailureAction,
} from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { isTaskDirty } from '../placement/task-dirty.ts';
import { globalPlace, type ServiceMode } from './service-mode.ts';
import type { Surroundings } from './slot-decision.ts';
import { failedUpdate, updatableTasks, type Slot } from './slots.ts';
import type { Step } from './step.ts';
import {
  byAge,
  createdMs,
  endedByItself,
  hasEnded,
  isRunning,
  isWanted,
  newestOf,
  specVersionOf,
  statusTimeMs,
} from './task-life.ts';
import { isRollback, updateSettings, type UpdateSettings } from './update-settings.ts';

/** What a run looks at: the service as it is now and its slots as stored. */
export interface UpdateView {
  readonly service: Service;
  readonly mode: ServiceMode;
  readonly slot: (key: string) => Slot | undefined;
  readonly task: (id: string) => Task | undefined;
  readonly around: Surroundings;
}

export type UpdateOutcome =
  | { readonly kind: 'completed' }
  /** Too many failures: `taskId` is the last straw. */
  | { readonly kind: 'failed'; readonly taskId: string; readonly wasStuck: boolean };

export interface UpdateAdvance {
  readonly steps: readonly Step[];
  readonly wakeAtMs?: number;
  readonly outcome?: UpdateOutcome;
}

interface WorkOnSlot {
  readonly taskId: string;
  readonly sinceMs: number;
}

/** Whether an update has something to do in a slot. */
export function slotIsDirty(service: Service, mode: ServiceMode, slot: Slot, around: Surroundings): boolean {
  if (mode.kind === 'global' && globalPlace(service, around.node(slot.nodeId)) !== 'wanted') return false;
  const isDirty = updatableTasks(slot, service).some((task) => isTaskDirty(service, task, around.node(task.nodeId)));
  return isDirty && failedUpdate(slot, service) === undefined;
}

export class UpdateRun {
  readonly specVersion: number;
  readonly isRollback: boolean;
  readonly #settings: UpdateSettings;
  /** Slots still to be done, in order. */
  #waiting = new Set<string>();
  readonly #inWork = new Map<string, WorkOnSlot>();
  /** Times at which workers that rest between two slots go on. */
  #resting: number[] = [];
  /** New tasks that ran, by id, with the time they began to. */
  readonly #watched = new Map<string, number>();
  readonly #failed = new Set<string>();
  /** Slots this run has to do with, for the failure ratio. */
  #total: number;
  #lastDoneMs: number | undefined;

  /** Starts, or takes up again, the update of a service; `slots` are those that keep their place. */
  constructor(service: Service, mode: ServiceMode, slots: Iterable<Slot>, around: Surroundings) {
    this.specVersion = specVersionOf(service);
    this.isRollback = isRollback(service);
    this.#settings = updateSettings(service);
    const started = service.updateStatus?.startedAt;
    const startedMs = started && !service.updateStatus?.completedAt ? msOfTimestamp(started) : Infinity;
    const all = [...slots];
    this.#enqueue(service, mode, all, around);
    this.#total = this.#waiting.size + this.#inWork.size;
    for (const slot of all) {
      if (this.#waiting.has(slot.key) || this.#inWork.has(slot.key)) continue;
      if (this.#resume(service, slot, startedMs, around)) this.#total++;
    }
  }

  /** Nothing waits and nothing is in work: only watching is left. */
  get isIdle(): boolean {
    return this.#waiting.size === 0 && this.#inWork.size === 0;
  }

  /** Takes in slots that became dirty after the start. */
  recheck(service: Service, mode: ServiceMode, slots: Iterable<Slot>, around: Surroundings): void {
    const known = this.#waiting.size + this.#inWork.size;
    this.#enqueue(service, mode, [...slots], around);
    this.#total += Math.max(0, this.#waiting.size + this.#inWork.size - known);
  }

  /** One round: sees what became of the work, watches, and hands out more. */
  advance(view: UpdateView): UpdateAdvance {
    const steps: Step[] = [];
    const wakes: number[] = [];
    const failure = this.#reviewWork(view, steps, wakes) ?? this.#reviewWatched(view);
    if (failure) return { steps, outcome: failure };
    this.#handOut(view, steps, wakes);
    if (this.isIdle) {
      const doneMs = this.#lastDoneMs === undefined ? -Infinity : this.#lastDoneMs + this.#settings.monitorMs;
      if (view.around.nowMs >= doneMs) return { steps, outcome: { kind: 'completed' } };
      wakes.push(doneMs);
    }
    return { steps, ...(wakes.length > 0 && { wakeAtMs: earliest(wakes) }) };
  }

  /** Takes in one slot that became dirty. */
  add(slot: Slot): void {
    if (this.#inWork.has(slot.key) || this.#waiting.has(slot.key)) return;
    this.#waiting.add(slot.key);
    this.#total++;
  }

  /**
   * A slot whose new task is on its way is in work, however many there are; one that has only to shed what is outdated comes first, then
   * those out of service (working on them costs nothing), then in order.
   */
  #enqueue(service: Service, mode: ServiceMode, slots: readonly Slot[], around: Surroundings): void {
    const waiting: { readonly slot: Slot; readonly rank: number }[] = [];
    for (const slot of slots) {
      if (this.#inWork.has(slot.key) || !slotIsDirty(service, mode, slot, around)) continue;
      const wanted = slot.tasks.filter(isWanted);
      const fresh = wanted.find((task) => !isTaskDirty(service, task, around.node(task.nodeId)));
      if (fresh && !isRunning(fresh)) this.#inWork.set(slot.key, { taskId: fresh.id, sinceMs: createdMs(fresh) });
      else waiting.push({ slot, rank: fresh ? 0 : wanted.some(isRunning) ? 2 : 1 });
    }
    waiting.sort(
      (a, b) => a.rank - b.rank || a.slot.number - b.slot.number || (a.slot.nodeId < b.slot.nodeId ? -1 : 1),
    );
    this.#waiting = new Set(waiting.map(({ slot }) => slot.key));
  }

  /** Recognises what an earlier leader (or the run before a change of plan) had begun in a slot; false when it had not touched it. */
  #resume(service: Service, slot: Slot, startedMs: number, around: Surroundings): boolean {
    const { nowMs } = around;
    const isOld = (task: Task): boolean => isTaskDirty(service, task, around.node(task.nodeId));
    // Tasks of the same spec from before the last change, to which a rollback returned, are not of this update. The history of a slot is
    // short: what was replaced may be gone from it.
    const lastOld = newestOf(slot.tasks.filter(isOld));
    const isFresh = (task: Task): boolean => (lastOld ? byAge(lastOld, task) < 0 : createdMs(task) >= startedMs);
    const fresh = slot.tasks.filter((task) => !isOld(task) && isFresh(task));
    const [first] = fresh.sort(byAge);
    const current = fresh.find(isWanted);
    if (!first || !current) return false;
    const before = newestOf(slot.tasks.filter((task) => byAge(task, first) < 0));
    if (!lastOld && before && endedByItself(before)) return false;
    if (!isRunning(current) && !hasEnded(current) && !endedByItself(first))
      this.#inWork.set(slot.key, { taskId: current.id, sinceMs: createdMs(current) });
    if (createdMs(first) < startedMs) return true;
    if (endedByItself(first)) {
      if (statusTimeMs(first) - createdMs(first) <= this.#settings.monitorMs) this.#failed.add(first.id);
    } else if (isRunning(first) && nowMs - statusTimeMs(first) <= this.#settings.monitorMs) {
      this.#watched.set(first.id, statusTimeMs(first));
      this.#lastDoneMs = Math.max(this.#lastDoneMs ?? 0, statusTimeMs(first));
    }
    return true;
  }

  #reviewWork(view: UpdateView, steps: Step[], wakes: number[]): UpdateOutcome | undefined {
    const { nowMs } = view.around;
    for (const [key, work] of this.#inWork) {
      const task = view.task(work.taskId);
      if (task && isRunning(task)) {
        this.#watched.set(task.id, nowMs);
        this.#done(key, nowMs);
      } else if (task && endedByItself(task)) {
        this.#done(key, nowMs);
        const failure = this.#fail(task.id, false);
        if (failure) return failure;
      } else if (task && isWanted(task)) {
        const deadline = this.#settings.progressDeadlineMs;
        if (deadline === undefined) continue;
        if (nowMs < work.sinceMs + deadline) {
          wakes.push(work.sinceMs + deadline);
          continue;
        }
        this.#done(key, nowMs);
        const failure = this.#fail(task.id, true);
        if (!failure) continue;
        // The slot falls back to its old task, if that is still there.
        if (view.slot(key)?.tasks.some((other) => isWanted(other) && other.id !== task.id))
          steps.push({ kind: 'desire', taskId: task.id, desiredState: TaskState.SHUTDOWN });
        return failure;
      } else this.#follow(view, key, work);
    }
    return undefined;
  }

  /** The new task had to move, or was never made: goes on with what is in the slot now. */
  #follow(view: UpdateView, key: string, work: WorkOnSlot): void {
    const slot = view.slot(key);
    const successor = slot?.tasks.find(
      (task) => isWanted(task) && !isTaskDirty(view.service, task, view.around.node(task.nodeId)),
    );
    if (successor) this.#inWork.set(key, { taskId: successor.id, sinceMs: work.sinceMs });
    else {
      this.#inWork.delete(key);
      if (slot && slotIsDirty(view.service, view.mode, slot, view.around))
        this.#waiting = new Set([key, ...this.#waiting]);
    }
  }

  /** Failures come as events, and the end of the watch is the end of the run: nothing here needs a wake-up. */
  #reviewWatched(view: UpdateView): UpdateOutcome | undefined {
    const { nowMs } = view.around;
    for (const [id, ranMs] of this.#watched) {
      const task = view.task(id);
      const isOver = nowMs - ranMs > this.#settings.monitorMs;
      if (task && endedByItself(task)) {
        this.#watched.delete(id);
        const failure = isOver ? undefined : this.#fail(id, false);
        if (failure) return failure;
      } else if (isOver || !task || !isWanted(task)) this.#watched.delete(id);
    }
    return undefined;
  }

  #fail(taskId: string, wasStuck: boolean): UpdateOutcome | undefined {
    if (this.#failed.has(taskId)) return undefined;
    this.#failed.add(taskId);
    if (this.#settings.failureAction === FailureAction.CONTINUE) return undefined;
    // The ratio is stored in single precision; comparing in it keeps 7 of 10 from exceeding 0.7.
    const ratio = Math.fround(this.#failed.size / Math.max(1, this.#total));
    const isTooMany = ratio > Math.fround(this.#settings.maxFailureRatio);
    return isTooMany ? { kind: 'failed', taskId, wasStuck } : undefined;
  }

  #done(key: string, nowMs: number): void {
    this.#inWork.delete(key);
    this.#lastDoneMs = nowMs;
    if (this.#settings.delayMs > 0) this.#resting.push(nowMs + this.#settings.delayMs);
  }

  #handOut(view: UpdateView, steps: Step[], wakes: number[]): void {
    const { nowMs } = view.around;
    this.#resting = this.#resting.filter((until) => until > nowMs);
    for (const key of this.#waiting) {
      if (this.#inWork.size + this.#resting.length >= this.#settings.parallelism) break;
      this.#waiting.delete(key);
      const slot = view.slot(key);
      if (slot && slotIsDirty(view.service, view.mode, slot, view.around)) steps.push(...this.#begin(view, slot));
    }
    if (this.#waiting.size > 0 && this.#resting.length > 0) wakes.push(earliest(this.#resting));
  }

  #begin(view: UpdateView, slot: Slot): readonly Step[] {
    const { service, around } = view;
    const wanted = slot.tasks.filter(isWanted);
    const fresh = wanted.find((task) => !isTaskDirty(service, task, around.node(task.nodeId)));
    if (fresh) {
      // A start-first step is under way already, or the slot only has to shed what is outdated.
      if (!isRunning(fresh)) this.#inWork.set(slot.key, { taskId: fresh.id, sinceMs: around.nowMs });
      return [];
    }
    const id = around.newId();
    this.#inWork.set(slot.key, { taskId: id, sinceMs: around.nowMs });
    const wish = { id, slot: slot.number, nodeId: slot.nodeId };
    if (this.#settings.startFirst || wanted.length === 0)
      return [{ kind: 'create', serviceId: service.id, wish: { ...wish, desiredState: TaskState.RUNNING } }];
    return [
      {
        kind: 'replace',
        serviceId: service.id,
        oldIds: wanted.map((task) => task.id),
        wish: { ...wish, desiredState: TaskState.READY, startAfterMs: around.nowMs },
        isUpdate: true,
      },
    ];
  }
}

const earliest = (times: readonly number[]): number => times.reduce((first, time) => Math.min(first, time), Infinity);

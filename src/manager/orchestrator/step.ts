/**
 * The steps the orchestrator takes. Each is atomic, is checked again against the newest state inside its transaction,
 * and does nothing when somebody else was faster, so it is safe to repeat.
 */
import { timestampOfMs } from '../../common/time.ts';
import type { Service, Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import {
  TaskState,
  UpdateStatus_UpdateState as UpdateState,
  type UpdateStatus,
} from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { isTaskDirty } from '../placement/task-dirty.ts';
import { slotKey } from '../store/objects.ts';
import type { Writer } from '../store/transaction.ts';
import { hasCompleted, isOfPresentIteration, iterationOf } from './job.ts';
import { newTask } from './new-task.ts';
import { namesSlotsByNode } from './service-mode.ts';
import { isWanted, specVersionOf } from './task-life.ts';

/** A task that shall be made. */
export interface TaskWish {
  readonly id: string;
  /** Slot number; 0 in global modes. */
  readonly slot: number;
  /** Node of the slot in global modes, else empty. */
  readonly nodeId: string;
  readonly desiredState: TaskState;
  /** The iteration it is made for, in jobs; it is not made for any other. */
  readonly jobIteration?: number | undefined;
  /** For READY: earliest time to run, in ms. */
  readonly startAfterMs?: number;
}

export type Step =
  | { readonly kind: 'create'; readonly serviceId: string; readonly wish: TaskWish }
  /** The old tasks are asked to stop and the new one is made, in one transaction. */
  | {
      readonly kind: 'replace';
      readonly serviceId: string;
      readonly oldIds: readonly string[];
      readonly wish: TaskWish;
      /** Only if one of the old tasks still is not as the service asks for: it may have been told of new ports in the meantime. */
      readonly isUpdate?: true;
    }
  /** Raises the desired state; never lowers it. */
  | { readonly kind: 'desire'; readonly taskId: string; readonly desiredState: TaskState }
  | { readonly kind: 'delete'; readonly taskId: string }
  | {
      readonly kind: 'updateStatus';
      readonly serviceId: string;
      readonly specVersion: number;
      readonly state: UpdateState;
      readonly message: string;
    }
  | { readonly kind: 'rollback'; readonly serviceId: string; readonly specVersion: number; readonly message: string };

/** Takes a step inside a transaction; returns whether it changed anything. */
export function applyStep(tx: Writer, step: Step, nowMs: number): boolean {
  switch (step.kind) {
    case 'create':
      return create(tx, step.serviceId, step.wish, nowMs);
    case 'replace':
      return replace(tx, step, nowMs);
    case 'desire':
      return desire(tx, step.taskId, step.desiredState);
    case 'delete': {
      const exists = tx.task.get(step.taskId) !== undefined;
      if (exists) tx.task.delete(step.taskId);
      return exists;
    }
    case 'updateStatus':
      return changeService(tx, step, (service) => ({
        ...service,
        updateStatus: nextStatus(service.updateStatus, step.state, step.message, nowMs),
      }));
    case 'rollback':
      return changeService(tx, step, (service) =>
        service.previousSpec
          ? {
              ...service,
              spec: service.previousSpec,
              specVersion: service.previousSpecVersion,
              previousSpec: undefined,
              previousSpecVersion: undefined,
              updateStatus: nextStatus(service.updateStatus, UpdateState.ROLLBACK_STARTED, step.message, nowMs),
            }
          : service,
      );
  }
}

function create(tx: Writer, serviceId: string, wish: TaskWish, nowMs: number): boolean {
  const service = tx.service.get(serviceId);
  if (!service || iterationOf(service) !== wish.jobIteration) return false;
  const place = slotKey({ serviceId, slot: wish.slot, nodeId: wish.nodeId }, namesSlotsByNode(service));
  if (tx.task.by('slot', place).some((task) => isTakenBy(service, task))) return false;
  tx.task.create(newTask(service, tx.cluster.byName('default'), wish, nowMs));
  return true;
}

/** A place in a job is taken for the whole iteration once its task has completed. */
const isTakenBy = (service: Service, task: Task): boolean =>
  iterationOf(service) === undefined
    ? isWanted(task) && specVersionOf(task) === specVersionOf(service)
    : isOfPresentIteration(service, task) && (isWanted(task) || hasCompleted(task));

function replace(tx: Writer, step: Extract<Step, { kind: 'replace' }>, nowMs: number): boolean {
  const service = tx.service.get(step.serviceId);
  const old = step.oldIds.map((id) => tx.task.get(id)).filter((task): task is Task => task !== undefined);
  if (!service || iterationOf(service) !== step.wish.jobIteration || !old.some(isWanted)) return false;
  const isOutdated = (task: Task): boolean => isTaskDirty(service, task, tx.node.get(task.nodeId));
  if (step.isUpdate && !old.some((task) => isWanted(task) && isOutdated(task))) return false;
  for (const task of old) desire(tx, task.id, TaskState.SHUTDOWN);
  tx.task.create(newTask(service, tx.cluster.byName('default'), step.wish, nowMs));
  return true;
}

function desire(tx: Writer, taskId: string, desiredState: TaskState): boolean {
  const task = tx.task.get(taskId);
  if (!task || task.desiredState >= desiredState) return false;
  tx.task.update({ ...task, desiredState });
  return true;
}

function changeService(
  tx: Writer,
  step: { readonly serviceId: string; readonly specVersion: number },
  change: (service: Service) => Service,
): boolean {
  const service = tx.service.get(step.serviceId);
  // A spec that changed meanwhile gets its own update; what was decided about the old one is void.
  if (!service || specVersionOf(service) !== step.specVersion) return false;
  const changed = change(service);
  if (changed === service) return false;
  tx.service.update(changed);
  return true;
}

/** Times: a status that starts or reopens work has a new start, one that ends it has an end. */
function nextStatus(old: UpdateStatus | undefined, state: UpdateState, message: string, nowMs: number): UpdateStatus {
  const now = timestampOfMs(nowMs);
  const isOpen = state === UpdateState.UPDATING || state === UpdateState.ROLLBACK_STARTED;
  const wasOpen = old !== undefined && old.completedAt === undefined;
  const isDone = state === UpdateState.COMPLETED || state === UpdateState.ROLLBACK_COMPLETED;
  return {
    state,
    message,
    startedAt: isOpen && !wasOpen ? now : (old?.startedAt ?? now),
    completedAt: isDone ? now : undefined,
  };
}

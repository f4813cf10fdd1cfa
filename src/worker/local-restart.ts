/**
 * Whether a task that ended while no manager can be reached is run again on the spot, by the restart policy of its
 * service. With a manager in reach this is never asked: then the manager decides and makes a new task.
 */
import { serviceOptions } from '../common/service-labels.ts';
import { msOfDuration } from '../common/time.ts';
import type { Task } from '../proto/generated/docker/swarmkit/v1/objects.ts';
import {
  RestartPolicy_RestartCondition as Condition,
  TaskState,
  type RestartPolicy,
} from '../proto/generated/docker/swarmkit/v1/types.ts';
import type { ExitStatus } from './drivers/driver.ts';
import { hasFailed } from './next-state.ts';

/** Restarts of one task made without a manager. */
export interface RestartHistory {
  readonly count: number;
  /** Wall-clock times in ms of the restarts that can still matter, oldest first. */
  readonly timesMs: readonly number[];
}

export const NO_RESTARTS: RestartHistory = { count: 0, timesMs: [] };

const DEFAULT_DELAY_MS = 5000;
/** Times kept when the policy has no window: enough for the back-off to grow to any cap. */
const KEPT_TIMES = 32;

export interface EndedTask {
  readonly task: Task;
  readonly exit: ExitStatus;
  readonly history: RestartHistory;
  /** Wall clock, ms. */
  readonly nowMs: number;
}

/** How long to wait before running the task again, in ms; undefined to leave it ended. */
export function localRestartDelayMs({ task, exit, history, nowMs }: EndedTask): number | undefined {
  const policy = task.spec?.restart;
  if (task.desiredState > TaskState.COMPLETE) return undefined;
  if (!allows(policy, task.desiredState, exit)) return undefined;
  if (isExhausted(policy, history, nowMs)) return undefined;
  return delayMs(task, policy, history, nowMs);
}

/** The history with one more restart at `nowMs`. */
export function withRestart(history: RestartHistory, policy: RestartPolicy | undefined, nowMs: number): RestartHistory {
  const kept = windowMs(policy) > 0 ? recent(history, policy, nowMs) : history.timesMs.slice(1 - KEPT_TIMES);
  return { count: history.count + 1, timesMs: [...kept, nowMs] };
}

function allows(policy: RestartPolicy | undefined, desired: TaskState, exit: ExitStatus): boolean {
  // A job that finished is done, whatever its policy says.
  if (desired === TaskState.COMPLETE && !hasFailed(exit)) return false;
  const condition = policy?.condition ?? Condition.ANY;
  if (condition === Condition.NONE) return false;
  return condition === Condition.ANY || hasFailed(exit);
}

function isExhausted(policy: RestartPolicy | undefined, history: RestartHistory, nowMs: number): boolean {
  const limit = policy?.maxAttempts ?? 0;
  if (limit === 0) return false;
  return (windowMs(policy) > 0 ? recent(history, policy, nowMs).length : history.count) >= limit;
}

function delayMs(task: Task, policy: RestartPolicy | undefined, history: RestartHistory, nowMs: number): number {
  const base = policy?.delay ? Math.max(0, msOfDuration(policy.delay)) : DEFAULT_DELAY_MS;
  const cap = serviceOptions(task.serviceAnnotations?.labels).restartMaxDelayMs;
  if (cap === undefined || cap <= base) return base;
  const quick = history.timesMs.filter((time) => nowMs - time < 2 * cap).length;
  return Math.min(cap, Math.max(base, 1) * 2 ** quick);
}

const windowMs = (policy: RestartPolicy | undefined): number => (policy?.window ? msOfDuration(policy.window) : 0);

/** Times inside the window. Those in the future (the clock was set back) are forgotten rather than held against the task. */
const recent = (history: RestartHistory, policy: RestartPolicy | undefined, nowMs: number): readonly number[] =>
  history.timesMs.filter((time) => time <= nowMs && nowMs - time < windowMs(policy));

/** Restart policies: whether an ended task is replaced, and how long its replacement waits. */
import type { Random } from '../../common/random.ts';
import { msOfDuration, msOfTimestamp } from '../../common/time.ts';
import type { Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import {
  RestartPolicy_RestartCondition as Condition,
  TaskState,
} from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { byAge, createdMs, endedByItself, specVersionOf, stateOf, statusTimeMs } from './task-life.ts';

export interface RestartSettings {
  readonly condition: Condition;
  readonly delayMs: number;
  /** 0 = as often as it takes. */
  readonly maxAttempts: number;
  /** Only restarts younger than this count against the maximum; 0 = all count. */
  readonly windowMs: number;
}

const DEFAULT_DELAY_MS = 5000;
/** The smallest first step when delays grow and the policy's delay is zero. */
const MIN_GROWING_DELAY_MS = 100;
/** Spread added to growing delays, so that tasks that failed together do not come back together. */
const JITTER = 0.1;

/** The policy of a task with its defaults: any condition, 5 s, no limit, no window. */
export function restartSettings(task: Task): RestartSettings {
  const policy = task.spec?.restart;
  return {
    condition: policy?.condition ?? Condition.ANY,
    delayMs: policy?.delay ? msOfDuration(policy.delay) : DEFAULT_DELAY_MS,
    maxAttempts: policy?.maxAttempts ?? 0,
    windowMs: policy?.window ? msOfDuration(policy.window) : 0,
  };
}

/** Whether a task that must give up its place may be replaced at all; attempts are counted only for tasks that end by themselves. */
export function mayMove(task: Task): boolean {
  const { condition } = restartSettings(task);
  if (condition === Condition.NONE) return false;
  return condition === Condition.ANY || stateOf(task) !== TaskState.COMPLETE;
}

/** Whether the policy asks for a replacement of an ended task. `slotTasks` are all stored tasks of its slot. */
export function mayRestart(task: Task, slotTasks: readonly Task[]): boolean {
  if (!mayMove(task)) return false;
  const { maxAttempts, windowMs } = restartSettings(task);
  return maxAttempts === 0 || countRestarts(task, slotTasks, windowMs) < maxAttempts;
}

/**
 * Restarts of a slot up to and including `task`, read off the stored tasks: each older one of the same spec version that
 * ended by itself was followed by one. The reaper keeps as many tasks as this needs.
 */
export function countRestarts(task: Task, slotTasks: readonly Task[], windowMs: number): number {
  const version = specVersionOf(task);
  const since = windowMs > 0 ? statusTimeMs(task) - windowMs : -Infinity;
  return slotTasks.filter(
    (older) =>
      endedByItself(older) && specVersionOf(older) === version && byAge(older, task) < 0 && statusTimeMs(older) > since,
  ).length;
}

/** How the delay grows; see {@link restartDelayMs}. */
export interface DelayGrowth {
  /** Longest delay in ms; undefined keeps the delay fixed. */
  readonly maxDelayMs: number | undefined;
  /** How long the ended task ran, if it is known. */
  readonly ranMs: number | undefined;
  readonly random: Random;
}

/**
 * Delay before the replacement of an ended task runs. With a maximum it doubles with every failure (plus up to 10 %)
 * and falls back to the policy's delay once a task ran for as long as the maximum.
 */
export function restartDelayMs(task: Task, growth: DelayGrowth): number {
  const { delayMs } = restartSettings(task);
  const { maxDelayMs, ranMs, random } = growth;
  if (maxDelayMs === undefined) return delayMs;
  const base = Math.max(delayMs, MIN_GROWING_DELAY_MS);
  const wasHealthy = ranMs !== undefined && ranMs >= maxDelayMs;
  const previous = task.startAfter ? msOfTimestamp(task.startAfter) - createdMs(task) : 0;
  const doublings = wasHealthy || previous <= 0 ? 0 : Math.max(0, Math.round(Math.log2(previous / base))) + 1;
  return Math.min(maxDelayMs, base * 2 ** doublings * (1 + JITTER * random()));
}

/** When a task wanted READY may be wanted RUNNING, leaving aside the task it replaces. */
export const startAfterMs = (task: Task): number =>
  task.startAfter ? msOfTimestamp(task.startAfter) : createdMs(task) + restartSettings(task).delayMs;

/** Clocks of managers may differ by this much, ms, without anybody noticing. */
const CLOCK_SKEW_MS = 1000;

/**
 * Whether a task was made by a manager whose clock is ahead, or before the clock was set back: how long ago that was
 * cannot be told, so delays reckoned from it count as over.
 */
export const isFromTheFuture = (task: Task, nowMs: number): boolean => createdMs(task) > nowMs + CLOCK_SKEW_MS;

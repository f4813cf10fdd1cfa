/**
 * The script of a scripted task: how long it runs, how it ends, which step fails. It is the task's environment (or the
 * labels of its container) with these names:
 * SCRIPT_RUN_MS ends it by itself after so long; SCRIPT_EXIT is the exit code then; SCRIPT_PREPARE_MS, SCRIPT_START_MS and
 * SCRIPT_STOP_MS make a step last; SCRIPT_FAIL_AT (prepare, start, stop, remove) makes a step fail for good, or, with
 * SCRIPT_FAIL_TIMES, so many times with a temporary error; SCRIPT_HEALTH=unhealthy never lets it get healthy;
 * SCRIPT_LOG is printed at the start, line by line.
 */
import type { Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';

export type FailingStep = 'prepare' | 'start' | 'stop' | 'remove';

export interface Script {
  readonly runMs: number | undefined;
  readonly exitCode: number;
  readonly stepMs: Readonly<Record<FailingStep, number>>;
  readonly failAt: string;
  /** Temporary failures before the step works; undefined for a failure for good. */
  readonly failTimes: number | undefined;
  readonly isHealthy: boolean;
  readonly log: readonly string[];
}

export function scriptOf(task: Task): Script {
  const spec = task.spec?.runtime?.$case === 'container' ? task.spec.runtime.value : undefined;
  const env = new Map(
    (spec?.env ?? []).map((line) => [line.split('=', 1)[0] ?? '', line.slice(line.indexOf('=') + 1)]),
  );
  const text = (name: string): string | undefined => env.get(name) ?? spec?.labels[name];
  const number = (name: string): number | undefined => {
    const value = text(name);
    return value === undefined ? undefined : Number(value);
  };
  return {
    runMs: number('SCRIPT_RUN_MS'),
    exitCode: number('SCRIPT_EXIT') ?? 0,
    stepMs: {
      prepare: number('SCRIPT_PREPARE_MS') ?? 0,
      start: number('SCRIPT_START_MS') ?? 0,
      stop: number('SCRIPT_STOP_MS') ?? 0,
      remove: 0,
    },
    failAt: text('SCRIPT_FAIL_AT') ?? '',
    failTimes: number('SCRIPT_FAIL_TIMES'),
    isHealthy: text('SCRIPT_HEALTH') !== 'unhealthy',
    log: (text('SCRIPT_LOG') ?? '').split('\n').filter((line) => line !== ''),
  };
}

/** Docker's health check: a command run again and again decides whether a task counts as started, and whether it has to go. */
import { sleep, type Clock } from '../common/clock.ts';
import { msOfDuration } from '../common/time.ts';
import type { HealthConfig } from '../proto/generated/docker/swarmkit/v1/types.ts';

export interface HealthPlan {
  /** Command and arguments. */
  readonly command: readonly string[];
  readonly intervalMs: number;
  /** A probe that takes longer has failed, in ms. */
  readonly timeoutMs: number;
  /** Failures in a row that make the task unhealthy. */
  readonly retries: number;
  /** Failures before the first success do not count for this long, in ms. */
  readonly startPeriodMs: number;
  /** Between probes during the start period, in ms. */
  readonly startIntervalMs: number;
}

export type Health = 'starting' | 'healthy' | 'unhealthy';

interface HealthState {
  readonly health: Health;
  readonly failuresInARow: number;
}

export const UNHEALTHY_REASON = 'unhealthy container';
const INITIAL_HEALTH: HealthState = { health: 'starting', failuresInARow: 0 };

const DEFAULT_INTERVAL_MS = 30_000;
const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_RETRIES = 3;
const DEFAULT_START_INTERVAL_MS = 5000;

/** The plan of a spec; undefined when there is nothing to check. */
export function healthPlanOf(config: HealthConfig | undefined): HealthPlan | undefined {
  const [kind, ...words] = config?.test ?? [];
  if (!config || kind === undefined || kind === 'NONE' || words.length === 0) return undefined;
  const command = kind === 'CMD-SHELL' ? ['/bin/sh', '-c', words.join(' ')] : kind === 'CMD' ? words : [kind, ...words];
  const ms = (duration: HealthConfig['interval'], fallback: number): number =>
    (duration ? msOfDuration(duration) : 0) || fallback;
  return {
    command,
    intervalMs: ms(config.interval, DEFAULT_INTERVAL_MS),
    timeoutMs: ms(config.timeout, DEFAULT_TIMEOUT_MS),
    retries: config.retries || DEFAULT_RETRIES,
    startPeriodMs: ms(config.startPeriod, 0),
    startIntervalMs: ms(config.startInterval, DEFAULT_START_INTERVAL_MS),
  };
}

/** What one probe changes, `sinceStartMs` after the task was started. */
function afterProbe(state: HealthState, hasSucceeded: boolean, sinceStartMs: number, plan: HealthPlan): HealthState {
  if (hasSucceeded) return { health: 'healthy', failuresInARow: 0 };
  if (state.health === 'starting' && sinceStartMs < plan.startPeriodMs) return state;
  const failuresInARow = state.failuresInARow + 1;
  return { health: failuresInARow >= plan.retries ? 'unhealthy' : state.health, failuresInARow };
}

export interface HealthWatchOptions {
  readonly plan: HealthPlan;
  readonly clock: Clock;
  /** Runs the command once; true for success. It has to end soon after the signal aborts. */
  readonly probe: (signal: AbortSignal) => Promise<boolean>;
  readonly onChange: (health: Health) => void;
}

/** Probes until the task is unhealthy or the signal aborts. Never rejects. */
export async function watchHealth(options: HealthWatchOptions, signal: AbortSignal): Promise<void> {
  const { plan, clock, probe, onChange } = options;
  const startedAt = clock.monotonic();
  let state = INITIAL_HEALTH;
  while (!signal.aborted && state.health !== 'unhealthy') {
    const isStarting = state.health === 'starting' && clock.monotonic() - startedAt < plan.startPeriodMs;
    const pauseMs = isStarting ? Math.min(plan.startIntervalMs, plan.intervalMs) : plan.intervalMs;
    try {
      await sleep(clock, pauseMs, signal);
    } catch {
      return;
    }
    const hasSucceeded = await probeWithin(plan.timeoutMs, clock, probe, signal);
    if (signal.aborted) return;
    const before = state.health;
    state = afterProbe(state, hasSucceeded, clock.monotonic() - startedAt, plan);
    if (state.health !== before) onChange(state.health);
  }
}

async function probeWithin(
  timeoutMs: number,
  clock: Clock,
  probe: (signal: AbortSignal) => Promise<boolean>,
  signal: AbortSignal,
): Promise<boolean> {
  const giveUp = new AbortController();
  const onAbort = (): void => giveUp.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  const cancelTimer = clock.setTimer(timeoutMs, onAbort);
  try {
    const hasSucceeded = await probe(giveUp.signal);
    return hasSucceeded && !giveUp.signal.aborted;
  } catch {
    return false;
  } finally {
    cancelTimer();
    signal.removeEventListener('abort', onAbort);
  }
}

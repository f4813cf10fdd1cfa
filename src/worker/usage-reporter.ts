/**
 * Tells the leader what the running tasks of this node use, for as long as it asks for that. Reports that fail are dropped:
 * the next one says more.
 */
import { sleep, type Clock } from '../common/clock.ts';
import { errorText } from '../common/errors.ts';
import type { Logger } from '../common/log.ts';
import { unary } from '../common/rpc-client.ts';
import { TaskState } from '../proto/generated/docker/swarmkit/v1/types.ts';
import type { TaskUsage, UsageClient } from '../proto/generated/docker/swarmkit/v1/usage.ts';
import type { ResourceUse } from './drivers/driver.ts';
import type { TaskPool } from './task-pool.ts';

const RPC_TIMEOUT_MS = 5_000;

export interface UsageReporterOptions {
  readonly pool: Pick<TaskPool, 'runners'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What a task had used by some moment of the monotonic clock. */
interface Sample {
  readonly atMs: number;
  readonly use: ResourceUse;
}

export class UsageReporter {
  readonly #options: UsageReporterOptions;
  #intervalMs: number | undefined;
  #stop: AbortController | undefined;

  constructor(options: UsageReporterOptions) {
    this.#options = options;
  }

  /** Follows what the leader wants: a report every `intervalMs`, or none. Ends with the session's signal too. */
  wish(intervalMs: number | undefined, client: UsageClient, session: AbortSignal): void {
    if (intervalMs === this.#intervalMs && !this.#stop?.signal.aborted) return;
    this.#stop?.abort();
    this.#intervalMs = intervalMs;
    this.#stop = undefined;
    if (intervalMs === undefined) return;
    const stop = new AbortController();
    session.addEventListener('abort', () => stop.abort(), { once: true, signal: stop.signal });
    if (session.aborted) return;
    this.#stop = stop;
    this.#report(intervalMs, client, stop.signal).catch((error: unknown) => {
      if (!stop.signal.aborted) this.#options.log.warn({ err: error }, 'reporting what tasks use ended');
    });
  }

  async #report(intervalMs: number, client: UsageClient, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    let before = await this.#samples();
    for (;;) {
      await sleep(clock, intervalMs, signal);
      const now = await this.#samples();
      const tasks = usageBetween(before, now);
      before = now;
      await unary(client.reportUsage.bind(client), { tasks }, { timeoutMs: RPC_TIMEOUT_MS, signal }).catch(
        (error: unknown) => log.debug({ reason: errorText(error) }, 'a report of what tasks use was not taken'),
      );
    }
  }

  async #samples(): Promise<ReadonlyMap<string, Sample>> {
    const { pool, clock, log } = this.#options;
    const running = pool.runners.filter(({ status }) => status.state === TaskState.RUNNING);
    const samples = await Promise.all(
      running.map(async (runner) => {
        const use = await runner.stats().catch((error: unknown) => {
          log.debug({ taskId: runner.task.id, reason: errorText(error) }, 'what a task uses cannot be told');
          return undefined;
        });
        return use && ([runner.task.id, { atMs: clock.monotonic(), use }] as const);
      }),
    );
    return new Map(samples.filter((sample) => sample !== undefined));
  }
}

/** Figures of the tasks that were there at both moments. */
export function usageBetween(
  before: ReadonlyMap<string, Sample>,
  now: ReadonlyMap<string, Sample>,
): readonly TaskUsage[] {
  return [...now].flatMap(([taskId, { atMs, use }]) => {
    const earlier = before.get(taskId);
    const ms = atMs - (earlier?.atMs ?? atMs);
    if (!earlier || ms <= 0) return [];
    // A task that was run again in place counts from 0.
    const cpuNs = use.cpuNs >= earlier.use.cpuNs ? use.cpuNs - earlier.use.cpuNs : use.cpuNs;
    return [{ taskId, nanoCpus: Math.round((cpuNs / ms) * 1000), memoryBytes: use.memoryBytes, pids: use.pids }];
  });
}

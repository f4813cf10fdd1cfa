import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../src/common/clock.ts';
import { silentLogger } from '../../../src/common/log.ts';
import { TaskState } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import type { TaskUsage, UsageClient } from '../../../src/proto/generated/docker/swarmkit/v1/usage.ts';
import type { ResourceUse } from '../../../src/worker/drivers/driver.ts';
import type { TaskRunner } from '../../../src/worker/task-runner.ts';
import { usageBetween, UsageReporter } from '../../../src/worker/usage-reporter.ts';

/** A task that uses half a processor from now on. */
const aRunner = (id: string, clock: FakeClock, state: TaskState = TaskState.RUNNING): TaskRunner => {
  const startMs = clock.monotonic();
  const stats = (): Promise<ResourceUse> =>
    Promise.resolve({ cpuNs: (clock.monotonic() - startMs) * 500_000, memoryBytes: 4096, pids: 2 });
  return { task: { id }, status: { state }, stats } as unknown as TaskRunner;
};

function aLeader(isTaking: () => boolean): { readonly client: UsageClient; readonly reports: TaskUsage[][] } {
  const reports: TaskUsage[][] = [];
  const reportUsage = (
    { tasks }: { readonly tasks: TaskUsage[] },
    _metadata: unknown,
    _options: unknown,
    done: (error: Error | null, response?: object) => void,
  ): object => {
    if (isTaking()) reports.push(tasks);
    done(isTaking() ? null : new Error('no leader'), {});
    return { cancel: () => undefined };
  };
  return { client: { reportUsage } as unknown as UsageClient, reports };
}

describe('an agent that is asked what its tasks use', () => {
  it('tells it of the running ones again and again, until it is asked no more', async () => {
    const clock = new FakeClock();
    const runners = [aRunner('t1', clock), aRunner('t2', clock, TaskState.COMPLETE)];
    const reporter = new UsageReporter({ pool: { runners }, clock, log: silentLogger });
    const { client, reports } = aLeader(() => true);
    const session = new AbortController();
    reporter.wish(1_000, client, session.signal);
    reporter.wish(1_000, client, session.signal);
    await clock.advance(2_000);
    const usage = { taskId: 't1', nanoCpus: 500_000_000, memoryBytes: 4096, pids: 2 };
    expect(reports).toEqual([[usage], [usage]]);
    reporter.wish(undefined, client, session.signal);
    await clock.advance(5_000);
    expect(reports.length).toBe(2);
  });

  it('goes on when a report is not taken, and ends with its session', async () => {
    const clock = new FakeClock();
    const reporter = new UsageReporter({ pool: { runners: [aRunner('t1', clock)] }, clock, log: silentLogger });
    let isTaking = false;
    const { client, reports } = aLeader(() => isTaking);
    const session = new AbortController();
    reporter.wish(1_000, client, session.signal);
    await clock.advance(2_000);
    isTaking = true;
    await clock.advance(1_000);
    expect(reports.length).toBe(1);
    session.abort();
    await clock.advance(5_000);
    expect(reports.length).toBe(1);
    reporter.wish(1_000, client, new AbortController().signal);
    await clock.advance(1_000);
    expect(reports.length).toBe(2);
  });

  it('counts anew a task that was started again in place', () => {
    const use = (cpuNs: number): ResourceUse => ({ cpuNs, memoryBytes: 1, pids: 1 });
    const before = new Map([['t', { atMs: 0, use: use(9_000_000_000) }]]);
    const now = new Map([
      ['t', { atMs: 2_000, use: use(1_000_000_000) }],
      ['new', { atMs: 2_000, use: use(5) }],
    ]);
    expect(usageBetween(before, now)).toEqual([{ taskId: 't', nanoCpus: 500_000_000, memoryBytes: 1, pids: 1 }]);
  });
});

import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../src/common/clock.ts';
import { sleep } from '../../../src/common/clock.ts';
import { watchHealth, type Health, type HealthPlan } from '../../../src/worker/health-check.ts';

const PLAN: HealthPlan = {
  command: ['true'],
  intervalMs: 1000,
  timeoutMs: 500,
  retries: 3,
  startPeriodMs: 0,
  startIntervalMs: 200,
};

/** Plays probes one after another ("+" good, "-" bad, "?" hangs; the last one goes on) and tells when health changed. */
async function play(
  probes: string,
  plan: Partial<HealthPlan>,
  forMs: number,
): Promise<readonly (readonly [number, Health])[]> {
  const clock = new FakeClock();
  const startedAt = clock.now();
  const changes: [number, Health][] = [];
  const stop = new AbortController();
  let n = 0;
  const done = watchHealth(
    {
      plan: { ...PLAN, ...plan },
      clock,
      probe: async (signal) => {
        const what = probes[Math.min(n++, probes.length - 1)];
        if (what === '?') await sleep(clock, 3_600_000, signal);
        return what === '+';
      },
      onChange: (health) => changes.push([clock.now() - startedAt, health]),
    },
    stop.signal,
  );
  await clock.advance(forMs);
  stop.abort();
  await done;
  return changes;
}

describe('the health of a task', () => {
  it('is good after the first success', async () => {
    expect(await play('+', {}, 5000)).toEqual([[1000, 'healthy']]);
  });

  it('is bad after so many failures in a row', async () => {
    expect(await play('+--+---', {}, 20_000)).toEqual([
      [1000, 'healthy'],
      [7000, 'unhealthy'],
    ]);
  });

  it('is bad when it never was good', async () => {
    expect(await play('-', {}, 10_000)).toEqual([[3000, 'unhealthy']]);
  });

  it('does not count failures while the task starts, and looks more often then', async () => {
    expect(await play('-', { startPeriodMs: 1000 }, 10_000)).toEqual([[3000, 'unhealthy']]);
    expect(await play('--+', { startPeriodMs: 1000 }, 3000)).toEqual([[600, 'healthy']]);
  });

  it('takes a probe that hangs as failed', async () => {
    expect(await play('?', { retries: 1 }, 10_000)).toEqual([[1500, 'unhealthy']]);
  });
});

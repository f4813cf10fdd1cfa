/** Pretend tasks behave as planned: how long they take to start, how many fail, when they end. */
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../src/common/clock.ts';
import { seededRandom } from '../../../src/common/random.ts';
import { Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { HollowCounts, HollowDriver, type HollowPlan } from '../../../src/worker/drivers/hollow-driver.ts';

const never = new AbortController().signal;

function pretend(plan: HollowPlan) {
  const clock = new FakeClock(0);
  const counts = new HollowCounts();
  const driver = new HollowDriver({
    hostname: 'hollow-1',
    engineVersion: 'test',
    plan,
    counts,
    clock,
    random: seededRandom(7),
  });
  const controllerOf = (id: string) => driver.controller(Task.fromPartial({ id }));
  return { clock, counts, controllerOf };
}

describe('a pretend task', () => {
  it('starts at once and runs until it is stopped, unless planned otherwise', async () => {
    const { counts, controllerOf } = pretend({});
    const task = controllerOf('t1');
    await task.prepare(never);
    await task.start(never);
    const ended = task.wait(never);
    await task.stop(never);
    expect((await ended).exitCode).toBe(143);
    await task.remove(never);
    expect(counts).toEqual({ assigned: 1, started: 1, failed: 0, ended: 1, removed: 1 });
  });

  it('takes the planned time to start', async () => {
    const { clock, counts, controllerOf } = pretend({ startMs: [100, 200] });
    const started = controllerOf('t1').start(never);
    await clock.advance(99);
    expect(counts.started).toBe(0);
    await clock.advance(101);
    await started;
    expect(counts.started).toBe(1);
  });

  it('fails to start as often as planned', async () => {
    const { counts, controllerOf } = pretend({ failureRate: 0.25 });
    for (let i = 0; i < 400; i++) {
      await controllerOf(`t${i}`)
        .start(never)
        .catch(() => undefined);
    }
    expect(counts.failed + counts.started).toBe(400);
    expect(counts.failed).toBeGreaterThan(60);
    expect(counts.failed).toBeLessThan(140);
  });

  it('ends by itself with exit code 1 after the planned time', async () => {
    const { clock, counts, controllerOf } = pretend({ runMs: [1_000, 1_000] });
    const task = controllerOf('t1');
    await task.start(never);
    const ended = task.wait(never);
    await clock.advance(1_000);
    expect((await ended).exitCode).toBe(1);
    expect(counts.ended).toBe(1);
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { LABEL_RESTART_MAX_DELAY } from '../../../../src/common/service-labels.ts';
import { msOfTimestamp, timestampOfMs } from '../../../../src/common/time.ts';
import { countRestarts, mayRestart, restartDelayMs } from '../../../../src/manager/orchestrator/restart-policy.ts';
import { isRunning, isWanted } from '../../../../src/manager/orchestrator/task-life.ts';
import type { Task } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aNode, aService, aTask, type RestartGiven } from '../../../support/builders.ts';
import { SwarmWorld } from '../../../support/swarm-world.ts';

/** A task that ended at a second, made at another. */
const past = (
  id: string,
  restart: RestartGiven,
  createdS: number,
  endedS: number,
  state: TaskState = TaskState.FAILED,
): Task => ({
  ...aTask(aService({ restart }), { id, slot: 1, nodeId: 'n1' }),
  meta: { version: { index: 1 }, createdAt: timestampOfMs(createdS * 1000), updatedAt: undefined },
  status: { ...aTask(aService(), { id }).status!, state, appliedAt: timestampOfMs(endedS * 1000) },
});

describe('counting restarts', () => {
  it('counts replacements of tasks that ended by themselves, not of those that were moved', () => {
    const slot = [
      past('a', {}, 0, 1),
      past('b', {}, 2, 3, TaskState.SHUTDOWN),
      past('c', {}, 4, 5),
      past('d', {}, 6, 7),
    ];
    expect(countRestarts(slot[3]!, slot, 0)).toBe(2);
  });

  it('forgets what happened under another spec', () => {
    const old = { ...past('a', {}, 0, 1), specVersion: { index: 7 } };
    const slot = [old, past('b', {}, 2, 3), past('c', {}, 4, 5)];
    expect(countRestarts(slot[2]!, slot, 0)).toBe(1);
  });

  it('lets restarts older than the window go', () => {
    const policy = { maxAttempts: 1, windowMs: 10_000 };
    const slot = [past('a', policy, 0, 1), past('b', policy, 2, 3)];
    expect(mayRestart(slot[1]!, slot)).toBe(false);
    const later = [past('a', policy, 0, 1), past('b', policy, 2, 30)];
    expect(mayRestart(later[1]!, later)).toBe(true);
  });
});

describe('a growing delay', () => {
  const growth = { maxDelayMs: 60_000, ranMs: undefined, random: () => 0 };
  const waited = (delayMs: number, waitedMs: number): Task => ({
    ...past('a', { delayMs }, 0, 1),
    startAfter: timestampOfMs(waitedMs),
  });

  it('doubles from the delay of the policy up to its maximum', () => {
    expect(restartDelayMs(past('a', { delayMs: 1000 }, 0, 1), growth)).toBe(1000);
    expect(restartDelayMs(waited(1000, 1000), growth)).toBe(2000);
    expect(restartDelayMs(waited(1000, 8000), growth)).toBe(16_000);
    expect(restartDelayMs(waited(1000, 60_000), growth)).toBe(60_000);
  });

  it('keeps doubling in spite of the spread that is added, and never passes the maximum', () => {
    let delay = 1000;
    const delays = Array.from(
      { length: 8 },
      () => (delay = restartDelayMs(waited(1000, delay), { ...growth, random: () => 0.99 })),
    );
    expect(delays.map((ms) => Math.floor(ms / 1000))).toEqual([2, 4, 8, 17, 35, 60, 60, 60]);
  });

  it('falls back once a task ran for as long as the maximum', () => {
    expect(restartDelayMs(waited(1000, 16_000), { ...growth, ranMs: 59_000 })).toBe(32_000);
    expect(restartDelayMs(waited(1000, 16_000), { ...growth, ranMs: 60_000 })).toBe(1000);
  });

  it('has a smallest step when the policy has no delay, and stays fixed without a maximum', () => {
    expect(restartDelayMs(waited(0, 0), growth)).toBe(100);
    expect(restartDelayMs(waited(1000, 8000), { ...growth, maxDelayMs: undefined })).toBe(1000);
  });
});

describe('the restart supervisor', () => {
  let world: SwarmWorld;
  afterEach(() => world.end());

  async function aFailingService(
    runsMs: number,
    restart: RestartGiven,
    labels: Record<string, string> = {},
  ): Promise<void> {
    world = new SwarmWorld({ script: () => ({ ends: { state: TaskState.FAILED, afterMs: runsMs } }) });
    await world.create({ nodes: [aNode('n1')], services: [aService({ restart, labels })] });
    await world.lead();
  }

  const delays = () =>
    world
      .created()
      .filter((task) => task.startAfter)
      .map((task) => Math.round(msOfTimestamp(task.startAfter!) - msOfTimestamp(task.meta!.createdAt!)));

  it('prepares the replacement during the delay and starts it then', async () => {
    await aFailingService(1000, { delayMs: 3000 });
    await world.advance(2000);
    const [waiting] = world.tasks().filter(isWanted);
    expect([waiting?.desiredState, waiting?.status?.state]).toEqual([TaskState.READY, TaskState.READY]);
    await world.advance(2500);
    expect(world.tasks().filter((task) => isWanted(task) && isRunning(task))).toHaveLength(1);
  });

  it.each([
    ['forward', 3_600_000],
    ['back', -3_600_000],
  ])('keeps to its delay when the clock is set %s, under the same leader or a new one', async (_how, jumpMs) => {
    for (const isNewLeader of [false, true]) {
      await aFailingService(1000, { delayMs: 3000 });
      await world.advance(2000);
      world.script = () => ({});
      world.clock.jump(jumpMs);
      if (isNewLeader) await world.lead();
      await world.advance(3500);
      expect(world.tasks().filter((task) => isWanted(task) && isRunning(task))).toHaveLength(1);
      const made = world.created().length;
      world.clock.jump(-jumpMs);
      await world.advance(10_000);
      expect(world.created()).toHaveLength(made);
      await world.end();
    }
  });

  it('backs off when the service asks for it, also across leaders', async () => {
    await aFailingService(10, { delayMs: 1000 }, { [LABEL_RESTART_MAX_DELAY]: '20s' });
    for (let i = 0; i < 70; i++) {
      await world.advance(1000);
      if (i % 5 === 0) await world.lead();
    }
    const seconds = delays().map((ms) => Math.floor(ms / 1000));
    expect(seconds.slice(0, 4)).toEqual([1, 2, 4, 8]);
    expect(Math.max(...delays())).toBeLessThanOrEqual(20_000);
    expect(seconds.at(-1)).toBeGreaterThanOrEqual(16);
  });

  it('begins again with the short delay after a healthy period', async () => {
    await aFailingService(10, { delayMs: 1000 }, { [LABEL_RESTART_MAX_DELAY]: '20s' });
    await world.advance(9000);
    world.script = () => ({ ends: { state: TaskState.FAILED, afterMs: 25_000 } });
    await world.advance(45_000);
    expect(Math.floor((delays().at(-1) ?? 0) / 1000)).toBe(1);
  });

  it('gives a new leader the rest of a delay', async () => {
    await aFailingService(1000, { delayMs: 10_000 });
    await world.advance(5000);
    await world.lead();
    await world.advance(5900);
    expect(
      world
        .tasks()
        .filter(isWanted)
        .map((task) => task.desiredState),
    ).toEqual([TaskState.READY]);
    await world.advance(200);
    expect(
      world
        .tasks()
        .filter(isWanted)
        .map((task) => task.desiredState),
    ).toEqual([TaskState.RUNNING]);
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SwarmError } from '../../../../src/common/errors.ts';
import { FakeClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/log.ts';
import { WriteBatcher } from '../../../../src/manager/dispatcher/write-batcher.ts';
import type { Task } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aTask, dispatcherRig, type DispatcherRig } from '../../../support/dispatcher-rig.ts';
import { eventually } from '../../../support/eventually.ts';
import type { FakeAgent } from '../../../support/fake-agent.ts';

describe('a reported status', () => {
  let rig: DispatcherRig;
  let agent: FakeAgent;

  const start = async (statusGatherMs: number): Promise<void> => {
    rig = await dispatcherRig({ statusGatherMs });
    await rig.addNode('n1');
    await rig.addNode('n2');
    rig.lead();
    agent = rig.agent('n1');
    await agent.register();
    await rig.store.update((tx) => {
      for (const id of ['a', 'b', 'marker']) tx.task.create(aTask(id, 'n1'));
      tx.task.create(aTask('foreign', 'n2'));
    });
  };
  beforeEach(() => start(20));
  afterEach(() => rig.close());

  const task = (id: string): Task => rig.store.read.task.get(id) as Task;
  /** Waits until everything reported so far is dealt with: what is reported now is stored after it. Once in a test. */
  const flushed = async (): Promise<void> => {
    await agent.report('marker', TaskState.RUNNING);
    await eventually(() => expect(task('marker').status?.state).toBe(TaskState.RUNNING));
  };

  it('is stored with the time and the manager that stored it', async () => {
    const before = Date.now();
    await agent.report('a', TaskState.RUNNING, { message: 'started' });
    await eventually(() => expect(task('a').status?.state).toBe(TaskState.RUNNING));
    expect(task('a').status).toMatchObject({ message: 'started', appliedBy: 'm1' });
    expect((task('a').status?.appliedAt?.seconds ?? 0) * 1000).toBeGreaterThan(before - 1000);
  });

  it('is stored together with others, leaving out the states in between', async () => {
    // Long enough for all reports on a busy machine.
    await rig.close();
    await start(1_000);
    const entries = rig.entries.length;
    for (const state of [TaskState.ACCEPTED, TaskState.PREPARING, TaskState.READY, TaskState.STARTING]) {
      await Promise.all([agent.report('a', state), agent.report('b', state)]);
    }
    await eventually(() => expect(task('b').status?.state).toBe(TaskState.STARTING));
    expect(task('a').status?.state).toBe(TaskState.STARTING);
    expect(rig.entries.length - entries).toBe(1);
  });

  it('that goes backwards or says what is known changes nothing', async () => {
    await agent.report('a', TaskState.RUNNING);
    await eventually(() => expect(task('a').status?.state).toBe(TaskState.RUNNING));
    const { version } = task('a').meta ?? {};
    const entries = rig.entries.length;
    await agent.report('a', TaskState.STARTING);
    await agent.report('a', TaskState.RUNNING);
    await agent.report('a', TaskState.RUNNING, { timestamp: { seconds: 99, nanos: 0 } });
    await flushed();
    expect(task('a').meta?.version).toEqual(version);
    // That of the marker.
    expect(rig.entries.length).toBe(entries + 1);
    await agent.report('a', TaskState.RUNNING, { message: 'healthy' });
    await eventually(() => expect(task('a').status?.message).toBe('healthy'));
  });

  it('of another node’s task is refused with everything in the same call', async () => {
    await expect(agent.report('foreign', TaskState.RUNNING)).rejects.toMatchObject({ code: 'permissionDenied' });
    await flushed();
    expect(task('foreign').status?.state).toBe(TaskState.ASSIGNED);
    await agent.beat();
  });

  it('of a task nobody knows is skipped', async () => {
    await agent.report('gone', TaskState.RUNNING);
    await flushed();
    expect(rig.store.read.task.get('gone')).toBeUndefined();
  });

  it('cannot bring a task to a state that only managers give', async () => {
    await agent.report('a', TaskState.ORPHANED);
    await agent.report('b', TaskState.REMOVE);
    await flushed();
    expect(task('a').status?.state).toBe(TaskState.ASSIGNED);
    expect(task('b').status?.state).toBe(TaskState.ASSIGNED);
  });
});

describe('the queue before the store', () => {
  const start = (write: (values: readonly string[]) => Promise<unknown>, limit = 100) => {
    const clock = new FakeClock();
    const batcher = new WriteBatcher<string>({
      clock,
      random: () => 0.5,
      log: silentLogger,
      gatherMs: 20,
      limit,
      write,
    });
    const stop = new AbortController();
    const running = batcher.run(stop.signal);
    const end = (): Promise<void> => {
      stop.abort();
      return running;
    };
    return { clock, batcher, stop: end };
  };

  it('keeps what gathers during a write for the next one, the newest per key', async () => {
    const batches: (readonly string[])[] = [];
    let finish = (): void => undefined;
    const { clock, batcher, stop } = start(async (values) => {
      batches.push(values);
      if (batches.length === 1) await new Promise<void>((resolve) => (finish = resolve));
    });
    batcher.put('a', 'a1');
    await clock.advance(20);
    for (const value of ['a2', 'a3']) batcher.put('a', value);
    batcher.put('b', 'b1');
    await clock.advance(1_000);
    expect(batches).toEqual([['a1']]);
    finish();
    await clock.advance(20);
    expect(batches).toEqual([['a1'], ['a3', 'b1']]);
    await stop();
  });

  it('tries again what could not be stored, without going back to an older value', async () => {
    const batches: (readonly string[])[] = [];
    const { clock, batcher, stop } = start(async (values) => {
      batches.push(values);
      if (batches.length < 3) throw new SwarmError('unavailable', 'no leader');
    });
    const stored = batcher.stored('a', 'a1');
    await clock.advance(20);
    batcher.put('a', 'a2');
    await clock.advance(10_000);
    await stored;
    expect(batches).toEqual([['a1'], ['a2'], ['a2']]);
    await stop();
  });

  it('refuses alone what can never be stored', async () => {
    const stored: string[] = [];
    const { clock, batcher, stop } = start(async (values) => {
      if (values.includes('huge')) throw new SwarmError('resourceExhausted', 'too large');
      stored.push(...values);
    });
    const good = batcher.stored('a', 'fine');
    const bad = batcher.stored('b', 'huge');
    const refusal = expect(bad).rejects.toMatchObject({ code: 'resourceExhausted' });
    await clock.advance(20);
    await Promise.all([good, refusal]);
    expect(stored).toEqual(['fine']);
    await stop();
  });

  it('makes reporters wait when it is full, and stores a full batch at once', async () => {
    let finish = (): void => undefined;
    const { clock, batcher, stop } = start(() => new Promise<void>((resolve) => (finish = resolve)), 2);
    batcher.put('a', '1');
    batcher.put('b', '2');
    await clock.advance(0);
    batcher.put('c', '3');
    batcher.put('d', '4');
    let hasRoom = false;
    const room = batcher.room(new AbortController().signal).then(() => (hasRoom = true));
    await clock.advance(100);
    expect(hasRoom).toBe(false);
    finish();
    await clock.advance(0);
    await room;
    finish();
    await stop();
  });

  it('refuses what is not stored when the term ends', async () => {
    const { clock, batcher, stop } = start(async () => undefined);
    const stored = batcher.stored('a', '1');
    const refusal = expect(stored).rejects.toMatchObject({ code: 'unavailable' });
    await stop();
    await refusal;
    await expect(batcher.stored('b', '1')).rejects.toMatchObject({ code: 'unavailable' });
    expect(clock.pending).toBe(0);
  });
});

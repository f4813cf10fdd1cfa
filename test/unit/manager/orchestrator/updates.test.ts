import { afterEach, describe, expect, it } from 'vitest';
import { LABEL_UPDATE_PROGRESS_DEADLINE } from '../../../../src/common/service-labels.ts';
import { timestampOfMs } from '../../../../src/common/time.ts';
import { applyStep } from '../../../../src/manager/orchestrator/step.ts';
import { isRunning, isWanted } from '../../../../src/manager/orchestrator/task-life.ts';
import type { Task } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import type { ServiceSpec } from '../../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import {
  TaskState,
  UpdateStatus_UpdateState as UpdateState,
} from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aNode, aService, aTask, imageOf, type ServiceGiven } from '../../../support/builders.ts';
import { SwarmWorld, withState, type TaskScript } from '../../../support/swarm-world.ts';

let world: SwarmWorld;
afterEach(() => world.end());

/** What becomes of tasks, by image. */
type Images = Readonly<Record<string, TaskScript>>;

async function aRunningService(given: ServiceGiven, images: Images = {}): Promise<void> {
  world = new SwarmWorld({ script: (task) => images[imageOf(task)] ?? {} });
  await world.create({ nodes: [aNode('n1'), aNode('n2')], services: [aService(given)] });
  await world.lead();
  await world.advance(10);
}

function withImage(spec: ServiceSpec, image: string): ServiceSpec {
  const task = spec.task!;
  if (task.runtime?.$case !== 'container') return spec;
  return { ...spec, task: { ...task, runtime: { $case: 'container', value: { ...task.runtime.value, image } } } };
}

const update = (image: string) => world.changeService((spec) => withImage(spec, image));
const wanted = (): readonly Task[] => world.tasks().filter(isWanted);
const images = (): readonly string[] => wanted().map(imageOf).sort();
const status = () => world.service().updateStatus;

describe('a rolling update', () => {
  it('says that it is in progress, and completes a monitor period after the last task ran', async () => {
    await aRunningService({ replicas: 2 });
    await update('v2');
    expect(status()).toMatchObject({ state: UpdateState.UPDATING, message: 'update in progress' });
    await world.advance(4900);
    expect(images()).toEqual(['v2', 'v2']);
    expect(status()?.state).toBe(UpdateState.UPDATING);
    await world.advance(200);
    expect(status()).toMatchObject({ state: UpdateState.COMPLETED, message: 'update completed' });
    expect(status()?.completedAt).toBeDefined();
  });

  it('leaves alone a task that has become as asked for since its replacement was decided', async () => {
    await aRunningService({ replicas: 1 });
    const [old] = wanted() as [Task];
    const wish = { id: 'new', slot: old.slot, nodeId: '', desiredState: TaskState.READY };
    const step = { kind: 'replace', serviceId: old.serviceId, oldIds: [old.id], wish, isUpdate: true } as const;
    const replaces = (image: string): Promise<boolean> =>
      world.store.update((tx) => {
        const service = tx.service.get(old.serviceId)!;
        tx.service.update({ ...service, spec: withImage(service.spec!, image), specVersion: { index: 1000 } });
        return applyStep(tx, step, world.clock.now());
      });
    expect(await replaces('v1')).toBe(false);
    expect(await replaces('v2')).toBe(true);
  });

  it('stops the old task before the new one starts, or the other way round', async () => {
    const slow = { v1: { stopMs: 500 }, v2: { prepareMs: 200 } };
    await aRunningService({ replicas: 1 }, slow);
    await update('v2');
    await world.advance(300);
    expect(world.tasks().map((task) => [imageOf(task), task.desiredState])).toEqual([
      ['v1', TaskState.SHUTDOWN],
      ['v2', TaskState.READY],
    ]);
    await world.end();

    await aRunningService({ replicas: 1, update: { order: 'start-first' } }, slow);
    await update('v2');
    await world.advance(100);
    expect(wanted().map((task) => [imageOf(task), isRunning(task)])).toEqual([
      ['v1', true],
      ['v2', false],
    ]);
    await world.advance(200);
    expect(wanted().map((task) => [imageOf(task), isRunning(task)])).toEqual([['v2', true]]);
  });

  it('puts one task into a slot whose old task fails in the moment of a start-first step', async () => {
    await aRunningService({ replicas: 1, update: { order: 'start-first' } });
    const { length } = world.changes;
    const [old] = wanted() as [Task];
    await Promise.all([
      world.store.update((tx) => tx.task.update(withState(old, TaskState.FAILED, world.clock.now()))),
      update('v2'),
    ]);
    expect(world.created(length).map(imageOf)).toEqual(['v2']);
    await world.advance(10_000);
    expect(wanted().map((task) => [imageOf(task), isRunning(task)])).toEqual([['v2', true]]);
  });

  it('tries a task that was rejected again when the one it replaces has stopped, not before', async () => {
    await aRunningService({ replicas: 1 }, { v1: { stopMs: 2000 }, v2: { prepareMs: 20_000 } });
    await update('v2');
    await world.advance(10);
    const fresh = wanted().find((task) => imageOf(task) === 'v2') as Task;
    await world.store.update((tx) => tx.task.update(withState(fresh, TaskState.REJECTED, world.clock.now())));
    await world.advance(1000);
    expect(status()?.state).toBe(UpdateState.PAUSED);
    expect(wanted().map(({ id }) => id)).toEqual([fresh.id]);
    await world.advance(2000);
    expect(wanted()).toHaveLength(1);
    expect(wanted()[0]?.id).not.toBe(fresh.id);
  });

  it('tries a task that was rejected again at once where nobody told it to wait', async () => {
    world = new SwarmWorld({ script: () => ({}) });
    const service = aService({ replicas: 1 });
    const task = { ...aTask(service, { id: 'early', slot: '1', nodeId: 'n1' }), desiredState: TaskState.READY };
    await world.create({ nodes: [aNode('n1')], services: [service] });
    await world.store.update((tx) => tx.task.create(withState(task, TaskState.REJECTED, world.clock.now())));
    await world.lead();
    await world.advance(100);
    expect(world.tasks().find(({ id }) => id === 'early')?.desiredState).toBe(TaskState.SHUTDOWN);
    expect(wanted()).toHaveLength(1);
  });

  it('goes on as soon as a task ran, without waiting for the monitor period', async () => {
    await aRunningService(
      { replicas: 2, restart: { condition: 'none' } },
      { v2: { ends: { state: TaskState.COMPLETE, afterMs: 1000 } } },
    );
    await update('v2');
    await world.advance(2000);
    const [failed] = world.tasks().filter((task) => imageOf(task) === 'v2');
    expect(world.tasks().filter((task) => imageOf(task) === 'v2')).toHaveLength(2);
    expect(status()).toMatchObject({
      state: UpdateState.PAUSED,
      message: `update paused due to failure or early termination of task ${failed?.id}`,
    });
  });

  it('replaces only one slot when the delay is longer than the task lives', async () => {
    await aRunningService(
      { replicas: 2, restart: { condition: 'none' }, update: { delayMs: 10_000 } },
      { v2: { ends: { state: TaskState.FAILED, afterMs: 1000 } } },
    );
    await update('v2');
    await world.advance(60_000);
    expect(world.tasks().filter((task) => imageOf(task) === 'v2')).toHaveLength(1);
    expect(status()?.state).toBe(UpdateState.PAUSED);
  });

  it('does not count a failure after the monitor period', async () => {
    await aRunningService(
      { replicas: 1, update: { monitorMs: 500 }, restart: { condition: 'none' } },
      { v2: { ends: { state: TaskState.FAILED, afterMs: 800 } } },
    );
    await update('v2');
    await world.advance(2000);
    expect(status()?.state).toBe(UpdateState.COMPLETED);
  });

  it('works on all slots at once with parallelism 0', async () => {
    await aRunningService({ replicas: 5, update: { parallelism: 0 } }, { v1: { stopMs: 100 } });
    await update('v2');
    await world.settle();
    expect(world.tasks().filter((task) => imageOf(task) === 'v2')).toHaveLength(5);
  });

  it('makes no status and no tasks when only labels or the scale change', async () => {
    await aRunningService({ replicas: 2 });
    await world.changeService((spec) => ({ ...spec, annotations: { ...spec.annotations!, labels: { a: 'b' } } }));
    await world.changeService((spec) => ({ ...spec, mode: { $case: 'replicated', value: { replicas: 3 } } }));
    await world.advance(10_000);
    expect(status()).toBeUndefined();
    expect(world.created()).toHaveLength(3);
  });

  it('is resumed by a user who changes the service after a pause', async () => {
    await aRunningService({ replicas: 2 }, { bad: { endsBeforeRunning: TaskState.FAILED } });
    await update('bad');
    await world.advance(1000);
    expect(status()?.state).toBe(UpdateState.PAUSED);
    await update('v3');
    await world.advance(10_000);
    expect(images()).toEqual(['v3', 'v3']);
    expect(status()?.state).toBe(UpdateState.COMPLETED);
  });

  it('keeps the old task and gives the new one up when a start-first step fails', async () => {
    await aRunningService(
      { replicas: 1, update: { order: 'start-first' } },
      { bad: { endsBeforeRunning: TaskState.FAILED } },
    );
    await update('bad');
    await world.advance(60_000);
    expect(status()?.state).toBe(UpdateState.PAUSED);
    expect(wanted().map((task) => [imageOf(task), isRunning(task)])).toEqual([['v1', true]]);
  });

  for (const condition of ['none', 'any'] as const) {
    it(`ends, whoever leads, when the new tasks of a start-first step fail and are restarted on ${condition}`, async () => {
      world = new SwarmWorld({
        script: (task) => (imageOf(task) === 'bad' ? { endsBeforeRunning: TaskState.REJECTED } : {}),
        historyLimit: 1,
      });
      const given: ServiceGiven = {
        replicas: 2,
        restart: { condition, delayMs: 50 },
        update: { order: 'start-first', failureAction: 'continue', monitorMs: 200 },
      };
      await world.create({ nodes: [aNode('n1'), aNode('n2')], services: [aService(given)] });
      await world.lead();
      await world.advance(10);
      await update('bad');
      await world.advance(2000);
      expect(status()?.state).toBe(UpdateState.COMPLETED);
      const running = (): readonly string[] => wanted().filter(isRunning).map(imageOf);
      expect(running()).toEqual(['v1', 'v1']);
      await world.lead();
      await world.advance(10_000);
      expect(status()?.state).toBe(UpdateState.COMPLETED);
      expect(running()).toEqual(['v1', 'v1']);
      const isUpdate = ({ kind, old, object }: (typeof world.changes)[number]): boolean =>
        kind === 'service' && old !== undefined && old.updateStatus?.state !== object.updateStatus?.state;
      expect(world.changes.filter(isUpdate)).toHaveLength(2);
    });
  }

  it('knows under a new leader which slots are in work, also where one got its new task because the old one failed', async () => {
    await aRunningService({
      replicas: 4,
      restart: { delayMs: 0 },
      update: { order: 'start-first', parallelism: 2 },
    });
    const old = wanted();
    world.script = () => ({ stuckAt: TaskState.ASSIGNED });
    const isNew = (task: Task): boolean => imageOf(task) === 'v2';
    await update('v2');
    await world.advance(100);
    const [, second] = world.tasks().filter(isNew);
    expect(world.tasks().filter(isNew)).toHaveLength(2);
    const untouched = old.find(({ slot }) => !world.tasks().some((task) => isNew(task) && task.slot === slot))!;
    await world.report(untouched.id, TaskState.FAILED);
    await world.advance(100);
    const replacement = world.tasks().find((task) => isNew(task) && task.slot === untouched.slot)!;
    await world.lead();
    await world.advance(100);
    await world.report(old.find(({ slot }) => slot === second!.slot)!.id, TaskState.FAILED);
    await world.report(replacement.id, TaskState.RUNNING);
    await world.advance(100);
    expect(world.tasks().filter(isNew)).toHaveLength(3);
  });

  it('goes on in spite of failures when told to continue', async () => {
    await aRunningService(
      { replicas: 3, update: { failureAction: 'continue' } },
      { bad: { endsBeforeRunning: TaskState.FAILED } },
    );
    await update('bad');
    await world.advance(10_000);
    expect(images()).toEqual(['bad', 'bad', 'bad']);
    expect(status()?.state).toBe(UpdateState.COMPLETED);
  });
});

describe('the progress deadline', () => {
  const stuck = { stuck: { stuckAt: TaskState.PENDING } };

  it('is off unless asked for', async () => {
    await aRunningService({ replicas: 1 }, stuck);
    await update('stuck');
    await world.advance(3_600_000);
    expect(status()?.state).toBe(UpdateState.UPDATING);
  });

  it('pauses an update whose new task does not run in time, and leaves the old one alone', async () => {
    await aRunningService(
      { replicas: 2, labels: { [LABEL_UPDATE_PROGRESS_DEADLINE]: '30s' }, update: { order: 'start-first' } },
      stuck,
    );
    await update('stuck');
    await world.advance(29_000);
    expect(status()?.state).toBe(UpdateState.UPDATING);
    await world.advance(2000);
    expect(status()?.state).toBe(UpdateState.PAUSED);
    expect(status()?.message).toMatch(/^update paused because task \w+ made no progress within the progress deadline$/);
    expect(images()).toEqual(['v1', 'v1']);
  });

  it('rolls back when that is the failure action', async () => {
    await aRunningService(
      { replicas: 2, labels: { [LABEL_UPDATE_PROGRESS_DEADLINE]: '30s' }, update: { failureAction: 'rollback' } },
      stuck,
    );
    await update('stuck');
    await world.advance(60_000);
    expect(images()).toEqual(['v1', 'v1']);
    expect(status()?.state).toBe(UpdateState.ROLLBACK_COMPLETED);
  });
});

describe('a rollback', () => {
  const bad: Images = { bad: { endsBeforeRunning: TaskState.FAILED } };

  it('gives the spec before, says why, and ends with no previous spec', async () => {
    await aRunningService({ replicas: 3, update: { failureAction: 'rollback' } }, { ...bad, v1: { stopMs: 100 } });
    await update('bad');
    await world.advance(300);
    const [culprit] = world.tasks().filter((task) => imageOf(task) === 'bad');
    expect(status()).toMatchObject({
      state: UpdateState.ROLLBACK_STARTED,
      message: `update rolled back due to failure or early termination of task ${culprit?.id}`,
    });
    await world.advance(10_000);
    expect(images()).toEqual(['v1', 'v1', 'v1']);
    expect(status()).toMatchObject({ state: UpdateState.ROLLBACK_COMPLETED, message: 'rollback completed' });
    expect(world.service().previousSpec).toBeUndefined();
  });

  it('that fails pauses', async () => {
    await aRunningService({ replicas: 2, image: 'v1', update: { failureAction: 'rollback' } }, bad);
    world.script = (task) =>
      task.id.length > 2 || imageOf(task) === 'bad' ? { endsBeforeRunning: TaskState.FAILED } : {};
    const healthy = new Set(world.tasks().map((task) => task.id));
    world.script = (task) => (healthy.has(task.id) ? {} : { endsBeforeRunning: TaskState.FAILED });
    await update('bad');
    await world.advance(10_000);
    expect(status()?.state).toBe(UpdateState.ROLLBACK_PAUSED);
    expect(status()?.message).toMatch(/^update paused due to failure or early termination of task /);
  });

  it('pauses instead when there is nothing to go back to', async () => {
    await aRunningService({ replicas: 1, update: { failureAction: 'rollback' } }, bad);
    await world.store.update((tx) => {
      const service = tx.service.get('s1')!;
      tx.service.update({ ...service, spec: withImage(service.spec!, 'bad'), specVersion: { index: 99 } });
    });
    await world.advance(1000);
    expect(status()?.state).toBe(UpdateState.PAUSED);
  });

  it('asked for by a user runs with the rollback settings', async () => {
    await aRunningService({ replicas: 4, rollback: { parallelism: 0, monitorMs: 100 } }, { v2: { stopMs: 100 } });
    await update('v2');
    await world.advance(10_000);
    await world.rollBack();
    expect(wanted().map(imageOf)).toEqual(['v1', 'v1', 'v1', 'v1']);
    await world.advance(300);
    expect(status()).toMatchObject({ state: UpdateState.ROLLBACK_COMPLETED, message: 'rollback completed' });
  });

  it('leaves what ends for good under the spec it restores to the restart policy, whoever leads', async () => {
    const given: ServiceGiven = {
      replicas: 2,
      restart: { condition: 'none' },
      rollback: { failureAction: 'continue', monitorMs: 60_000 },
    };
    await aRunningService(given);
    await update('v2');
    await world.store.update((tx) => {
      const service = tx.service.get('s1')!;
      const state = UpdateState.ROLLBACK_STARTED;
      tx.service.update({
        ...service,
        updateStatus: { state, message: '', startedAt: timestampOfMs(world.clock.now()), completedAt: undefined },
      });
    });
    await world.advance(100);
    expect(images()).toEqual(['v2', 'v2']);
    await world.report(wanted()[0]!.id, TaskState.FAILED);
    await world.advance(100);
    expect(status()?.state).toBe(UpdateState.ROLLBACK_STARTED);
    await world.lead();
    await world.advance(100);
    expect(images()).toEqual(['v2']);
  });

  it('is taken up by a new leader within its parallelism, though the slots hold failures of the spec it restores', async () => {
    await aRunningService({ replicas: 2, restart: { delayMs: 0 }, rollback: { parallelism: 1 } });
    for (const { id } of wanted()) {
      await world.report(id, TaskState.FAILED);
      await world.advance(100);
    }
    await update('v2');
    await world.advance(10_000);
    expect(images()).toEqual(['v2', 'v2']);
    world.script = () => ({ stuckAt: TaskState.PENDING });
    await world.rollBack();
    await world.advance(1000);
    expect(images()).toEqual(['v1', 'v2']);
    await world.lead();
    await world.advance(1000);
    expect(images()).toEqual(['v1', 'v2']);
  });

  it('is taken up by a new leader within its parallelism, though what it replaced is gone from the history', async () => {
    await aRunningService({ replicas: 3, update: { parallelism: 0 }, rollback: { parallelism: 2 } });
    world.script = () => ({ stuckAt: TaskState.ASSIGNED });
    await update('v2');
    await world.advance(100);
    await world.rollBack();
    await world.advance(100);
    expect(images()).toEqual(['v1', 'v1', 'v2']);
    const replaced = world.tasks().filter((task) => imageOf(task) === 'v2' && !isWanted(task));
    expect(replaced).toHaveLength(2);
    await world.store.update((tx) => replaced.forEach(({ id }) => tx.task.delete(id)));
    await world.lead();
    await world.advance(1000);
    expect(images()).toEqual(['v1', 'v1', 'v2']);
  });
});

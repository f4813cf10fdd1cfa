import { afterEach, describe, expect, it } from 'vitest';
import { hasCompleted } from '../../../../src/manager/orchestrator/job.ts';
import { applyStep } from '../../../../src/manager/orchestrator/step.ts';
import { isWanted } from '../../../../src/manager/orchestrator/task-life.ts';
import { NodeSpec_Availability } from '../../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import { NodeStatus_State, TaskState } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import type { Task } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { aNode, aService, type ServiceGiven } from '../../../support/builders.ts';
import { SwarmWorld, type Script } from '../../../support/swarm-world.ts';

const COMPLETES: Script = () => ({ ends: { state: TaskState.COMPLETE, afterMs: 1000 }, stopMs: 50 });
const FAILS: Script = () => ({ ends: { state: TaskState.FAILED, afterMs: 100 }, stopMs: 50 });

let world: SwarmWorld;
afterEach(() => world.end());

async function aJob(given: ServiceGiven, script: Script, nodes = ['n1', 'n2']): Promise<void> {
  world = new SwarmWorld({ script });
  await world.create({ nodes: nodes.map((id) => aNode(id)), services: [aService(given)] });
  await world.lead();
}

const active = (): readonly Task[] => world.tasks().filter(isWanted);
const completed = (iteration = 0): readonly Task[] =>
  world.tasks().filter((task) => hasCompleted(task) && task.jobIteration?.index === iteration);
const slotNumbers = (tasks: readonly Task[]): readonly number[] => tasks.map((task) => task.slot).sort((a, b) => a - b);
const again = (): Promise<void> =>
  world.changeService((spec) => ({ ...spec, task: { ...spec.task!, forceUpdate: spec.task!.forceUpdate + 1 } }));

const fiveTwo = { replicatedJob: { maxConcurrent: 2, totalCompletions: 5 } };

describe('a replicated job', () => {
  it('completes each of its slots once, counted from 0, a few at a time', async () => {
    await aJob(fiveTwo, COMPLETES);
    let most = 0;
    for (let i = 0; i < 40; i++) {
      most = Math.max(most, active().length);
      await world.advance(250);
    }
    expect(most).toBe(2);
    expect(slotNumbers(completed())).toEqual([0, 1, 2, 3, 4]);
    expect(world.tasks().every((task) => task.desiredState === TaskState.COMPLETE)).toBe(true);
    const quiet = world.changes.length;
    await world.lead();
    await world.advance(100_000);
    expect(world.changes.length).toBe(quiet);
  });

  it('does slot 0 once although its tasks run on different nodes', async () => {
    await aJob({ replicatedJob: { maxConcurrent: 1, totalCompletions: 1 }, restart: { delayMs: 100 } }, (task) => ({
      ends: { state: task.id === 't1' ? TaskState.FAILED : TaskState.COMPLETE, afterMs: 500 },
    }));
    await world.changeNode('n1', (node) => ({
      ...node,
      spec: { ...node.spec!, availability: NodeSpec_Availability.DRAIN },
    }));
    await world.advance(10_000);
    expect(slotNumbers(completed())).toEqual([0]);
    expect(active()).toEqual([]);
  });

  it('retries a failed slot after its delay, and gives it up after the attempts it has', async () => {
    await aJob({ ...fiveTwo, restart: { condition: 'on-failure', maxAttempts: 1, delayMs: 1000 } }, FAILS);
    await world.advance(500);
    expect(active().map((task) => task.desiredState)).toEqual([TaskState.READY, TaskState.READY]);
    await world.advance(60_000);
    const perSlot = [0, 1, 2, 3, 4].map((slot) => world.created().filter((task) => task.slot === slot).length);
    expect(perSlot).toEqual([2, 2, 2, 2, 2]);
    expect(active()).toEqual([]);
    await world.lead();
    await world.advance(60_000);
    expect(world.created()).toHaveLength(10);
  });

  it('is done again with every update, without the tasks of before', async () => {
    await aJob(fiveTwo, COMPLETES);
    await world.advance(1500);
    const before = world.tasks();
    await again();
    const removed = before.filter(
      (task) => !hasCompleted(task) && world.store.read.task.get(task.id)?.desiredState !== TaskState.REMOVE,
    );
    expect(removed).toEqual([]);
    await world.advance(20_000);
    expect(slotNumbers(completed(1))).toEqual([0, 1, 2, 3, 4]);
    expect(completed(0)).toHaveLength(2);
  });

  it('keeps a bounded history of iterations', async () => {
    await aJob(fiveTwo, COMPLETES);
    for (let i = 0; i < 8; i++) {
      await world.advance(20_000);
      await again();
    }
    await world.advance(20_000);
    expect(slotNumbers(completed(8))).toEqual([0, 1, 2, 3, 4]);
    expect(world.tasks()).toHaveLength(25);
  });

  it('makes no task for an iteration that is over, nor for a slot that is taken', async () => {
    await aJob({ replicatedJob: { maxConcurrent: 1, totalCompletions: 1 } }, COMPLETES);
    await world.advance(5000);
    await world.depose();
    const wish = { id: 'late', slot: 0, nodeId: '', desiredState: TaskState.COMPLETE };
    const create = (jobIteration: number): Promise<boolean> =>
      world.store.update((tx) =>
        applyStep(tx, { kind: 'create', serviceId: 's1', wish: { ...wish, jobIteration } }, world.clock.now()),
      );
    expect(await create(0)).toBe(false);
    await again();
    expect(await create(0)).toBe(false);
    expect(await create(1)).toBe(true);
    expect(await create(1)).toBe(false);
  });

  it('waits for a task that was asked to stop: it may still complete', async () => {
    await aJob({ replicatedJob: { maxConcurrent: 3, totalCompletions: 2 } }, () => ({ stopMs: Infinity }));
    const [first] = active();
    await world.store.update((tx) => tx.task.update({ ...first!, desiredState: TaskState.SHUTDOWN }));
    await world.advance(1000);
    expect(world.tasks()).toHaveLength(2);
    await world.report(first!.id, TaskState.COMPLETE);
    await world.advance(1000);
    expect(world.tasks()).toHaveLength(2);
  });
});

describe('a global job', () => {
  it('completes once on each node, and on nodes that join later', async () => {
    await aJob({ globalJob: true }, COMPLETES);
    await world.advance(5000);
    await world.create({ nodes: [aNode('n3')] });
    await world.advance(5000);
    expect(
      completed()
        .map((task) => task.nodeId)
        .sort(),
    ).toEqual(['n1', 'n2', 'n3']);
    expect(world.tasks()).toHaveLength(3);
  });

  it('gives a node up after the attempts it has, whatever leaders come', async () => {
    await aJob({ globalJob: true, restart: { maxAttempts: 2, delayMs: 100 } }, FAILS);
    await world.advance(5000);
    await world.lead();
    await world.advance(5000);
    expect(world.created()).toHaveLength(6);
    expect(active()).toEqual([]);
    await again();
    await world.advance(5000);
    expect(world.created()).toHaveLength(12);
  });

  it('leaves nodes alone that are paused, down or unknown, and comes to them later', async () => {
    await aJob({ globalJob: true }, COMPLETES, []);
    await world.create({
      nodes: [
        aNode('n1', { availability: 'pause' }),
        aNode('n2', { state: NodeStatus_State.DOWN }),
        aNode('n3', { state: NodeStatus_State.UNKNOWN }),
      ],
    });
    await world.advance(5000);
    expect(world.tasks()).toEqual([]);
    await world.changeNode('n3', (node) => ({ ...node, status: { ...node.status!, state: NodeStatus_State.READY } }));
    await world.advance(5000);
    expect(completed().map((task) => task.nodeId)).toEqual(['n3']);
  });

  it('runs anew where a node was lost in the middle, once the lost task is known to have ended', async () => {
    await aJob({ globalJob: true }, COMPLETES, ['n1']);
    const state = (now: NodeStatus_State) =>
      world.changeNode('n1', (node) => ({ ...node, status: { ...node.status!, state: now } }));
    await world.advance(500);
    await state(NodeStatus_State.DOWN);
    await world.advance(5000);
    await state(NodeStatus_State.READY);
    await world.advance(5000);
    expect(completed()).toHaveLength(1);
    expect(active()).toEqual([]);
  });
});

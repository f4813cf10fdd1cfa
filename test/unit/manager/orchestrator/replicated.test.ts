import { afterEach, describe, expect, it } from 'vitest';
import { isRunning, isWanted, stateOf } from '../../../../src/manager/orchestrator/task-life.ts';
import { NodeSpec_Availability } from '../../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import { NodeStatus_State, TaskState } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aNode, aService, type ServiceGiven } from '../../../support/builders.ts';
import { SwarmWorld, type WorldOptions } from '../../../support/swarm-world.ts';

let world: SwarmWorld;
afterEach(() => world.end());

async function aRunningService(given: ServiceGiven, options: WorldOptions = {}): Promise<void> {
  world = new SwarmWorld({ script: () => ({}), ...options });
  await world.create({ nodes: [aNode('n1'), aNode('n2')], services: [aService(given)] });
  await world.lead();
  await world.advance(10);
}

const live = () => world.tasks().filter((task) => isWanted(task) && isRunning(task));
const slots = () =>
  live()
    .map((task) => task.slot)
    .sort((a, b) => a - b);
const states = () =>
  world
    .tasks()
    .map(stateOf)
    .sort((a, b) => a - b);
const scale = (replicas: number) =>
  world.changeService((spec) => ({ ...spec, mode: { $case: 'replicated', value: { replicas } } }));
const setNode = (
  id: string,
  state: NodeStatus_State,
  availability: NodeSpec_Availability = NodeSpec_Availability.ACTIVE,
) =>
  world.changeNode(id, (node) => ({
    ...node,
    status: { ...node.status!, state },
    spec: { ...node.spec!, availability },
  }));

describe('a replicated service', () => {
  it('gets as many running tasks as it asks for, in slots from 1', async () => {
    await aRunningService({ replicas: 3 });
    expect(slots()).toEqual([1, 2, 3]);
  });

  it('fills the lowest free slots when it grows and removes the tasks of the slots it loses', async () => {
    await aRunningService({ replicas: 4 });
    await scale(2);
    await world.advance(1000);
    expect(world.tasks()).toHaveLength(2);
    const kept = slots();
    await scale(3);
    await world.advance(10);
    const lowest = [1, 2, 3].find((slot) => !kept.includes(slot)) ?? 3;
    expect(slots()).toEqual([...kept, lowest].sort((a, b) => a - b));
  });

  it('leaves the history of a slot it loses by scaling down until the service is changed again', async () => {
    await aRunningService({ replicas: 3, restart: { delayMs: 10 } });
    for (const task of live()) await world.report(task.id, TaskState.FAILED);
    await world.advance(1000);
    await scale(1);
    await world.advance(1000);
    expect(states()).toEqual([TaskState.RUNNING, ...Array<TaskState>(3).fill(TaskState.FAILED)]);
    await world.changeService((spec) => ({ ...spec, annotations: { ...spec.annotations!, labels: { a: 'b' } } }));
    await world.advance(1000);
    expect(states()).toEqual([TaskState.RUNNING, TaskState.FAILED]);
  });

  it('gives up a slot with its history when that would look like the end of the slot for good', async () => {
    await aRunningService({ replicas: 2, restart: { condition: 'none' } });
    for (const task of live()) {
      await world.create({ tasks: [{ ...task, id: `old-${task.id}`, desiredState: TaskState.SHUTDOWN }] });
      await world.report(`old-${task.id}`, TaskState.SHUTDOWN);
    }
    await scale(1);
    await world.advance(1000);
    expect(world.tasks()).toHaveLength(2);
    await scale(2);
    await world.advance(1000);
    expect(slots()).toEqual([1, 2]);
  });

  it('removes all its tasks when it is deleted', async () => {
    await aRunningService({ replicas: 3 });
    await world.store.update((tx) => tx.service.delete('s1'));
    await world.settle();
    expect(world.tasks().map((task) => task.desiredState)).toEqual(Array(3).fill(TaskState.REMOVE));
    await world.advance(1000);
    expect(world.tasks()).toEqual([]);
  });

  it('has tasks of a service that vanished under an earlier leader removed', async () => {
    await aRunningService({ replicas: 2 });
    await world.depose();
    await world.store.update((tx) => tx.service.delete('s1'));
    await world.lead();
    await world.advance(1000);
    expect(world.tasks()).toEqual([]);
  });

  it('moves at once from a node that is down, without the restart delay', async () => {
    await aRunningService({ replicas: 4 });
    await setNode('n1', NodeStatus_State.DOWN);
    await world.settle();
    expect(live().map((task) => task.nodeId)).toEqual(['n2', 'n2', 'n2', 'n2']);
  });

  it('moves from a drained node when the old task has stopped, and not back', async () => {
    await aRunningService({ replicas: 2 }, { script: () => ({ stopMs: 700 }) });
    await setNode('n1', NodeStatus_State.READY, NodeSpec_Availability.DRAIN);
    await world.advance(600);
    expect(live()).toHaveLength(1);
    await world.advance(200);
    expect(live().map((task) => task.nodeId)).toEqual(['n2', 'n2']);
    await setNode('n1', NodeStatus_State.READY);
    await world.advance(10_000);
    expect(live().map((task) => task.nodeId)).toEqual(['n2', 'n2']);
  });

  it('starts the replacement after a minute when the old task never stops', async () => {
    await aRunningService({ replicas: 1 }, { script: () => ({ stopMs: Infinity }) });
    await setNode(live()[0]?.nodeId ?? '', NodeStatus_State.READY, NodeSpec_Availability.DRAIN);
    await world.advance(59_900);
    expect(live()).toHaveLength(0);
    await world.advance(200);
    expect(live()).toHaveLength(1);
  });

  it.each([NodeStatus_State.UNKNOWN, NodeStatus_State.DISCONNECTED])(
    'stays where it is when a node is in state %i',
    async (state) => {
      await aRunningService({ replicas: 4 });
      const before = world.changes.length;
      await setNode('n1', state);
      await world.advance(100_000);
      expect(world.changes.slice(before).filter((change) => change.kind === 'task')).toEqual([]);
    },
  );

  it('moves nothing when the restart policy says none', async () => {
    await aRunningService({ replicas: 2, restart: { condition: 'none' } });
    await setNode('n1', NodeStatus_State.DOWN);
    await world.advance(10_000);
    expect(live()).toHaveLength(1);
    await world.lead();
    await world.advance(10_000);
    expect(world.created()).toHaveLength(2);
  });

  it('keeps the attempts for failures: moves do not use them up', async () => {
    await aRunningService({ replicas: 1, restart: { maxAttempts: 1, delayMs: 10 } });
    for (let i = 0; i < 3; i++) {
      const nodeId = live()[0]?.nodeId ?? '';
      await setNode(nodeId, NodeStatus_State.DOWN);
      await world.advance(10);
      await setNode(nodeId, NodeStatus_State.READY);
      await world.advance(1000);
    }
    await world.report(live()[0]?.id ?? '', TaskState.FAILED);
    await world.advance(100);
    expect(live()).toHaveLength(1);
  });

  it('lets a slot that ended for good keep its place, also without history', async () => {
    await aRunningService({ replicas: 2, restart: { condition: 'on-failure' } }, { historyLimit: 0 });
    await world.report(live()[0]?.id ?? '', TaskState.COMPLETE);
    await world.advance(10_000);
    await world.lead();
    await world.changeService((spec) => ({ ...spec, annotations: { ...spec.annotations!, labels: { a: 'b' } } }));
    await world.advance(10_000);
    expect(live()).toHaveLength(1);
    expect(world.created()).toHaveLength(2);
  });

  it('ignores tasks that belong to no service', async () => {
    await aRunningService({ replicas: 1 });
    const [task] = world.tasks();
    await world.create({ tasks: [{ ...task!, id: 'attachment', serviceId: '', slot: 0, nodeId: 'n1' }] });
    await world.lead();
    await world.advance(1000);
    expect(world.store.read.task.get('attachment')?.desiredState).toBe(TaskState.RUNNING);
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { isRunning, isWanted } from '../../../../src/manager/orchestrator/task-life.ts';
import { NodeSpec_Availability } from '../../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import {
  UpdateStatus_UpdateState as UpdateState,
  TaskState,
} from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aNode, aService, type ServiceGiven } from '../../../support/builders.ts';
import { SwarmWorld } from '../../../support/swarm-world.ts';

let world: SwarmWorld;
afterEach(() => world.end());

async function aRunningService(given: ServiceGiven = {}): Promise<void> {
  world = new SwarmWorld({ script: () => ({}) });
  await world.create({
    nodes: [aNode('n1', { labels: { zone: 'a' } }), aNode('n2', { labels: { zone: 'b' } })],
    services: [aService({ global: true, ...given })],
  });
  await world.lead();
  await world.advance(10);
}

const nodesWithTask = () =>
  world
    .tasks()
    .filter((task) => isWanted(task) && isRunning(task))
    .map((task) => task.nodeId)
    .sort();
const setAvailability = (id: string, availability: NodeSpec_Availability) =>
  world.changeNode(id, (node) => ({ ...node, spec: { ...node.spec!, availability } }));
const forceUpdate = () =>
  world.changeService((spec) => ({ ...spec, task: { ...spec.task!, forceUpdate: spec.task!.forceUpdate + 1 } }));

describe('a global service', () => {
  it('runs once on every node that fits, and on those that join', async () => {
    await aRunningService();
    await world.create({ nodes: [aNode('n3')] });
    await world.advance(10);
    expect(nodesWithTask()).toEqual(['n1', 'n2', 'n3']);
  });

  it('follows the labels of nodes', async () => {
    await aRunningService({ constraints: ['node.labels.zone==a'] });
    expect(nodesWithTask()).toEqual(['n1']);
    await world.changeNode('n2', (node) => ({
      ...node,
      spec: { ...node.spec!, annotations: { name: '', indices: [], labels: { zone: 'a' } } },
    }));
    await world.changeNode('n1', (node) => ({
      ...node,
      spec: { ...node.spec!, annotations: { name: '', indices: [], labels: {} } },
    }));
    await world.advance(10);
    expect(nodesWithTask()).toEqual(['n2']);
  });

  it('gets a task on a node although another global service already has one there', async () => {
    await aRunningService();
    await world.create({ services: [aService({ id: 's2', global: true })] });
    await world.advance(10);
    expect(nodesWithTask()).toEqual(['n1', 'n1', 'n2', 'n2']);
  });

  it('does not start on a paused node, and starts there when the pause is over', async () => {
    await aRunningService();
    await world.create({ nodes: [aNode('n3', { availability: 'pause' })] });
    await world.advance(10);
    expect(nodesWithTask()).toEqual(['n1', 'n2']);
    await setAvailability('n3', NodeSpec_Availability.ACTIVE);
    await world.advance(10);
    expect(nodesWithTask()).toEqual(['n1', 'n2', 'n3']);
  });

  it('leaves a paused node out of an update and brings it up to date at once when it is active again', async () => {
    await aRunningService();
    const onN2 = () => world.tasks().filter((task) => task.nodeId === 'n2' && isWanted(task));
    const [old] = onN2();
    await setAvailability('n2', NodeSpec_Availability.PAUSE);
    await forceUpdate();
    await world.advance(10_000);
    expect(world.service().updateStatus?.state).toBe(UpdateState.COMPLETED);
    expect(onN2().map((task) => task.id)).toEqual([old?.id]);
    await setAvailability('n2', NodeSpec_Availability.ACTIVE);
    await world.advance(10);
    expect(onN2()).toHaveLength(1);
    expect(onN2()[0]?.spec?.forceUpdate).toBe(1);
    expect(world.service().updateStatus?.state).toBe(UpdateState.COMPLETED);
  });

  it('comes back to a drained node under the policy it has by then, without waiting for a new leader', async () => {
    await aRunningService({ restart: { condition: 'none' } });
    await setAvailability('n2', NodeSpec_Availability.DRAIN);
    await world.advance(10);
    await world.changeService((spec) => ({ ...spec, task: { ...spec.task!, restart: undefined } }));
    await world.advance(20_000);
    expect(nodesWithTask()).toEqual(['n1']);
    await setAvailability('n2', NodeSpec_Availability.ACTIVE);
    await world.advance(10);
    expect(nodesWithTask()).toEqual(['n1', 'n2']);
  });

  it('loses its tasks on a node that is removed', async () => {
    await aRunningService();
    await world.store.update((tx) => tx.node.delete('n1'));
    await world.settle();
    expect(world.tasks().map((task) => task.nodeId)).toEqual(['n2']);
  });

  it('is updated node by node', async () => {
    await aRunningService({ update: { parallelism: 1, monitorMs: 0 } });
    await forceUpdate();
    await world.advance(1000);
    expect(nodesWithTask()).toEqual(['n1', 'n2']);
    expect(
      world
        .tasks()
        .filter(isWanted)
        .every((task) => task.spec?.forceUpdate === 1),
    ).toBe(true);
    expect(world.service().updateStatus?.message).toBe('update completed');
  });

  it('is restarted on the node where it failed, by its own count', async () => {
    await aRunningService({ restart: { maxAttempts: 1, delayMs: 100 } });
    for (const task of world.tasks()) await world.report(task.id, TaskState.FAILED);
    await world.advance(200);
    expect(nodesWithTask()).toEqual(['n1', 'n2']);
  });
});

import { describe, expect, it } from 'vitest';
import { Task, type Node } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeSpec_Availability, type NodeSpec } from '../../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import {
  NodeDescription,
  NodeRole,
  NodeStatus_State,
  TaskState,
} from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aNode, CLUSTER_ID, testControl, type TestControl } from '../../../support/local-control.ts';

async function withNodes(...nodes: readonly Node[]): Promise<TestControl> {
  const test = await testControl();
  await test.store.update((tx) => nodes.forEach((node) => tx.node.create(node)));
  for (const node of nodes) if (node.role === NodeRole.MANAGER) test.raftMembers.add(node.id);
  return test;
}

const change = ({ control, store }: TestControl, id: string, spec: Partial<NodeSpec>) => {
  const node = store.read.node.get(id);
  return control.updateNode({
    nodeId: id,
    nodeVersion: node?.meta?.version,
    spec: { ...(node?.spec as NodeSpec), ...spec },
  });
};

const refusal = (code: string, message: unknown): Error => expect.objectContaining({ code, message }) as Error;
const { MANAGER, WORKER } = NodeRole;

describe('changing a node', () => {
  it('stores availability and wanted role', async () => {
    const test = await withNodes(aNode('n'));
    const { node } = await change(test, 'n', { availability: NodeSpec_Availability.DRAIN, desiredRole: MANAGER });
    expect(node?.spec).toMatchObject({ availability: NodeSpec_Availability.DRAIN, desiredRole: MANAGER });
    expect(node?.role).toBe(WORKER);
  });

  it('never makes a Docker Engine a manager', async () => {
    const plugins = [{ type: 'Network', name: 'overlay' }];
    const engine = { engineVersion: '20.10', labels: {}, plugins };
    const test = await withNodes({ ...aNode('n'), description: { ...NodeDescription.fromPartial({}), engine } });
    await expect(change(test, 'n', { desiredRole: MANAGER })).rejects.toEqual(
      refusal('failedPrecondition', expect.stringContaining('node n is a Docker Engine, which cannot be a manager')),
    );
    expect(test.store.read.node.get('n')?.spec?.desiredRole).toBe(WORKER);
  });

  it('promotes nobody who may turn out to be a Docker Engine', async () => {
    const test = await withNodes({ ...aNode('n'), description: undefined });
    await expect(change(test, 'n', { desiredRole: MANAGER })).rejects.toEqual(
      refusal('failedPrecondition', 'node n has not said yet what it is: try again when it is ready'),
    );
  });

  it('never demotes the last manager', async () => {
    const test = await withNodes(aNode('m', MANAGER), aNode('w'));
    await expect(change(test, 'm', { desiredRole: WORKER })).rejects.toEqual(
      refusal('failedPrecondition', 'attempting to demote the last manager of the swarm'),
    );
  });

  it('demotes none without which the others have no reachable majority', async () => {
    const test = await withNodes(aNode('m1', MANAGER), aNode('m2', MANAGER));
    test.indispensable.add('m1');
    await expect(change(test, 'm1', { desiredRole: WORKER })).rejects.toEqual(
      refusal('failedPrecondition', "can't remove member from the raft: this would result in a loss of quorum"),
    );
    await expect(change(test, 'm2', { desiredRole: WORKER })).resolves.toBeDefined();
  });

  it('takes back a promotion that has not happened yet', async () => {
    const test = await withNodes(aNode('m', MANAGER), aNode('w'));
    await change(test, 'w', { desiredRole: MANAGER });
    const { node } = await change(test, 'w', { desiredRole: WORKER });
    expect(node?.spec?.desiredRole).toBe(WORKER);
  });

  it('refuses a manager that raft does not know', async () => {
    const test = await withNodes(aNode('m1', MANAGER), aNode('m2', MANAGER));
    test.raftMembers.delete('m2');
    await expect(change(test, 'm2', { desiredRole: WORKER })).rejects.toEqual(
      refusal('notFound', "can't find manager in raft memberlist"),
    );
  });
});

describe('removing a node', () => {
  it('refuses managers, even when forced', async () => {
    const test = await withNodes(aNode('m', MANAGER, NodeStatus_State.DOWN));
    await expect(test.control.removeNode({ nodeId: 'm', force: true })).rejects.toEqual(
      refusal(
        'failedPrecondition',
        'node m is a cluster manager and is a member of the raft cluster. It must be demoted to worker before removal',
      ),
    );
  });

  it('refuses a node that is up unless forced', async () => {
    const test = await withNodes(aNode('n'));
    await expect(test.control.removeNode({ nodeId: 'n', force: false })).rejects.toEqual(
      refusal('failedPrecondition', "node n is not down and can't be removed"),
    );
    await test.control.removeNode({ nodeId: 'n', force: true });
    expect(test.store.read.node.get('n')).toBeUndefined();
  });

  it('gives up its tasks and refuses its certificate in the same write', async () => {
    const test = await withNodes(aNode('n', WORKER, NodeStatus_State.DOWN));
    await test.store.update((tx) => {
      tx.task.create(Task.fromPartial({ id: 'live', nodeId: 'n', status: { state: TaskState.RUNNING } }));
      tx.task.create(Task.fromPartial({ id: 'ended', nodeId: 'n', status: { state: TaskState.FAILED } }));
    });
    const entries = test.entries.length;
    await test.control.removeNode({ nodeId: 'n', force: false });
    expect(test.entries).toHaveLength(entries + 1);
    expect(test.store.read.task.get('live')?.status?.state).toBe(TaskState.ORPHANED);
    expect(test.store.read.task.get('ended')?.status?.state).toBe(TaskState.FAILED);
    const blacklist = test.store.read.cluster.get(CLUSTER_ID)?.blacklistedCertificates;
    expect(blacklist?.['n']?.expiry?.seconds).toBeGreaterThan(test.clock.now() / 1000);
  });

  it('manages any number of tasks', async () => {
    const test = await withNodes(aNode('n', WORKER, NodeStatus_State.DOWN));
    const ids = Array.from({ length: 1_500 }, (_, i) => `t${i}`);
    await test.store.batch(ids, (tx, id) =>
      tx.task.create(Task.fromPartial({ id, nodeId: 'n', status: { state: TaskState.RUNNING } })),
    );
    await test.control.removeNode({ nodeId: 'n', force: true });
    const states = new Set(test.store.read.task.all().map((task) => task.status?.state));
    expect(states).toEqual(new Set([TaskState.ORPHANED]));
  });

  it('forgets refused certificates that have long expired', async () => {
    const test = await withNodes(aNode('old', WORKER, NodeStatus_State.DOWN));
    await test.control.removeNode({ nodeId: 'old', force: false });
    await test.clock.advance(98 * 24 * 3_600_000);
    await test.store.update((tx) => tx.node.create(aNode('new', WORKER, NodeStatus_State.DOWN)));
    await test.control.removeNode({ nodeId: 'new', force: false });
    expect(Object.keys(test.store.read.cluster.get(CLUSTER_ID)?.blacklistedCertificates ?? {})).toEqual(['new']);
  });
});

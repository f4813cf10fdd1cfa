import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { cliRig } from '../../support/cli.ts';
import { aNode } from '../manager/scheduler/builders.ts';

let rig: Awaited<ReturnType<typeof cliRig>>;

beforeAll(async () => {
  rig = await cliRig();
  await rig.store.update((tx) => {
    for (const id of ['a', 'b']) tx.node.create(aNode(id));
  });
  await rig.run('service', 'create', '--detach', '--name', 'web', '--limit-memory', '64m', 'nginx:1');
  await rig.run('service', 'create', '--detach', '--name', 'db', 'postgres:16');
  const addTask = async (id: string, service: string, nodeId: string, state: TaskState): Promise<void> => {
    const { id: serviceId = '', spec } = rig.store.read.service.byName(service) ?? {};
    const given = { id, serviceId, slot: 1, nodeId, desiredState: TaskState.RUNNING, status: { state } };
    await rig.store.update((tx) => tx.task.create({ ...Task.fromPartial(given), spec: spec?.task }));
  };
  await addTask('t1', 'web', 'a', TaskState.RUNNING);
  await addTask('t2', 'db', 'a', TaskState.RUNNING);
  await addTask('t3', 'db', 'b', TaskState.RUNNING);
  await addTask('t4', 'db', 'b', TaskState.PREPARING);
  rig.usage = [
    { taskId: 't1', nanoCpus: 123_400_000, memoryBytes: 3 << 20, pids: 4 },
    { taskId: 't2', nanoCpus: 1_500_000_000, memoryBytes: 2 * 2 ** 30, pids: 40 },
  ];
});
afterAll(() => rig.close());

describe('swarmctl top', () => {
  it('shows running tasks, the busiest first, and a dash where a node does not tell', async () => {
    expect((await rig.run('top')).stdout).toBe(`ID   NAME    NODE     CPU      MEMORY   LIMIT   PIDS
t2   db.1    host-a   150.0%   2GiB     -       40
t1   web.1   host-a   12.3%    3MiB     64MiB   4
t3   db.1    host-b   -        -        -       -
`);
  });

  it('shows the tasks of some services or nodes', async () => {
    expect((await rig.run('top', '-q', 'web')).stdout).toBe('t1\n');
    expect((await rig.run('top', '-q', 'web', 'db')).stdout).toBe('t2\nt1\nt3\n');
    expect((await rig.run('top', '-q', '--node', 'b')).stdout).toBe('t3\n');
    expect((await rig.run('top', 'nosuch')).code).toBe(3);
  });

  it('tells the figures as JSON and YAML', async () => {
    const rows = JSON.parse((await rig.run('top', '--output', 'json', 'web')).stdout) as unknown;
    expect(rows).toEqual([
      {
        ID: 't1',
        Name: 'web.1',
        ServiceID: rig.store.read.service.byName('web')?.id,
        NodeID: 'a',
        Node: 'host-a',
        Usage: { NanoCPUs: 123_400_000, MemoryBytes: 3 << 20, PIDs: 4 },
        MemoryLimitBytes: 64 << 20,
      },
    ]);
    expect(parse((await rig.run('top', '--output', 'yaml', 'web')).stdout)).toEqual(rows);
    expect((await rig.run('top', '--format', '{{.Name}} {{.Usage}}', '--node', 'b')).stdout).toBe('db.1 <nil>\n');
  });
});

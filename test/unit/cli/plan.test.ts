import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { Task as TaskMessage } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { cliRig } from '../../support/cli.ts';
import { aNode } from '../manager/scheduler/builders.ts';

let rig: Awaited<ReturnType<typeof cliRig>>;

const running = (id: string, serviceId: string, slot: number, nodeId: string): Task => {
  const service = rig.store.read.service.get(serviceId);
  return {
    ...TaskMessage.fromPartial({
      id,
      serviceId,
      slot,
      nodeId,
      desiredState: TaskState.RUNNING,
      status: { state: TaskState.RUNNING },
    }),
    spec: service?.spec?.task,
    specVersion: service?.specVersion,
  };
};

beforeAll(async () => {
  rig = await cliRig();
  await rig.store.update((tx) => {
    for (const id of ['a', 'b']) tx.node.create(aNode(id, { memoryBytes: 64 * 2 ** 20, labels: { zone: id } }));
  });
  await rig.run('service', 'create', '--detach', '--name', 'web', '--replicas', '2', 'nginx:1');
  const id = rig.store.read.service.byName('web')?.id ?? '';
  await rig.store.update((tx) => {
    tx.task.create(running('t1', id, 1, 'a'));
    tx.task.create(running('t2', id, 2, 'b'));
  });
});
afterAll(() => rig.close());

describe('a plan', () => {
  it('of a new service tells where its tasks go, what waits, and why not elsewhere; nothing is created', async () => {
    const flags = ['--name', 'db', '--replicas', '3', '--reserve-memory', '40m', '--constraint', 'node.labels.zone!=c'];
    const { code, stdout } = await rig.run('plan', 'create', ...flags, '--strategy', 'binpack', 'postgres:16');
    expect(code).toBe(0);
    expect(stdout).toContain('service db, strategy binpack: 3 to start');
    const tight = await rig.run('plan', 'create', ...flags, '--constraint', 'node.labels.zone==a', 'postgres:16');
    expect(tight.stdout).toBe(`service db, strategy spread: 1 to start, 2 without a node

ACTION   TASK   NODE     NOW ON   WHY
start    db.1   host-a
wait     db.2                     no suitable node (scheduling constraints not satisfied on 2 nodes; insufficient resources on 1 node)
wait     db.3                     no suitable node (scheduling constraints not satisfied on 2 nodes; insufficient resources on 1 node)

the nodes, before anything moves:
  NODE     FITS   SCORE   WHY NOT
  host-a   yes    100
  host-b   no             constraints: does not satisfy node.labels.zone==a
  host1    no             constraints: does not satisfy node.labels.zone==a
`);
    expect(rig.store.read.service.byName('db')).toBeUndefined();
  });

  it('of a change names what is replaced, and --dry-run is the same', async () => {
    const version = rig.store.version;
    const { stdout } = await rig.run('plan', 'update', '--image', 'nginx:2', '--constraint-add', 'node.id==b', 'web');
    expect(stdout).toContain('service web, strategy spread: 2 to replace\n');
    expect(stdout).toContain('replace  web.1  host-b  host-a'.replaceAll('  ', '   '));
    const flags = ['--image', 'nginx:2', '--constraint-add', 'node.id==b'];
    expect((await rig.run('service', 'update', '--dry-run', ...flags, 'web')).stdout).toBe(stdout);
    expect(rig.store.version).toBe(version);
  });

  it('of scaling is told as JSON too', async () => {
    const { stdout } = await rig.run('service', 'scale', '--dry-run', '--output', 'json', 'web=1');
    expect(JSON.parse(stdout)).toMatchObject({
      isCertain: true,
      isComplete: true,
      tasks: [
        { action: 'keep', slot: 1, nodeId: 'a' },
        { action: 'stop', slot: 2, previousNodeId: 'b', nodeId: '' },
      ],
    });
  });

  it('of what would be refused is refused, with the same words', async () => {
    const { code, stderr } = await rig.run('plan', 'create', '--name', 'web', 'nginx:1');
    expect([code, stderr]).toEqual([
      1,
      'swarmctl: name conflicts with an existing object: service web already exists\n',
    ]);
    expect((await rig.run('plan', 'scale', 'none=3')).code).toBe(3);
    expect((await rig.call('POST', '/swarmd/plan?service=web&version=1', { Name: 'web' })).status).toBe(400);
  });
});

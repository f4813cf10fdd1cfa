import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { countingIds } from '../../../../src/common/ids.ts';
import { silentLogger } from '../../../../src/common/log.ts';
import { Allocator } from '../../../../src/manager/allocator/allocator.ts';
import { DYNAMIC_PORTS } from '../../../../src/manager/allocator/port-space.ts';
import type { Service } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { predefinedNetworks } from '../../../../src/manager/control/bootstrap.ts';
import { Network, Node, Task } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import type { EndpointSpec, ServiceSpec, TaskSpec } from '../../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import {
  NetworkAttachmentConfig,
  NodeDescription,
  PortConfig_PublishMode,
  TaskState,
} from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aServiceSpec, testControl, type TestControl } from '../../../support/local-control.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** Runs an allocator; the returned function ends its term. */
function start({ store, clock }: TestControl): () => Promise<void> {
  const abort = new AbortController();
  const done = new Allocator({ store, clock, log: silentLogger }).run(abort.signal);
  const stop = async (): Promise<void> => {
    abort.abort();
    await done;
  };
  stops.push(stop);
  return stop;
}

const settle = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await new Promise<void>((resolve) => setImmediate(resolve));
};

const ingress = (...published: readonly number[]): EndpointSpec => ({
  mode: 0,
  ports: published.map((publishedPort, i) => ({
    name: '',
    protocol: 0,
    targetPort: 80 + i,
    publishedPort,
    publishMode: PortConfig_PublishMode.INGRESS,
  })),
});

async function addService({ control }: TestControl, spec: ServiceSpec): Promise<string> {
  return (await control.createService({ id: '', spec })).service?.id ?? '';
}

async function addTasks({ store }: TestControl, serviceId: string, count: number, prefix = serviceId): Promise<void> {
  const spec = store.read.service.get(serviceId)?.spec?.task;
  await store.batch(
    Array.from({ length: count }, (_, i) => i),
    (tx, i) =>
      tx.task.create({
        ...Task.fromPartial({ id: `${prefix}-t${i}`, serviceId, slot: i + 1, desiredState: TaskState.RUNNING }),
        spec,
        status: { ...Task.fromPartial({ status: { state: TaskState.NEW } }).status } as Task['status'],
      }),
  );
}

const onNetworks = (name: string, ...targets: readonly string[]): ServiceSpec => {
  const spec = aServiceSpec(name);
  const networks = targets.map((target) => NetworkAttachmentConfig.fromPartial({ target }));
  return { ...spec, task: { ...(spec.task as TaskSpec), networks } };
};

async function addNetwork({ control }: TestControl, name: string, subnet?: string): Promise<string> {
  const { spec } = Network.fromPartial({
    spec: { annotations: { name }, ...(subnet === undefined ? {} : { ipam: { configs: [{ subnet }] } }) },
  });
  return (await control.createNetwork({ id: '', spec })).network?.id ?? '';
}

const tasksOf = (test: TestControl, serviceId: string): readonly Task[] =>
  test.store.read.task.by('service', serviceId);
const portsOf = (test: TestControl, id: string): readonly number[] =>
  (test.store.read.service.get(id)?.endpoint?.ports ?? []).map((port) => port.publishedPort);

/** Every address that anybody holds, per network. */
function addressesInUse({ store }: TestControl): readonly string[] {
  const ofTasks = store.read.task
    .all()
    .filter((task) => (task.status?.state ?? 0) <= TaskState.RUNNING)
    .flatMap((task) => task.networks.flatMap((n) => n.addresses.map((a) => `${n.network?.id} ${a}`)));
  const ofServices = store.read.service
    .all()
    .flatMap((service) => (service.endpoint?.virtualIps ?? []).map((vip) => `${vip.networkId} ${vip.addr}`));
  return [...ofTasks, ...ofServices];
}

describe('the allocator', () => {
  it('lets tasks that need nothing go on at once, in one write', async () => {
    const test = await testControl();
    start(test);
    const id = await addService(test, aServiceSpec());
    await settle();
    const before = test.entries.length;
    await addTasks(test, id, 50);
    await settle();
    expect(tasksOf(test, id).map((task) => task.status)).toSatisfy((statuses: readonly Task['status'][]) =>
      statuses.every((s) => s?.state === TaskState.PENDING && s.message === 'pending task scheduling'),
    );
    expect(test.entries).toHaveLength(before + 2);
  });

  it('takes up what was left by the leader before', async () => {
    const test = await testControl();
    const id = await addService(test, aServiceSpec());
    await addTasks(test, id, 3);
    start(test);
    await settle();
    expect(tasksOf(test, id).every((task) => task.status?.state === TaskState.PENDING)).toBe(true);
  });

  it('leaves alone what nobody wants any more', async () => {
    const test = await testControl();
    const id = await addService(test, aServiceSpec());
    await test.store.update((tx) =>
      tx.task.create(Task.fromPartial({ id: 't', serviceId: id, desiredState: TaskState.SHUTDOWN })),
    );
    start(test);
    await settle();
    expect(test.store.read.task.get('t')?.status?.state ?? TaskState.NEW).toBe(TaskState.NEW);
  });

  it('chooses port numbers and copies them onto tasks', async () => {
    const test = await testControl();
    start(test);
    const id = await addService(test, aServiceSpec('web', { endpoint: ingress(0, 8080) }));
    await addTasks(test, id, 1);
    await settle();
    expect(portsOf(test, id)).toEqual([30_000, 8080]);
    expect(tasksOf(test, id)[0]?.endpoint?.ports.map((port) => port.publishedPort)).toEqual([30_000, 8080]);
  });

  it('keeps chosen numbers through updates and elections', async () => {
    const test = await testControl();
    const stop = start(test);
    const id = await addService(test, aServiceSpec('web', { endpoint: ingress(0) }));
    await settle();
    await stop();
    start(test);
    const service = test.store.read.service.get(id) as Service;
    await test.control.updateService({
      serviceId: id,
      serviceVersion: service.meta?.version,
      spec: aServiceSpec('web', { endpoint: ingress(0, 0) }),
      rollback: 0,
    });
    await settle();
    expect(portsOf(test, id)).toEqual([30_000, 30_001]);
  });

  it('never chooses a number that somebody has asked for', async () => {
    const test = await testControl();
    await addService(test, aServiceSpec('fixed', { endpoint: ingress(30_000) }));
    const id = await addService(test, aServiceSpec('dynamic', { endpoint: ingress(0) }));
    start(test);
    await settle();
    expect(portsOf(test, id)).toEqual([30_001]);
  });

  it('gives networks, services and tasks addresses of their own', async () => {
    const test = await testControl();
    start(test);
    const network = await addNetwork(test, 'back');
    const id = await addService(test, onNetworks('web', 'back'));
    await addTasks(test, id, 5);
    await settle();
    expect(test.store.read.network.get(network)?.ipam?.configs[0]?.subnet).toBe('10.0.0.0/24');
    expect(test.store.read.service.get(id)?.endpoint?.virtualIps).toEqual([
      { networkId: network, addr: '10.0.0.2/24' },
    ]);
    const used = addressesInUse(test);
    expect(used).toHaveLength(6);
    expect(new Set(used).size).toBe(6);
  });

  it('gives a network that is named twice two addresses of the service and of each task, as Docker does', async () => {
    const test = await testControl();
    start(test);
    await addNetwork(test, 'back');
    const id = await addService(test, onNetworks('web', 'back', 'back'));
    await addTasks(test, id, 2);
    await settle();
    expect(test.store.read.service.get(id)?.endpoint?.virtualIps.map(({ addr }) => addr)).toEqual([
      '10.0.0.2/24',
      '10.0.0.3/24',
    ]);
    expect(tasksOf(test, id).map((task) => task.networks.length)).toEqual([2, 2]);
    expect(new Set(addressesInUse(test)).size).toBe(6);
  });

  it('attaches tasks to networks of the node without an address', async () => {
    const test = await testControl();
    await test.store.update((tx) => predefinedNetworks(countingIds('net')).forEach((n) => tx.network.create(n)));
    start(test);
    const id = await addService(test, onNetworks('web', 'host'));
    await addTasks(test, id, 2);
    await settle();
    const [task] = tasksOf(test, id);
    expect(task?.status?.state).toBe(TaskState.PENDING);
    expect(task?.networks).toMatchObject([{ network: { id: 'net2', driverState: { name: 'host' } }, addresses: [] }]);
    expect(test.store.read.service.get(id)?.endpoint?.virtualIps).toEqual([{ networkId: 'net2', addr: '' }]);
    const other = await addService(test, onNetworks('api', 'host'));
    await settle();
    expect(test.store.read.service.get(other)?.endpoint?.virtualIps).toEqual([{ networkId: 'net2', addr: '' }]);
    await expect(test.control.removeNetwork({ networkId: 'net1', name: '' })).rejects.toMatchObject({
      message: 'bridge is a pre-defined network and cannot be removed',
    });
  });

  it('writes on a waiting task why it waits, and goes on when it can', async () => {
    const test = await testControl();
    start(test);
    await addNetwork(test, 'small', '10.5.0.0/30');
    const id = await addService(test, onNetworks('web', 'small'));
    await addTasks(test, id, 1);
    await settle();
    const [task] = tasksOf(test, id);
    expect(task?.status).toMatchObject({
      state: TaskState.NEW,
      err: expect.stringContaining('no free address in network small') as string,
    });
    const other = await addService(test, aServiceSpec('dnsrr'));
    // The service gives up its virtual address, which frees one for the task.
    const service = test.store.read.service.get(id) as Service;
    await test.control.updateService({
      serviceId: id,
      serviceVersion: service.meta?.version,
      spec: { ...onNetworks('web', 'small'), endpoint: { mode: 1, ports: [] } },
      rollback: 0,
    });
    await settle();
    expect(tasksOf(test, id)[0]?.status).toMatchObject({ state: TaskState.PENDING, err: '' });
    expect(other).not.toBe(id);
  });

  it('writes on a waiting network and on a node why they wait, and goes on when they can', async () => {
    const test = await testControl();
    start(test);
    await test.store.update((tx) => {
      for (const cluster of tx.cluster.all()) {
        tx.cluster.update({ ...cluster, defaultAddressPool: ['10.77.0.0/30'], subnetSize: 30 });
      }
    });
    const first = await addNetwork(test, 'first');
    await settle();
    const second = await addNetwork(test, 'second');
    const waitsFor = (id: string): string | undefined => test.store.read.network.get(id)?.waitsFor;
    await settle();
    expect([waitsFor(first), waitsFor(second)]).toEqual([
      '',
      expect.stringContaining('no free subnet of size /30 in the default address pool 10.77.0.0/30'),
    ]);
    // The only address that is left goes to the service.
    const id = await addService(test, onNetworks('web', 'first'));
    await settle();
    const engine = { engineVersion: '20.10', labels: {}, plugins: [{ type: 'Network', name: 'overlay' }] };
    const task = Task.fromPartial({ id: 't', nodeId: 'n1', status: { state: TaskState.RUNNING } });
    await test.store.update((tx) => {
      tx.node.create({
        ...Node.fromPartial({ id: 'n1' }),
        description: { ...NodeDescription.fromPartial({}), engine },
      });
      const network = tx.network.get(first);
      tx.task.create({ ...task, networks: [{ network, addresses: [], aliases: [], driverAttachmentOpts: {} }] });
    });
    await settle();
    expect(test.store.read.node.get('n1')?.waitsFor).toContain('no free address in network first');
    await test.control.removeService({ serviceId: id });
    await settle();
    expect(test.store.read.node.get('n1')).toMatchObject({
      waitsFor: '',
      attachments: [{ addresses: ['10.77.0.2/30'] }],
    });
    await test.store.update((tx) => {
      tx.task.delete('t');
      tx.node.delete('n1');
    });
    await test.control.removeNetwork({ networkId: first, name: '' });
    await settle();
    expect(waitsFor(second)).toBe('');
  });

  it('writes on waiting tasks that no port number is left', async () => {
    const test = await testControl();
    start(test);
    const many = Array<number>(DYNAMIC_PORTS.last - DYNAMIC_PORTS.first + 1).fill(0);
    const greedy = await addService(test, { ...aServiceSpec('greedy'), endpoint: ingress(...many) });
    await settle();
    const id = await addService(test, { ...aServiceSpec('late'), endpoint: ingress(0) });
    await addTasks(test, id, 1);
    await settle();
    expect(tasksOf(test, id)[0]?.status?.err).toContain('no free port for port 80/tcp between 30000 and 32767');
    await test.control.removeService({ serviceId: greedy });
    await settle();
    expect(tasksOf(test, id)[0]?.status).toMatchObject({ state: TaskState.PENDING, err: '' });
  });

  it('does not write the same reason again and again', async () => {
    const test = await testControl();
    start(test);
    await addNetwork(test, 'small', '10.5.0.0/30');
    const id = await addService(test, onNetworks('web', 'small'));
    await addTasks(test, id, 1);
    await settle();
    const before = test.entries.length;
    await settle();
    expect(test.entries).toHaveLength(before);
  });

  it('never lets two hold one address or port, whatever comes and goes and whoever leads', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('service' as const), dynamic: fc.nat(2), networks: fc.nat(2) }),
      fc.record({ kind: fc.constant('tasks' as const), pick: fc.nat(9), count: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ kind: fc.constant('endTask' as const), pick: fc.nat(99) }),
      fc.record({ kind: fc.constant('removeService' as const), pick: fc.nat(9) }),
      fc.record({ kind: fc.constant('election' as const) }),
      fc.record({ kind: fc.constant('settle' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const test = await testControl();
        let stop = start(test);
        await addNetwork(test, 'n0');
        await addNetwork(test, 'n1', '10.7.0.0/28');
        let made = 0;
        for (const s of steps) {
          const services = test.store.read.service.all();
          if (s.kind === 'service') {
            const base = onNetworks(`s${++made}`, ...['n0', 'n1'].slice(0, s.networks));
            await addService(test, { ...base, endpoint: ingress(...Array<number>(s.dynamic).fill(0)) });
          } else if (s.kind === 'tasks') {
            const service = services[s.pick % Math.max(1, services.length)];
            if (service) await addTasks(test, service.id, s.count, `${service.id}-${++made}`);
          } else if (s.kind === 'endTask') {
            const tasks = test.store.read.task.all();
            const task = tasks[s.pick % Math.max(1, tasks.length)];
            const status = { ...Task.fromPartial({ status: { state: TaskState.FAILED } }).status };
            if (task)
              await test.store.update((tx) =>
                tx.task.update({ ...(tx.task.get(task.id) as Task), status: status as Task['status'] }),
              );
          } else if (s.kind === 'removeService') {
            const service = services[s.pick % Math.max(1, services.length)];
            if (service) await test.control.removeService({ serviceId: service.id });
          } else if (s.kind === 'election') {
            await stop();
            stop = start(test);
          } else await settle();
          expectNothingTwice(test);
        }
        await settle();
        expectNothingTwice(test);
        const chosen = test.store.read.service.all().flatMap((service) => portsOf(test, service.id));
        expect(chosen).not.toContain(0);
        await stop();
      }),
      { numRuns: 25 },
    );
  });
});

function expectNothingTwice(test: TestControl): void {
  const addresses = addressesInUse(test);
  expect(addresses.length).toBe(new Set(addresses).size);
  const numbers = test.store.read.service
    .all()
    .flatMap((service) => portsOf(test, service.id))
    .filter((number) => number !== 0);
  expect(numbers.length).toBe(new Set(numbers).size);
}

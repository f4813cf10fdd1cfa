import { describe, expect, it } from 'vitest';
import { UpdateServiceRequest_Rollback } from '../../../../src/proto/generated/docker/swarmkit/v1/control.ts';
import type { Service } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { Network, Task } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import {
  EndpointSpec,
  type ContainerSpec,
  type ServiceSpec,
  type TaskSpec,
} from '../../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import {
  NetworkAttachmentConfig,
  PortConfig,
  PortConfig_PublishMode,
  RestartPolicy_RestartCondition,
  TaskState,
  UpdateStatus_UpdateState,
} from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import {
  aConfigSpec,
  aSecretSpec,
  aServiceSpec,
  testControl,
  type TestControl,
} from '../../../support/local-control.ts';

const create = async ({ control }: TestControl, spec: ServiceSpec): Promise<Service> =>
  (await control.createService({ id: '', spec })).service as Service;

const update = async (
  { control }: TestControl,
  service: Service,
  spec: ServiceSpec | undefined,
  rollback: UpdateServiceRequest_Rollback = UpdateServiceRequest_Rollback.NONE,
): Promise<Service> =>
  (await control.updateService({ serviceId: service.id, serviceVersion: service.meta?.version, spec, rollback }))
    .service as Service;

/** A spec that takes this many bytes, and some more. */
function aSpecOfBytes(bytes: number): ServiceSpec {
  const spec = aServiceSpec();
  const container = spec.task?.runtime?.value as ContainerSpec;
  const runtime = { $case: 'container', value: { ...container, env: ['X'.repeat(bytes)] } } as const;
  return { ...spec, task: { ...(spec.task as TaskSpec), runtime } };
}

const scaled = (replicas: number): ServiceSpec =>
  aServiceSpec('web', { mode: { $case: 'replicated', value: { replicas } } });
const replicasOf = (spec: ServiceSpec | undefined): number =>
  spec?.mode?.$case === 'replicated' ? spec.mode.value.replicas : -1;
const published = (port: number, mode: PortConfig_PublishMode = PortConfig_PublishMode.INGRESS): EndpointSpec => ({
  mode: 0,
  ports: [{ name: '', protocol: 0, targetPort: 80, publishedPort: port, publishMode: mode }],
});
const refusal = (code: string, message: unknown = expect.anything()): Error =>
  expect.objectContaining({ code, message }) as Error;

describe('creating a service', () => {
  it('gives it an id, a version and a spec version of its own', async () => {
    const service = await create(await testControl(), aServiceSpec());
    expect(service).toMatchObject({ id: 'id1', specVersion: { index: 0 }, endpoint: { ports: [] } });
    expect(service.meta?.version?.index).toBeGreaterThan(0);
  });

  it('refuses a taken name, whatever its case', async () => {
    const test = await testControl();
    await create(test, aServiceSpec('web'));
    await expect(create(test, aServiceSpec('WEB'))).rejects.toEqual(
      refusal('alreadyExists', 'name conflicts with an existing object: service WEB already exists'),
    );
  });

  it('makes no second service when the same call comes again', async () => {
    const { control, store } = await testControl();
    await control.createService({ id: 'chosen', spec: aServiceSpec() });
    const again = await control.createService({ id: 'chosen', spec: aServiceSpec() });
    expect(again.service?.id).toBe('chosen');
    expect(store.read.service.size).toBe(1);
  });

  it('names everything that is missing at once', async () => {
    const target = { $case: 'file', value: { name: 'f', uid: '0', gid: '0', mode: 0 } } as const;
    const spec = aServiceSpec();
    const container = spec.task?.runtime?.value as ContainerSpec;
    const secrets = [
      { secretId: '1', secretName: 'n', target },
      { secretId: '2', secretName: 'm', target: { ...target, value: { ...target.value, name: 'g' } } },
    ];
    const task: TaskSpec = {
      ...(spec.task as TaskSpec),
      runtime: { $case: 'container', value: { ...container, secrets } },
    };
    await expect(create(await testControl(), { ...spec, task })).rejects.toEqual(
      refusal('invalidArgument', 'secrets not found: n, m'),
    );
  });

  it.each([730 * 1024, 1_000_000, 2_000_000])(
    'refuses one of %i bytes, which could never be changed, and goes on serving',
    async (bytes) => {
      const test = await testControl();
      const why = /^the service spec takes \d+ bytes and may take 737280: make it smaller/;
      await expect(create(test, aSpecOfBytes(bytes))).rejects.toThrow(why);
      const service = await create(test, aServiceSpec());
      await expect(update(test, service, aSpecOfBytes(bytes))).rejects.toThrow(why);
    },
  );

  it('changes and rolls back the largest that it takes, with all its ports', async () => {
    const test = await testControl();
    const ports = Array.from({ length: 2_000 }, (_, i) =>
      PortConfig.fromPartial({ targetPort: i + 1, publishedPort: i + 1, publishMode: PortConfig_PublishMode.HOST }),
    );
    const endpoint = { ...EndpointSpec.fromPartial({}), ports };
    const spec = { ...aSpecOfBytes(680 * 1024), endpoint };
    let service = await create(test, spec);
    const labels = { version: '2' };
    for (let round = 0; round < 2; round++) {
      const annotations = { name: spec.annotations?.name ?? '', labels, indices: [] };
      service = await update(test, service, { ...spec, annotations });
      service = await update(test, service, undefined, UpdateServiceRequest_Rollback.PREVIOUS);
    }
    expect(service.spec?.annotations?.labels).toEqual({});
  });

  it('takes networks by name and keeps their ids', async () => {
    const test = await testControl();
    const { network } = await test.control.createNetwork({
      id: '',
      spec: Network.fromPartial({ spec: { annotations: { name: 'back' } } }).spec,
    });
    const spec = aServiceSpec();
    const task = { ...spec.task, networks: [NetworkAttachmentConfig.fromPartial({ target: 'back' })] } as TaskSpec;
    const service = await create(test, { ...spec, task });
    expect(service.spec?.task?.networks[0]?.target).toBe(network?.id);
    await expect(test.control.removeNetwork({ networkId: network?.id ?? '', name: '' })).rejects.toEqual(
      refusal('failedPrecondition', `network ${network?.id} is in use by service ${service.id}`),
    );
  });

  it('refuses a port of the mesh that another service has, and says which', async () => {
    const test = await testControl();
    const first = await create(test, aServiceSpec('pub', { endpoint: published(18080) }));
    await expect(create(test, aServiceSpec('other', { endpoint: published(18080) }))).rejects.toEqual(
      refusal('invalidArgument', `port '18080' is already in use by service 'pub' (${first.id}) as an ingress port`),
    );
  });

  it('tells a port published on hosts from one of the mesh', async () => {
    const test = await testControl();
    const first = await create(test, aServiceSpec('pub', { endpoint: published(9000, PortConfig_PublishMode.HOST) }));
    await expect(create(test, aServiceSpec('other', { endpoint: published(9000) }))).rejects.toEqual(
      refusal(
        'invalidArgument',
        `port '9000' is already in use by service 'pub' (${first.id}) as a host-published port`,
      ),
    );
    await create(test, aServiceSpec('third', { endpoint: published(9000, PortConfig_PublishMode.HOST) }));
  });

  it('refuses a number that was chosen for another service', async () => {
    const test = await testControl();
    const first = await create(test, aServiceSpec('pub'));
    await test.store.update((tx) =>
      tx.service.update({ ...first, endpoint: { spec: undefined, ports: published(30000).ports, virtualIps: [] } }),
    );
    await expect(create(test, aServiceSpec('other', { endpoint: published(30000) }))).rejects.toEqual(
      refusal('invalidArgument'),
    );
  });
});

describe('updating a service', () => {
  it('keeps the former spec and marks the new one with the version it replaced', async () => {
    const test = await testControl();
    const first = await create(test, scaled(1));
    const second = await update(test, first, scaled(2));
    expect(replicasOf(second.spec)).toBe(2);
    expect(replicasOf(second.previousSpec)).toBe(1);
    expect(second.specVersion).toEqual(first.meta?.version);
    expect(second.previousSpecVersion).toEqual({ index: 0 });
  });

  it('rolls back and forth between two specs with their versions', async () => {
    const test = await testControl();
    const first = await create(test, scaled(1));
    const second = await update(test, first, scaled(2));
    const back = await update(test, second, undefined, UpdateServiceRequest_Rollback.PREVIOUS);
    expect(replicasOf(back.spec)).toBe(1);
    expect(back.specVersion).toEqual(first.specVersion);
    expect(back.updateStatus).toMatchObject({
      state: UpdateStatus_UpdateState.ROLLBACK_STARTED,
      message: 'manually requested rollback',
    });
    const forth = await update(test, back, undefined, UpdateServiceRequest_Rollback.PREVIOUS);
    expect(replicasOf(forth.spec)).toBe(2);
    expect(forth.specVersion).toEqual(second.specVersion);
  });

  it('refuses to roll back what was never updated', async () => {
    const test = await testControl();
    const first = await create(test, scaled(1));
    await expect(update(test, first, undefined, UpdateServiceRequest_Rollback.PREVIOUS)).rejects.toEqual(
      refusal('failedPrecondition', `service ${first.id} does not have a previous spec`),
    );
  });

  it('forgets the status of the last update', async () => {
    const test = await testControl();
    const first = await update(test, await create(test, scaled(1)), scaled(2));
    const back = await update(test, first, undefined, UpdateServiceRequest_Rollback.PREVIOUS);
    expect((await update(test, back, scaled(3))).updateStatus).toBeUndefined();
  });

  it('takes a change by somebody who saw the newest one, though its progress was written since', async () => {
    const test = await testControl();
    const first = await create(test, scaled(1));
    const second = await update(test, first, scaled(2));
    const writeProgress = (): Promise<unknown> =>
      test.store.update((tx) =>
        tx.service.update({ ...(tx.service.get(first.id) as Service), updateStatus: undefined }),
      );
    await writeProgress();
    const third = await update(test, second, scaled(3));
    await writeProgress();
    const back = await update(test, third, undefined, UpdateServiceRequest_Rollback.PREVIOUS);
    await writeProgress();
    for (const stale of [first, second, third, { ...back, meta: { version: { index: 1e6 } } } as Service]) {
      await expect(update(test, stale, scaled(4))).rejects.toMatchObject({ code: 'outOfSequence' });
    }
    expect(replicasOf((await update(test, back, scaled(4))).spec)).toBe(4);
  });

  it('refuses a stale version after all other checks', async () => {
    const test = await testControl();
    const first = await create(test, scaled(1));
    await update(test, first, scaled(2));
    await expect(update(test, first, scaled(3))).rejects.toEqual(
      refusal('outOfSequence', expect.stringContaining('update out of sequence')),
    );
    await expect(update(test, first, aServiceSpec('other'))).rejects.toEqual(
      refusal('unimplemented', 'renaming services is not supported'),
    );
    await expect(update(test, first, aServiceSpec('web', { mode: { $case: 'global', value: {} } }))).rejects.toEqual(
      refusal('unimplemented', 'service mode change is not allowed'),
    );
    await expect(update(test, { ...first, id: 'nosuch' }, scaled(3))).rejects.toEqual(
      refusal('notFound', 'service nosuch not found'),
    );
  });

  it('does not count its own ports as taken', async () => {
    const test = await testControl();
    const spec = aServiceSpec('web', { endpoint: published(18080) });
    const service = await create(test, spec);
    await expect(update(test, service, spec)).resolves.toBeDefined();
  });

  it('begins a new iteration of a job', async () => {
    const test = await testControl();
    const job = aServiceSpec('job', {
      mode: { $case: 'replicatedJob', value: { maxConcurrent: 1, totalCompletions: 3 } },
    });
    const first = await create(test, job);
    expect(first.jobStatus?.jobIteration).toEqual({ index: 0 });
    expect((await update(test, first, job)).jobStatus?.jobIteration).toEqual({ index: 1 });
  });
});

describe('reading services', () => {
  it('fills in defaults only when asked', async () => {
    const test = await testControl();
    const { id } = await create(test, aServiceSpec());
    const bare = await test.control.getService({ serviceId: id, insertDefaults: false });
    const full = await test.control.getService({ serviceId: id, insertDefaults: true });
    expect(bare.service?.spec?.update).toBeUndefined();
    expect(full.service?.spec?.update).toMatchObject({ parallelism: 1, monitor: { seconds: 5 } });
    expect(full.service?.spec?.task?.restart).toMatchObject({
      condition: RestartPolicy_RestartCondition.ANY,
      delay: { seconds: 5 },
    });
  });

  it('lists by any of several names, by all labels, by id prefix', async () => {
    const test = await testControl();
    await create(
      test,
      aServiceSpec('a', { annotations: { name: 'a', labels: { tier: 'x', zone: '1' }, indices: [] } }),
    );
    await create(test, aServiceSpec('b'));
    const names = async (filters: object): Promise<unknown> =>
      (
        await test.control.listServices({
          filters: { names: [], idPrefixes: [], namePrefixes: [], labels: {}, runtimes: [], ...filters },
        })
      ).services.map((service) => service.spec?.annotations?.name);
    expect(await names({})).toEqual(['a', 'b']);
    expect(await names({ names: ['a', 'zzz'] })).toEqual(['a']);
    expect(await names({ labels: { tier: '', zone: '1' } })).toEqual(['a']);
    expect(await names({ labels: { tier: 'y' } })).toEqual([]);
    expect(await names({ idPrefixes: ['id'] })).toEqual(['a', 'b']);
    expect(await names({ idPrefixes: ['id1'], names: ['b'] })).toEqual([]);
    expect(await names({ runtimes: ['plugin'] })).toEqual([]);
  });

  it('counts tasks of a service as `service ls` shows them', async () => {
    const test = await testControl();
    const { id } = await create(test, scaled(3));
    await test.store.update((tx) => {
      const states = [TaskState.RUNNING, TaskState.RUNNING, TaskState.FAILED];
      states.forEach((state, i) =>
        tx.task.create(
          Task.fromPartial({ id: `t${i}`, serviceId: id, status: { state }, desiredState: TaskState.RUNNING }),
        ),
      );
    });
    const { statuses } = await test.control.listServiceStatuses({ services: [id, 'nosuch'] });
    expect(statuses).toEqual([
      { serviceId: id, desiredTasks: 3, runningTasks: 2, completedTasks: 0 },
      { serviceId: 'nosuch', desiredTasks: 0, runningTasks: 0, completedTasks: 0 },
    ]);
  });

  it('does not count a task of a global service that waits for the one it replaces as wanted', async () => {
    const test = await testControl();
    const mode = { $case: 'global', value: {} } as const;
    const { id } = await create(test, aServiceSpec('agent', { mode }));
    const { READY, RUNNING, SHUTDOWN } = TaskState;
    await test.store.update((tx) => {
      [RUNNING, READY, SHUTDOWN].forEach((desiredState, i) =>
        tx.task.create(Task.fromPartial({ id: `t${i}`, serviceId: id, status: { state: RUNNING }, desiredState })),
      );
    });
    const { statuses } = await test.control.listServiceStatuses({ services: [id] });
    expect(statuses).toEqual([{ serviceId: id, desiredTasks: 1, runningTasks: 3, completedTasks: 0 }]);
  });

  it('counts the slots of a job that completed in its present iteration, each once', async () => {
    const test = await testControl();
    const mode = { $case: 'replicatedJob', value: { maxConcurrent: 2, totalCompletions: 3 } } as const;
    const { id } = await create(test, aServiceSpec('job', { mode, update: undefined, rollback: undefined }));
    await test.store.update((tx) => {
      const tasks = [
        { slot: 0, iteration: 0 },
        { slot: 0, iteration: 0 },
        { slot: 2, iteration: 0 },
        { slot: 1, iteration: 1 },
      ];
      tasks.forEach(({ slot, iteration }, i) =>
        tx.task.create(
          Task.fromPartial({
            id: `t${i}`,
            serviceId: id,
            slot,
            nodeId: `n${i}`,
            status: { state: TaskState.COMPLETE },
            desiredState: TaskState.COMPLETE,
            jobIteration: { index: iteration },
          }),
        ),
      );
    });
    const { statuses } = await test.control.listServiceStatuses({ services: [id] });
    expect(statuses).toEqual([{ serviceId: id, desiredTasks: 2, runningTasks: 0, completedTasks: 2 }]);
  });

  it('runs a job again when it is rolled back, without an update status that nothing would end', async () => {
    const test = await testControl();
    const job = (totalCompletions: number) =>
      aServiceSpec('job', { mode: { $case: 'replicatedJob', value: { maxConcurrent: 1, totalCompletions } } });
    const first = await create(test, job(1));
    const second = await update(test, first, job(2));
    const { service } = await test.control.updateService({
      serviceId: first.id,
      serviceVersion: second.meta?.version,
      spec: undefined,
      rollback: UpdateServiceRequest_Rollback.PREVIOUS,
    });
    expect(service?.spec?.mode).toEqual(job(1).mode);
    expect(service?.jobStatus?.jobIteration).toEqual({ index: 2 });
    expect(service?.updateStatus).toBeUndefined();
  });
});

describe('tasks', () => {
  it('leaves out those of an older spec when only up-to-date ones are asked for', async () => {
    const test = await testControl();
    const first = await create(test, aServiceSpec());
    const task = (id: string, specVersion: number, image: string): Task =>
      Task.fromPartial({
        id,
        serviceId: first.id,
        slot: 1,
        specVersion: { index: specVersion },
        serviceAnnotations: { name: 'web' },
        spec: { runtime: { $case: 'container', value: { image } } },
      });
    await test.store.update((tx) => {
      tx.task.create(task('old', 77, 'other'));
      tx.task.create(task('same', 77, 'busybox'));
      tx.task.create(task('new', 0, 'busybox'));
    });
    const filters = {
      names: [],
      idPrefixes: [],
      namePrefixes: [],
      labels: {},
      serviceIds: [first.id],
      nodeIds: [],
      desiredStates: [],
      upToDate: true,
      runtimes: [],
    };
    const { tasks } = await test.control.listTasks({ filters });
    expect(tasks.map(({ id }) => id).toSorted()).toEqual(['new', 'same']);
    const named = await test.control.listTasks({ filters: { ...filters, upToDate: false, names: ['web.1.old'] } });
    expect(named.tasks.map(({ id }) => id)).toEqual(['old']);
    const anywhere = { ...filters, serviceIds: [], upToDate: false };
    const byName = await test.control.listTasks({ filters: { ...anywhere, names: ['web.1.new'] } });
    expect(byName.tasks.map(({ id }) => id)).toEqual(['new']);
    const byId = await test.control.listTasks({ filters: { ...anywhere, idPrefixes: ['same'] } });
    expect(byId.tasks.map(({ id }) => id)).toEqual(['same']);
  });
});

describe('secrets and configs', () => {
  it('never gives secret data back, but does give config data', async () => {
    const { control, store } = await testControl();
    const secret = await control.createSecret({ id: '', spec: aSecretSpec('s') });
    const config = await control.createConfig({ id: '', spec: aConfigSpec('c') });
    expect(secret.secret?.spec?.data).toHaveLength(0);
    expect((await control.getSecret({ secretId: secret.secret?.id ?? '' })).secret?.spec?.data).toHaveLength(0);
    expect((await control.getConfig({ configId: config.config?.id ?? '' })).config?.spec?.data.toString()).toBe(
      'config',
    );
    expect(store.read.secret.byName('s')?.spec?.data.toString()).toBe('secret');
  });

  it('changes labels and nothing else', async () => {
    const { control } = await testControl();
    const { config } = await control.createConfig({ id: '', spec: aConfigSpec('c') });
    const relabelled = { ...aConfigSpec('c'), annotations: { name: 'c', labels: { a: 'b' }, indices: [] } };
    const updated = await control.updateConfig({
      configId: config?.id ?? '',
      configVersion: config?.meta?.version,
      spec: relabelled,
    });
    expect(updated.config?.spec?.annotations?.labels).toEqual({ a: 'b' });
    await expect(
      control.updateConfig({
        configId: config?.id ?? '',
        configVersion: updated.config?.meta?.version,
        spec: aConfigSpec('c', 'other'),
      }),
    ).rejects.toEqual(refusal('invalidArgument', 'only updates to Labels are allowed'));
  });

  it('keeps what a service uses', async () => {
    const test = await testControl();
    const { secret } = await test.control.createSecret({ id: '', spec: aSecretSpec('s1') });
    const spec = aServiceSpec('sec');
    const target = { $case: 'file', value: { name: 'f', uid: '0', gid: '0', mode: 0 } } as const;
    const runtime = spec.task?.runtime;
    if (runtime?.$case !== 'container') throw new Error('no container');
    const secrets = [{ secretId: secret?.id ?? '', secretName: 's1', target }];
    const task = {
      ...(spec.task as TaskSpec),
      runtime: { $case: 'container', value: { ...runtime.value, secrets } },
    } as const;
    const service = await create(test, { ...spec, task });
    await expect(test.control.removeSecret({ secretId: secret?.id ?? '' })).rejects.toEqual(
      refusal('invalidArgument', "secret 's1' is in use by the following service: sec"),
    );
    await test.control.removeService({ serviceId: service.id });
    await expect(test.control.removeSecret({ secretId: secret?.id ?? '' })).resolves.toEqual({});
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiRig, type ApiRig, type Json } from '../../support/api-rig.ts';

let rig: ApiRig;
beforeAll(async () => {
  rig = await apiRig();
});
afterAll(() => rig.close());

const minimal = (name: string, more: object = {}) => ({
  Name: name,
  TaskTemplate: { ContainerSpec: { Image: 'busybox:local' } },
  ...more,
});

const create = async (spec: object): Promise<string> => {
  const answer = await rig.call('POST', '/v1.41/services/create', spec);
  expect(answer.text).toContain('"ID"');
  expect(answer.status).toBe(201);
  return String(answer.json['ID']);
};

describe('a service', () => {
  it('comes back exactly as it was sent, with what Docker adds', async () => {
    const spec = {
      Name: 'full',
      Labels: { l1: 'v1' },
      TaskTemplate: {
        ContainerSpec: {
          Image: 'busybox:local',
          Labels: { cl: 'v' },
          Args: ['sleep', '100000'],
          Hostname: '{{.Service.Name}}-{{.Task.Slot}}',
          Env: ['A=1', 'B=2'],
          Dir: '/tmp',
          User: '0:0',
          Groups: ['0'],
          Privileges: { CredentialSpec: null, SELinuxContext: null },
          Init: true,
          StopSignal: 'SIGINT',
          TTY: true,
          ReadOnly: true,
          Mounts: [
            { Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 1048576 } },
            {
              Type: 'volume',
              Source: 'vol1',
              Target: '/v',
              VolumeOptions: { Labels: { a: 'b' }, DriverConfig: { Name: 'local' } },
            },
            { Type: 'bind', Source: '/tmp', Target: '/h', ReadOnly: true },
          ],
          StopGracePeriod: 3000000000,
          Healthcheck: {
            Test: ['CMD-SHELL', 'true'],
            Interval: 2000000000,
            Timeout: 1000000000,
            StartPeriod: 1000000000,
            Retries: 3,
          },
          Hosts: ['1.2.3.4 h1'],
          DNSConfig: { Nameservers: ['1.1.1.1'], Search: ['ex.com'], Options: ['ndots:2'] },
          Isolation: 'default',
          Sysctls: { 'net.ipv4.ip_forward': '1' },
          CapabilityAdd: ['CAP_NET_ADMIN'],
          CapabilityDrop: ['CAP_CHOWN'],
          Ulimits: [{ Name: 'nofile', Hard: 200, Soft: 100 }],
        },
        Resources: {
          Limits: { NanoCPUs: 500000000, MemoryBytes: 67108864, Pids: 20 },
          Reservations: {
            NanoCPUs: 50000000,
            MemoryBytes: 8388608,
            GenericResources: [{ DiscreteResourceSpec: { Kind: 'gpu', Value: 2 } }],
          },
        },
        RestartPolicy: { Condition: 'on-failure', Delay: 2000000000, MaxAttempts: 3, Window: 30000000000 },
        Placement: {
          Constraints: ['node.role==manager'],
          Preferences: [{ Spread: { SpreadDescriptor: 'node.labels.zone' } }],
          MaxReplicas: 5,
          Platforms: [{ Architecture: 'amd64', OS: 'linux' }],
        },
        LogDriver: { Name: 'json-file', Options: { 'max-size': '1m' } },
        ForceUpdate: 0,
        Runtime: 'container',
      },
      Mode: { Replicated: { Replicas: 2 } },
      UpdateConfig: {
        Parallelism: 1,
        Delay: 1000000000,
        FailureAction: 'rollback',
        Monitor: 1000000000,
        MaxFailureRatio: 0.1,
        Order: 'start-first',
      },
      RollbackConfig: {
        Parallelism: 0,
        Delay: 1000000000,
        FailureAction: 'continue',
        Monitor: 1000000000,
        MaxFailureRatio: 0.2,
        Order: 'stop-first',
      },
      EndpointSpec: { Mode: 'vip' },
    };
    const id = await create(spec);
    const answer = await rig.call('GET', `/v1.41/services/${id}?insertDefaults=false`);
    expect(answer.json['Spec']).toEqual(spec);
    expect(Object.keys(answer.json)).toEqual(['ID', 'Version', 'CreatedAt', 'UpdatedAt', 'Spec', 'Endpoint']);
    expect(answer.json['Endpoint']).toEqual({ Spec: {} });
  });

  it('keeps the newer fields of clients that know them, and ignores them of clients that do not', async () => {
    const newer = {
      ContainerSpec: {
        Image: 'busybox:local',
        Privileges: {
          CredentialSpec: null,
          SELinuxContext: { Disable: false, User: '', Role: '', Type: '', Level: '' },
          Seccomp: { Mode: 'custom', Profile: 'e30=' },
          AppArmor: { Mode: 'disabled' },
          NoNewPrivileges: true,
        },
        Mounts: [
          {
            Type: 'bind',
            Source: '/a',
            Target: '/a',
            ReadOnly: true,
            BindOptions: { Propagation: 'rslave', CreateMountpoint: true, ReadOnlyNonRecursive: true },
          },
          { Type: 'tmpfs', Target: '/b', TmpfsOptions: { Options: [['uid', '10'], ['exec']] } },
        ],
        Healthcheck: { Test: ['CMD', 'true'], StartInterval: 5000000000 },
        OomScoreAdj: 500,
      },
    };
    await create(minimal('newer', { TaskTemplate: newer }));
    const viaOld = (await rig.call('GET', '/v1.41/services/newer')).json['Spec']?.['TaskTemplate']?.['ContainerSpec'];
    expect(viaOld?.['OomScoreAdj']).toBeUndefined();

    const answer = await rig.call('POST', '/v1.46/services/create', minimal('newer2', { TaskTemplate: newer }));
    expect(answer.status).toBe(201);
    const shown = (await rig.call('GET', '/v1.46/services/newer2')).json['Spec']?.['TaskTemplate'];
    expect(shown?.['ContainerSpec']).toEqual({ ...newer.ContainerSpec, Isolation: 'default' });
  });

  it('accepts the words of mounts and ports in any case, and parts that are for other runtimes', async () => {
    const container = {
      Image: 'busybox:local',
      Mounts: [{ Type: 'BIND', Source: '/a', Target: '/a', BindOptions: { Propagation: 'RShared' } }],
    };
    await create(
      minimal('words', {
        TaskTemplate: { ContainerSpec: container, PluginSpec: {}, NetworkAttachmentSpec: { ContainerID: 'x' } },
        EndpointSpec: { Ports: [{ Protocol: 'UDP', PublishMode: 'Host', TargetPort: 80 }] },
      }),
    );
    const { Spec: spec } = (await rig.call('GET', '/services/words')).json;
    expect(spec?.['TaskTemplate']?.['ContainerSpec']?.['Mounts']).toEqual([
      { Type: 'bind', Source: '/a', Target: '/a', BindOptions: { Propagation: 'rshared' } },
    ]);
    expect(spec?.['EndpointSpec']?.['Ports']).toEqual([{ Protocol: 'udp', PublishMode: 'host', TargetPort: 80 }]);
  });

  it('accepts keys in any case, unknown keys and text after the JSON', async () => {
    const answer = await rig.call(
      'POST',
      '/v1.41/services/create',
      '{"name":"cases","taskTemplate":{"containerSpec":{"image":"busybox:local","HealthCheck":{"Test":["NONE"]},"EnV":["X=1"]}},"Nonsense":{"a":[1]}} trailing',
    );
    expect(answer.status).toBe(201);
    const shown = await rig.call('GET', '/services/cases');
    expect(shown.json['Spec']?.['TaskTemplate']?.['ContainerSpec']).toEqual({
      Image: 'busybox:local',
      Env: ['X=1'],
      Healthcheck: { Test: ['NONE'] },
      Isolation: 'default',
    });
    expect(shown.json['Spec']?.['Mode']).toEqual({ Replicated: { Replicas: 1 } });
  });

  it.each([
    ['HyperV', 'hyperv'],
    ['process', 'process'],
    ['nonsense', 'default'],
  ])('reads the isolation %s as %s', async (given, shown) => {
    await create({
      Name: `isolated-${given}`,
      TaskTemplate: { ContainerSpec: { Image: 'busybox:local', Isolation: given } },
    });
    const spec = (await rig.call('GET', `/services/isolated-${given}`)).json['Spec'] as Json;
    expect(spec['TaskTemplate']).toMatchObject({ ContainerSpec: { Isolation: shown } });
  });

  it('gets a name of two words when it was given none', async () => {
    const id = await create({ TaskTemplate: { ContainerSpec: { Image: 'busybox:local' } } });
    const name = (await rig.call('GET', `/services/${id}`)).json['Spec']?.['Name'];
    expect(name).toMatch(/^[a-z]+_[a-z]+$/);
  });

  it('shows defaults only when they are asked for', async () => {
    await create(minimal('plain'));
    const plain = (await rig.call('GET', '/v1.41/services/plain?insertDefaults=false')).json['Spec'] as Json;
    expect(plain['UpdateConfig']).toBeUndefined();
    const full = (await rig.call('GET', '/v1.41/services/plain?insertDefaults=true')).json['Spec'] as Json;
    const update = {
      Parallelism: 1,
      FailureAction: 'pause',
      Monitor: 5000000000,
      MaxFailureRatio: 0,
      Order: 'stop-first',
    };
    expect(full['UpdateConfig']).toEqual(update);
    expect(full['RollbackConfig']).toEqual(update);
    expect(full['TaskTemplate']).toEqual({
      ContainerSpec: { Image: 'busybox:local', StopGracePeriod: 10000000000, DNSConfig: {}, Isolation: 'default' },
      Resources: {},
      RestartPolicy: { Condition: 'any', Delay: 5000000000, MaxAttempts: 0 },
      Placement: {},
      ForceUpdate: 0,
      Runtime: 'container',
    });
    expect(full).not.toHaveProperty('EndpointSpec');
  });

  it('is looked for after the spec of an update was read', async () => {
    const empty = await rig.call('POST', '/v1.41/services/nosuch/update?version=1', { Name: 'nosuch' });
    expect([empty.status, empty.message]).toEqual([400, 'mismatched Runtime and *Spec fields']);
    const good = await rig.call('POST', '/v1.41/services/nosuch/update?version=1', minimal('nosuch'));
    expect([good.status, good.message]).toEqual([404, 'service nosuch not found']);
  });

  it('is found by id, by name and by a beginning of its id', async () => {
    const id = await create(minimal('found'));
    for (const key of [id, 'found', id.slice(0, 10)]) {
      expect((await rig.call('GET', `/v1.41/services/${key}`)).json['ID']).toBe(id);
    }
    const miss = await rig.call('GET', '/v1.41/services/FOUND');
    expect([miss.status, miss.message]).toEqual([404, 'service FOUND not found']);
  });

  it('is updated, rolled back and removed', async () => {
    const id = await create(minimal('life'));
    const before = (await rig.call('GET', `/services/${id}`)).json;
    const update = await rig.call(
      'POST',
      `/v1.41/services/${id}/update?version=${String(before['Version']?.['Index'])}&registryAuthFrom=spec&Name=life&TaskTemplate={}`,
      minimal('life', { Mode: { Replicated: { Replicas: 3 } } }),
    );
    expect([update.status, update.text]).toEqual([200, '{"Warnings":null}\n']);
    const after = (await rig.call('GET', `/services/${id}`)).json;
    expect(after['Spec']?.['Mode']).toEqual({ Replicated: { Replicas: 3 } });
    expect(after['PreviousSpec']?.['Mode']).toEqual({ Replicated: { Replicas: 1 } });

    const stale = await rig.call('POST', `/v1.41/services/${id}/update?version=1`, minimal('life'));
    expect(stale.status).toBe(409);
    expect(stale.message).toMatch(/^rpc error: code = Unknown desc = update out of sequence/);

    const rollback = `/v1.41/services/${id}/update?rollback=previous&version=${String(after['Version']?.['Index'])}`;
    expect((await rig.call('POST', rollback, minimal('life'))).status).toBe(200);
    expect((await rig.call('GET', `/services/${id}`)).json['Spec']?.['Mode']).toEqual({ Replicated: { Replicas: 1 } });

    const removed = await rig.call('DELETE', '/v1.41/services/life');
    expect([removed.status, removed.text]).toEqual([200, '']);
    expect((await rig.call('GET', `/services/${id}`)).status).toBe(404);
  });

  it('keeps registry credentials over updates and never shows them', async () => {
    const auth = Buffer.from('{"username":"u"}').toString('base64url');
    const answer = await rig.call('POST', '/services/create', minimal('auth'), { 'x-registry-auth': auth });
    const id = String(answer.json['ID']);
    const stored = () => {
      const runtime = rig.store.read.service.get(id)?.spec?.task?.runtime;
      return runtime?.$case === 'container' ? runtime.value.pullOptions?.registryAuth : undefined;
    };
    expect(stored()).toBe(auth);
    const shown = await rig.call('GET', `/services/${id}`);
    expect(shown.text).not.toContain(auth);
    const version = String(shown.json['Version']?.['Index']);
    await rig.call('POST', `/services/${id}/update?version=${version}`, minimal('auth', { Labels: { a: 'b' } }), {
      'x-registry-auth': 'e30=',
    });
    expect(stored()).toBe(auth);
  });

  it('knows its networks by name and keeps them by id', async () => {
    const network = await rig.call('POST', '/v1.41/networks/create', { Name: 'back', Driver: 'overlay' });
    expect(network.status).toBe(201);
    await create(minimal('netted', { Networks: [{ Target: 'back', Aliases: ['x'] }] }));
    const shown = (await rig.call('GET', '/services/netted')).json['Spec'];
    expect(shown?.['Networks']).toEqual([{ Target: network.json['Id'], Aliases: ['x'] }]);
    const unknown = await rig.call('POST', '/services/create', minimal('n2', { Networks: [{ Target: 'nosuch' }] }));
    expect([unknown.status, unknown.message]).toEqual([500, 'network nosuch not found']);
  });
});

describe('the endpoint of a service', () => {
  const shown = async (name: string): Promise<unknown> =>
    (await rig.call('GET', `/services/${name}`)).json['Endpoint']?.['Spec'];

  it('is told once networks give it an address, or may have given it one before', async () => {
    await rig.call('POST', '/networks/create', { Name: 'ends', Driver: 'overlay' });
    for (const Mode of ['vip', 'dnsrr']) {
      const id = await create(minimal(Mode, { Networks: [{ Target: 'ends' }], EndpointSpec: { Mode } }));
      // As the allocator leaves them.
      await rig.store.update((tx) => {
        const service = tx.service.get(id);
        const spec = service?.spec?.endpoint;
        if (service) tx.service.update({ ...service, endpoint: { spec, ports: [], virtualIps: [] } });
      });
    }
    expect([await shown('vip'), await shown('dnsrr')]).toEqual([{ Mode: 'vip' }, {}]);
    await rig.store.update((tx) => {
      for (const service of tx.service.all())
        if (service.spec?.annotations?.name === 'dnsrr') tx.service.update({ ...service, previousSpec: service.spec });
    });
    expect(await shown('dnsrr')).toEqual({ Mode: 'dnsrr' });
  });
});

describe('lists of services', () => {
  it('are filtered in both shapes of filters', async () => {
    await create(minimal('list-a', { Labels: { team: 'x', tier: '1' } }));
    await create(minimal('list-b', { Labels: { team: 'x', tier: '2' }, Mode: { Global: {} } }));
    const names = async (filters: object): Promise<readonly string[]> => {
      const answer = await rig.call('GET', `/v1.41/services?filters=${encodeURIComponent(JSON.stringify(filters))}`);
      expect(answer.status).toBe(200);
      return answer.json.map((service) => String(service['Spec']?.['Name'])).sort();
    };
    expect(await names({ name: { 'list-': true } })).toEqual(['list-a', 'list-b']);
    expect(await names({ name: ['list-a', 'list-b'], mode: ['global'] })).toEqual(['list-b']);
    expect(await names({ label: ['team=x', 'tier=1'] })).toEqual(['list-a']);
    expect(await names({ label: ['team'] })).toEqual(['list-a', 'list-b']);
    expect(await names({ mode: ['nosuch'] })).toEqual([]);
  });

  it('count tasks when asked', async () => {
    const answer = await rig.call('GET', '/v1.41/services?status=true&filters={"name":["list-a"]}');
    expect(answer.json[0]?.['ServiceStatus']).toEqual({ RunningTasks: 0, DesiredTasks: 1, CompletedTasks: 0 });
    const older = await rig.call('GET', '/v1.40/services?status=true&filters={"name":["list-a"]}');
    expect((await rig.call('GET', '/v1.40/services?status=bogus')).status).toBe(200);
    expect(older.json[0]?.['ServiceStatus']).toBeUndefined();
  });
});

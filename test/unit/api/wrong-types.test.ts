/** Each field of each body that makes or changes something, given a value of another type, is refused and named. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiRig, type ApiRig } from '../../support/api-rig.ts';

type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value };

const SERVICE = {
  Name: 'other',
  Labels: { a: 'b' },
  TaskTemplate: {
    ContainerSpec: {
      Image: 'a',
      Labels: { a: 'b' },
      Command: ['x'],
      Args: ['y'],
      Hostname: 'h',
      Env: ['A=1'],
      Dir: '/',
      User: 'u',
      Groups: ['g'],
      StopSignal: 'SIGTERM',
      StopGracePeriod: 1,
      TTY: false,
      OpenStdin: false,
      ReadOnly: false,
      Init: true,
      Hosts: ['1.2.3.4 x'],
      Mounts: [{ Type: 'bind', Source: '/a', Target: '/b', ReadOnly: true, BindOptions: { Propagation: 'rprivate' } }],
      Healthcheck: { Test: ['CMD', 'x'], Interval: 1_000_000, Timeout: 1_000_000, Retries: 1, StartPeriod: 1_000_000 },
      DNSConfig: { Nameservers: ['1.1.1.1'], Search: ['x'], Options: ['y'] },
      Privileges: { SELinuxContext: { Disable: true, User: 'u' } },
      Sysctls: { a: 'b' },
      CapabilityAdd: ['CAP_NET_RAW'],
      CapabilityDrop: ['CAP_NET_RAW'],
      Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 2 }],
      Secrets: [{ SecretID: 's', SecretName: 's', File: { Name: 'f', UID: '0', GID: '0', Mode: 292 } }],
      Configs: [{ ConfigID: 'c', ConfigName: 'c', File: { Name: 'f', UID: '0', GID: '0', Mode: 292 } }],
    },
    Resources: { Limits: { NanoCPUs: 1, MemoryBytes: 4_194_304, Pids: 1 }, Reservations: { NanoCPUs: 1 } },
    RestartPolicy: { Condition: 'any', Delay: 1, MaxAttempts: 1, Window: 1 },
    Placement: {
      Constraints: ['node.role==manager'],
      Preferences: [{ Spread: { SpreadDescriptor: 'node.labels.a' } }],
      MaxReplicas: 1,
      Platforms: [{ Architecture: 'amd64', OS: 'linux' }],
    },
    Networks: [{ Target: 'n', Aliases: ['a'] }],
    LogDriver: { Name: 'none', Options: { a: 'b' } },
    ForceUpdate: 1,
    Runtime: 'container',
  },
  Mode: { Replicated: { Replicas: 1 } },
  UpdateConfig: {
    Parallelism: 1,
    Delay: 1,
    FailureAction: 'pause',
    Monitor: 1,
    MaxFailureRatio: 0.5,
    Order: 'stop-first',
  },
  RollbackConfig: { Parallelism: 1, Delay: 1, FailureAction: 'pause', Monitor: 1, MaxFailureRatio: 0.5 },
  EndpointSpec: {
    Mode: 'vip',
    Ports: [{ Name: 'p', Protocol: 'tcp', TargetPort: 80, PublishedPort: 80, PublishMode: 'host' }],
  },
};
const CLUSTER = {
  Name: 'default',
  Labels: { a: 'b' },
  Orchestration: { TaskHistoryRetentionLimit: 5 },
  Raft: { SnapshotInterval: 1, KeepOldSnapshots: 1, LogEntriesForSlowFollowers: 1, ElectionTick: 10, HeartbeatTick: 1 },
  Dispatcher: { HeartbeatPeriod: 5_000_000_000 },
  CAConfig: { NodeCertExpiry: 7_776_000_000_000_000, ForceRotate: 0 },
  EncryptionConfig: { AutoLockManagers: false },
};
const DATA = { Name: 'd', Labels: { a: 'b' }, Data: 'eA==', Templating: { Name: 'golang' } };

const REQUESTS: readonly (readonly [string, Value])[] = [
  ['/services/create', SERVICE],
  ['/services/web/update?version=VERSION', SERVICE],
  ['/nodes/host1/update?version=VERSION', { Name: 'n', Labels: { a: 'b' }, Role: 'manager', Availability: 'active' }],
  ['/secrets/create', { ...DATA, Driver: { Name: 'd', Options: { a: 'b' } } }],
  ['/secrets/s/update?version=VERSION', DATA],
  ['/configs/create', DATA],
  ['/configs/c/update?version=VERSION', DATA],
  [
    '/networks/create',
    {
      Name: 'n',
      Labels: { a: 'b' },
      Driver: 'overlay',
      CheckDuplicate: true,
      Internal: false,
      Attachable: false,
      Ingress: false,
      EnableIPv6: false,
      Options: { a: 'b' },
      IPAM: { Driver: 'default', Options: { a: 'b' }, Config: [{ Subnet: '10.9.0.0/24', Gateway: '10.9.0.1' }] },
    },
  ],
  ['/swarm/update?version=VERSION', CLUSTER],
  [
    '/swarm/init',
    {
      ListenAddr: '0.0.0.0:2377',
      AdvertiseAddr: '1.2.3.4',
      DataPathAddr: '1.2.3.4',
      DataPathPort: 4789,
      ForceNewCluster: false,
      AutoLockManagers: false,
      Availability: 'active',
      DefaultAddrPool: ['10.0.0.0/8'],
      SubnetSize: 24,
      Spec: CLUSTER,
    },
  ],
  [
    '/swarm/join',
    {
      ListenAddr: '0.0.0.0:2377',
      AdvertiseAddr: '1.2.3.4',
      DataPathAddr: '1.2.3.4',
      RemoteAddrs: ['1.2.3.4:2377'],
      JoinToken: 'SWMTKN-1-x',
      Availability: 'active',
    },
  ],
  ['/swarm/unlock', { UnlockKey: 'SWMKEY-1-x' }],
];

/** Every place in a body, with the body that has something else there. */
function* spoiled(body: Value): Generator<readonly [path: string, body: Value]> {
  yield* wrongInPlaceOf(body).map((value) => ['', value] as const);
  if (isList(body)) {
    for (const [at, part] of body.entries())
      for (const [path, inner] of spoiled(part)) yield [path, body.map((other, i) => (i === at ? inner : other))];
  } else if (typeof body === 'object') {
    for (const [key, value] of Object.entries(body))
      for (const [path, inner] of spoiled(value))
        yield [path === '' ? key : `${key}.${path}`, { ...body, [key]: inner }];
  }
}

const isList = (value: Value): value is readonly Value[] => Array.isArray(value);

function wrongInPlaceOf(value: Value): readonly Value[] {
  if (typeof value === 'string') return [7, true, ['x'], { x: 'x' }];
  if (typeof value === 'number') return ['7', true, [7], { x: 7 }];
  if (typeof value === 'boolean') return ['true', 1, [true], { x: true }];
  return isList(value) ? ['x', 7, true, { x: 'x' }] : ['x', 7, true, ['x']];
}

describe('a value of a wrong type', () => {
  let rig: ApiRig;
  beforeAll(async () => {
    rig = await apiRig();
    await rig.call('POST', '/services/create', { Name: 'web', TaskTemplate: { ContainerSpec: { Image: 'a' } } });
    await rig.call('POST', '/secrets/create', { Name: 's', Data: 'eA==' });
    await rig.call('POST', '/configs/create', { Name: 'c', Data: 'eA==' });
  });
  afterAll(() => rig.close());

  it.each(REQUESTS)('is refused and named in POST %s, and nothing changes', async (path, body) => {
    const target = path.split('?')[0]?.replace(/\/(update|create|init|join|unlock)$/, '') ?? '';
    const before = await rig.call('GET', target);
    const url = path.replace('VERSION', String(before.json['Version']?.['Index']));
    const versionBefore = rig.store.version;
    let tried = 0;
    for (const [place, wrong] of spoiled(body)) {
      tried++;
      const answer = await rig.call('POST', url, JSON.stringify(wrong));
      const what = `${place} in ${JSON.stringify(wrong)}: ${answer.message}`;
      expect(answer.status, what).toBe(400);
      expect(answer.message, what).toContain(place.split('.').at(-1) ?? '');
      expect(answer.message, what).toMatch(/^json: cannot unmarshal/);
    }
    expect(tried).toBeGreaterThan(4);
    expect(rig.store.version).toBe(versionBefore);
  });
});

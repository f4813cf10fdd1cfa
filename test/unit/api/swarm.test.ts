import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { apiRig, UNLOCK_KEY, type ApiRig } from '../../support/api-rig.ts';
import type { InitSwarmRequest } from '../../../src/api/ports.ts';

let rig: ApiRig;
beforeEach(async () => {
  rig = await apiRig();
});
afterEach(() => rig.close());

const NOT_MANAGER =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';
const IN_SWARM =
  'This node is already part of a swarm. Use "docker swarm leave" to leave this swarm and join another one.';
const UNLOCK_KEY_TEXT = `SWMKEY-1-${UNLOCK_KEY.toString('base64').replace(/=+$/, '')}`;

describe('the swarm', () => {
  it('is shown with its tokens and defaults', async () => {
    const { json } = await rig.call('GET', '/v1.41/swarm');
    expect(json['Spec']).toEqual({
      Name: 'default',
      Labels: {},
      Orchestration: { TaskHistoryRetentionLimit: 5 },
      Raft: {
        SnapshotInterval: 10000,
        KeepOldSnapshots: 0,
        LogEntriesForSlowFollowers: 500,
        ElectionTick: 10,
        HeartbeatTick: 1,
      },
      Dispatcher: { HeartbeatPeriod: 5000000000 },
      CAConfig: { NodeCertExpiry: 7776000000000000 },
      TaskDefaults: {},
      EncryptionConfig: { AutoLockManagers: false },
    });
    expect(json['JoinTokens']).toEqual({ Worker: 'SWMTKN-1-w', Manager: 'SWMTKN-1-m' });
    expect([json['SubnetSize'], json['DataPathPort'], json['RootRotationInProgress']]).toEqual([24, 4789, false]);
    const node = (await rig.call('GET', '/nodes/host1')).json;
    expect(json['TLSInfo']).toEqual(node['Description']?.['TLSInfo']);
  });

  it('keeps a certificate life that no double could hold', async () => {
    const { json } = await rig.call('GET', '/swarm');
    const version = String(json['Version']?.['Index']);
    const body = '{"Name":"default","CAConfig":{"NodeCertExpiry":9223372036854775807}}';
    expect((await rig.call('POST', `/swarm/update?version=${version}`, body)).status).toBe(200);
    expect((await rig.call('GET', '/swarm')).text).toContain('"NodeCertExpiry":9223372036854775807');
  });

  it('says that the root is being replaced from the moment it was asked for', async () => {
    const { json } = await rig.call('GET', '/swarm');
    const body = { Name: 'default', CAConfig: { ForceRotate: 1 } };
    await rig.call('POST', `/swarm/update?version=${String(json['Version']?.['Index'])}`, body);
    expect((await rig.call('GET', '/swarm')).json['RootRotationInProgress']).toBe(true);
  });

  it.each([
    [{ Name: 'none', Driver: 'overlay' }, 'operation is not permitted on predefined none network '],
    [{ Name: 'default', Driver: 'overlay' }, 'operation is not permitted on predefined default network '],
    [{ Name: 'a', Driver: 'overlay', Scope: 'local' }, 'cannot downgrade network scope for overlay networks'],
  ])('refuses a network that can only be of engines: %j', async (body, message) => {
    const answer = await rig.call('POST', '/networks/create', body);
    expect([answer.status, answer.message]).toEqual([403, message]);
  });

  it('changes tokens and settings, and says what it refuses', async () => {
    const before = (await rig.call('GET', '/swarm')).json;
    const update = (query: string, body: object) => rig.call('POST', `/v1.41/swarm/update${query}`, body);
    expect((await update('', {})).message).toBe(
      `invalid swarm version '': strconv.ParseUint: parsing "": invalid syntax`,
    );
    const version = `?version=${String(before['Version']?.['Index'])}`;
    expect((await update(version, { Name: 'other' })).message).toBe('swarm spec must be named "default"');
    expect((await update(`${version}&rotateWorkerToken=maybe`, {})).status).toBe(400);
    const tooShort = await update(version, { CAConfig: { NodeCertExpiry: 60000000000 } });
    expect([tooShort.status, tooShort.message]).toEqual([
      400,
      'rpc error: code = InvalidArgument desc = minimum certificate expiry time is: 1h0m0s',
    ]);
    const done = await update(`${version}&rotateWorkerToken=true&rotateManagerToken=false`, {
      Orchestration: { TaskHistoryRetentionLimit: 2 },
      Labels: { a: 'b' },
    });
    expect([done.status, done.text]).toEqual([200, '']);
    const after = (await rig.call('GET', '/swarm')).json;
    expect(after['JoinTokens']?.['Manager']).toBe('SWMTKN-1-m');
    expect(after['JoinTokens']?.['Worker']).not.toBe('SWMTKN-1-w');
    expect(after['Spec']).toMatchObject({ Labels: { a: 'b' }, Orchestration: { TaskHistoryRetentionLimit: 2 } });
    expect(after['Spec']?.['CAConfig']).toEqual(before['Spec']?.['CAConfig']);
    expect((await update(version, {})).message).toMatch(/^rpc error: code = Unknown desc = update out of sequence/);
  });

  it('gives its unlock key to managers', async () => {
    expect((await rig.call('GET', '/swarm/unlockkey')).text).toBe('{"UnlockKey":""}\n');
    const { json } = await rig.call('GET', '/swarm');
    const version = String(json['Version']?.['Index']);
    await rig.call('POST', `/swarm/update?version=${version}`, { EncryptionConfig: { AutoLockManagers: true } });
    expect((await rig.call('GET', '/swarm/unlockkey')).json['UnlockKey']).toBe(UNLOCK_KEY_TEXT);
  });
});

describe('a node', () => {
  it('makes a swarm with what was asked for', async () => {
    rig.setNode({ state: 'inactive', nodeId: '', isManager: false }, false);
    expect((await rig.call('POST', '/v1.41/swarm/init', {})).message).toBe(
      'invalid ListenAddr "": invalid empty address',
    );
    const answer = await rig.call('POST', '/v1.41/swarm/init', {
      ListenAddr: '0.0.0.0:2377',
      AdvertiseAddr: '10.88.0.1',
      DataPathPort: 4790,
      Spec: { Orchestration: { TaskHistoryRetentionLimit: 4 }, Dispatcher: { HeartbeatPeriod: 3000000000 } },
      AutoLockManagers: true,
      Availability: 'drain',
      DefaultAddrPool: ['10.20.0.0/16'],
      SubnetSize: 26,
    });
    expect([answer.status, answer.text]).toEqual([200, '"node1aaaaaaaaaaaaaaaaaaaa"\n']);
    const { init } = rig.membership[0] as { readonly init: InitSwarmRequest };
    expect(init).toMatchObject({
      listenAddr: '0.0.0.0:2377',
      advertiseAddr: '10.88.0.1',
      dataPathPort: 4790,
      availability: 2,
      defaultAddressPool: ['10.20.0.0/16'],
      subnetSize: 26,
      forceNewCluster: false,
    });
    expect(init.clusterSpec({})).toMatchObject({
      orchestration: { taskHistoryRetentionLimit: 4 },
      dispatcher: { heartbeatPeriod: { seconds: 3, nanos: 0 } },
      encryptionConfig: { autoLockManagers: true },
    });
  });

  it.each<readonly [object, string]>([
    [
      { ListenAddr: '127.0.0.1', DataPathPort: 80 },
      'Datapath port number is not in valid range (1024-49151) : 80: choose a DataPathPort within it, or none',
    ],
    ...['x', 'x:2377', '127.0.0.1.1', '[::1:2377'].map(
      (ListenAddr) =>
        [
          { ListenAddr },
          'listen address must be an IP address or network interface (with optional port number)',
        ] as const,
    ),
    ...['x', '0.0.0.0', '0.0.0.0:2377', '[::]:2377'].map(
      (AdvertiseAddr) =>
        [
          { ListenAddr: '127.0.0.1', AdvertiseAddr },
          'advertise address must be a non-zero IP address or network interface (with optional port number)',
        ] as const,
    ),
    ...['x', '::', '127.0.0.1:4789'].map(
      (DataPathAddr) =>
        [
          { ListenAddr: 'lo', AdvertiseAddr: '[::1]:2377', DataPathAddr },
          'data path address must be a non-zero IP address or network interface (without a port number)',
        ] as const,
    ),
    [{ ListenAddr: '::1', Availability: 'bogus' }, 'invalid Availability: "bogus"'],
    [{ ListenAddr: '127.0.0.1:5', Spec: { Name: 'other' } }, 'swarm spec must be named "default"'],
    [{ ListenAddr: 7 }, 'json: cannot unmarshal number into Go struct field InitRequest.ListenAddr of type string'],
  ])('makes no swarm of %j', async (body, message) => {
    rig.setNode({ state: 'inactive' }, false);
    const answer = await rig.call('POST', '/swarm/init', body);
    expect([answer.status, answer.message]).toEqual([400, message]);
  });

  it('joins with a token and an address', async () => {
    rig.setNode({ state: 'inactive' }, false);
    const body = { ListenAddr: '0.0.0.0:2377', RemoteAddrs: ['10.0.0.1:2377'], JoinToken: 'SWMTKN-1-a-b' };
    expect((await rig.call('POST', '/swarm/join', { ...body, RemoteAddrs: [] })).message).toBe(
      'at least 1 RemoteAddr is required to join',
    );
    expect((await rig.call('POST', '/swarm/join', body)).status).toBe(200);
    expect(rig.membership).toMatchObject([{ join: { remoteAddrs: ['10.0.0.1:2377'], joinToken: 'SWMTKN-1-a-b' } }]);
  });

  it('cannot be in two swarms, nor leave none', async () => {
    for (const path of ['init', 'join']) {
      const answer = await rig.call('POST', `/swarm/${path}`, { ListenAddr: '127.0.0.1' });
      expect([answer.status, answer.message]).toEqual([503, IN_SWARM]);
    }
    rig.setNode({ state: 'inactive' }, false);
    const answer = await rig.call('POST', '/swarm/leave');
    expect([answer.status, answer.message]).toEqual([503, 'This node is not part of a swarm']);
  });

  it('leaves as the last manager only when forced', async () => {
    const refused = await rig.call('POST', '/swarm/leave');
    expect([refused.status, refused.message]).toEqual([
      503,
      'You are attempting to leave the swarm on a node that is participating as a manager. Removing the last manager erases all current state of the swarm. Use `--force` to ignore this message. ',
    ]);
    expect((await rig.call('POST', '/swarm/leave?force=1')).status).toBe(200);
    expect(rig.membership).toEqual([{ leave: { force: true } }]);
  });

  it('outside a swarm refuses everything about one', async () => {
    rig.setNode({ state: 'inactive', isManager: false }, false);
    for (const url of ['/nodes', '/services', '/tasks', '/secrets', '/configs', '/swarm', '/swarmd/status']) {
      const answer = await rig.call('GET', url);
      expect([url, answer.status, answer.message]).toEqual([url, 503, NOT_MANAGER]);
    }
    expect((await rig.call('GET', '/info')).json['Swarm']).toMatchObject({
      LocalNodeState: 'inactive',
      ControlAvailable: false,
    });
    expect((await rig.call('GET', '/readyz')).status).toBe(503);
    expect((await rig.call('GET', '/networks')).text).toBe('[]\n');
    expect((await rig.call('GET', '/services/')).message).toBe('page not found');
    const removed = await rig.call('DELETE', '/networks/n');
    expect([removed.status, removed.message]).toEqual([404, 'network n not found']);
    const network = await rig.call('POST', '/networks/create', { Name: 'n', Scope: 'swarm' });
    expect([network.status, network.message]).toEqual([
      403,
      'cannot create a swarm scoped network when swarm is not active',
    ]);
    expect((await rig.call('POST', '/networks/create', { Name: 'n', Driver: 'overlay' })).message).toBe(NOT_MANAGER);
    const joined = await rig.call('POST', '/swarm/join', {});
    expect(joined.message).toBe('invalid ListenAddr "": invalid empty address');
  });

  it('as a worker says so', async () => {
    rig.setNode({ isManager: false }, false);
    const answer = await rig.call('GET', '/nodes');
    expect(answer.status).toBe(503);
    expect(answer.message).toContain("Worker nodes can't be used to view or modify cluster state");
    expect((await rig.call('POST', '/swarm/unlock', { UnlockKey: 'x' })).message).toBe(answer.message);
    const network = await rig.call('POST', '/networks/create', { Name: 'n', Driver: 'overlay' });
    expect([network.status, network.message]).toEqual([
      403,
      'Cannot create a multi-host network from a worker node. Please create the network from a manager node.',
    ]);
    expect((await rig.call('POST', '/swarm/leave')).status).toBe(200);
  });

  it('that is locked opens with the right key only', async () => {
    rig.setNode({ state: 'locked' }, false);
    expect((await rig.call('GET', '/nodes')).message).toContain('Swarm is encrypted and needs to be unlocked');
    expect((await rig.call('POST', '/swarm/leave')).message).toContain('Swarm is encrypted and locked.');
    const unlock = (key: string) => rig.call('POST', '/swarm/unlock', { UnlockKey: key });
    const bad = await unlock('SWMKEY-1-bogus');
    expect([bad.status, bad.message]).toEqual([400, 'invalid key string']);
    const wrong = await unlock('SWMKEY-1-7c37Cc8654o6p38HnroywCi19pllOnGtbdZEgtKxZu8');
    expect([wrong.status, wrong.message]).toEqual([401, 'swarm could not be unlocked: invalid key provided']);
    expect((await unlock(UNLOCK_KEY_TEXT)).status).toBe(200);
    rig.setNode({}, true);
    expect((await unlock(UNLOCK_KEY_TEXT)).status).toBe(409);
  });
});

describe('secrets and configs', () => {
  it('keep a secret and show a config', async () => {
    const secret = await rig.call('POST', '/v1.41/secrets/create', {
      Name: 's1',
      Labels: { a: 'b' },
      Data: 'aHVudGVy',
    });
    expect(secret.status).toBe(201);
    const config = await rig.call('POST', '/v1.41/configs/create', {
      Name: 'c1',
      Data: 'aD1u',
      Templating: { Name: 'golang' },
    });
    expect(config.status).toBe(201);
    expect((await rig.call('GET', '/secrets/s1')).json['Spec']).toEqual({ Name: 's1', Labels: { a: 'b' } });
    expect((await rig.call('GET', '/configs/c1')).json['Spec']).toEqual({
      Name: 'c1',
      Labels: {},
      Data: 'aD1u',
      Templating: { Name: 'golang' },
    });
    expect((await rig.call('GET', '/secrets?filters={"names":["s1"]}')).json).toHaveLength(1);
    expect((await rig.call('GET', '/secrets?filters={"names":["s"]}')).json).toHaveLength(0);
    expect((await rig.call('GET', '/secrets?filters={"name":["s"]}')).json).toHaveLength(1);
    for (const found of ['{"name":["S"]}', '{"names":["S1"]}', '{"id":["nosuch"],"name":["s1"]}']) {
      expect((await rig.call('GET', `/secrets?filters=${found}`)).json).toHaveLength(1);
    }
    for (const url of ['/secrets/S1', '/configs/C1']) expect((await rig.call('GET', url)).status).toBe(200);
    const again = await rig.call('POST', '/secrets/create', { Name: 's1', Data: 'aA==' });
    expect([again.status, again.message]).toEqual([
      409,
      'rpc error: code = AlreadyExists desc = secret s1 already exists',
    ]);
    expect((await rig.call('POST', '/secrets/s1/update', { Name: 's1' })).message).toBe('invalid secret version');
    const version = String((await rig.call('GET', '/secrets/s1')).json['Version']?.['Index']);
    const labels = await rig.call('POST', `/secrets/s1/update?version=${version}`, { Name: 's1', Labels: { c: 'd' } });
    expect([labels.status, labels.text]).toEqual([200, '']);
    const removed = await rig.call('DELETE', '/secrets/s1');
    expect([removed.status, removed.text]).toEqual([204, '']);
    expect((await rig.call('DELETE', '/configs/c1')).status).toBe(204);
  });
});

describe('nodes and networks', () => {
  it('show the plugins clients know, and runtimes that run no containers', async () => {
    const id = String((await rig.call('GET', '/nodes/host1')).json['ID']);
    await rig.store.update((tx) => {
      const node = tx.node.get(id);
      const plugins = [
        { type: 'Runtime', name: 'docker' },
        { type: 'Runtime', name: 'process' },
        { type: 'Log', name: 'json-file' },
      ];
      const engine = { engineVersion: '1', labels: {}, plugins };
      if (node?.description) tx.node.update({ ...node, description: { ...node.description, engine } });
    });
    expect((await rig.call('GET', '/nodes/host1')).json['Description']?.['Engine']?.['Plugins']).toEqual([
      { Type: 'Log', Name: 'json-file' },
      { Type: 'Runtime', Name: 'process' },
    ]);
  });

  it('show and change a node', async () => {
    const node = (await rig.call('GET', '/v1.41/nodes/host1')).json;
    expect(node).toMatchObject({
      ID: 'node1aaaaaaaaaaaaaaaaaaaa',
      Spec: { Labels: {}, Role: 'manager', Availability: 'active' },
      Description: { Hostname: 'host1', Platform: { Architecture: 'x86_64', OS: 'linux' } },
      Status: { State: 'ready', Addr: '127.0.0.1' },
      ManagerStatus: { Leader: true, Reachability: 'reachable', Addr: '127.0.0.1:2377' },
    });
    const version = String(node['Version']?.['Index']);
    const update = await rig.call('POST', `/nodes/host1/update?version=${version}`, {
      Labels: { zone: 'a' },
      Role: 'manager',
      Availability: 'drain',
    });
    expect([update.status, update.text]).toEqual([200, '']);
    const listed = await rig.call('GET', '/nodes?filters={"node.label":["zone=a"],"role":["manager"]}');
    expect(listed.json[0]?.['Spec']).toEqual({ Labels: { zone: 'a' }, Role: 'manager', Availability: 'drain' });
    const last = await rig.call(
      'POST',
      `/nodes/host1/update?version=${String(listed.json[0]?.['Version']?.['Index'])}`,
      {
        Role: 'worker',
        Availability: 'active',
      },
    );
    expect([last.status, last.message]).toEqual([
      400,
      'rpc error: code = FailedPrecondition desc = attempting to demote the last manager of the swarm',
    ]);
  });

  it('make, find and remove a network', async () => {
    const body = {
      Name: 'net1',
      Driver: 'overlay',
      IPAM: { Driver: 'default', Options: {}, Config: [{ Subnet: '10.30.0.0/24', Gateway: '10.30.0.1' }] },
      Attachable: true,
      Options: { encrypted: '' },
      Labels: { n: '1' },
    };
    const answer = await rig.call('POST', '/v1.41/networks/create', body);
    expect(answer.status).toBe(201);
    expect(Object.keys(answer.json)).toEqual(['Id', 'Warning']);
    expect((await rig.call('GET', '/networks/net1?scope=swarm')).json).toMatchObject({
      Name: 'net1',
      Scope: 'swarm',
      Driver: 'overlay',
      IPAM: { Driver: 'default', Options: null, Config: [{ Subnet: '10.30.0.0/24', Gateway: '10.30.0.1' }] },
      Attachable: true,
      Options: { encrypted: '' },
      Labels: { n: '1' },
      ConfigFrom: { Network: '' },
    });
    expect((await rig.call('GET', '/networks/net1?scope=local')).status).toBe(404);
    const again = await rig.call('POST', '/networks/create', body);
    expect([again.status, again.message]).toEqual([409, 'network with name net1 already exists']);
    const wrongType = await rig.call('POST', '/networks/create', '{}', { 'content-type': 'text/plain' });
    expect([wrongType.status, wrongType.message]).toEqual([
      400,
      "Content-Type specified (text/plain) must be 'application/json'",
    ]);
    expect((await rig.call('GET', '/networks?filters={"name":["et1"],"driver":["overlay"]}')).json).toHaveLength(1);
    expect((await rig.call('GET', '/networks/net1?verbose=true')).json['Services']).toBeUndefined();
    expect((await rig.call('POST', '/networks/prune')).json['NetworksDeleted']).toEqual(['net1']);
    expect((await rig.call('GET', '/networks/net1')).status).toBe(404);
  });
});

import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../src/common/clock.ts';
import { durationOfMs } from '../../../../src/common/time.ts';
import type { KeyPair } from '../../../../src/identity/certificate.ts';
import { newManagerNode } from '../../../../src/manager/control/bootstrap.ts';
import type { Cluster } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { type ClusterSpec, NetworkSpec } from '../../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import type { KeyRotation } from '../../../../src/proto/generated/docker/swarmkit/v1/control.ts';
import { CAConfig, NodeRole } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aRoot } from '../../../support/authority.ts';
import { aCluster, CLUSTER_ID, testControl, type TestControl } from '../../../support/local-control.ts';

const change = ({ control, store }: TestControl, spec: Partial<ClusterSpec>, rotation?: KeyRotation) => {
  const cluster = store.read.cluster.get(CLUSTER_ID);
  return control.updateCluster({
    clusterId: CLUSTER_ID,
    clusterVersion: cluster?.meta?.version,
    spec: { ...(cluster?.spec as ClusterSpec), ...spec },
    rotation,
  });
};

const refusal = (message: string): Error => expect.objectContaining({ code: 'invalidArgument', message }) as Error;
const none: KeyRotation = { workerJoinToken: false, managerJoinToken: false, managerUnlockKey: false };

describe('a new cluster', () => {
  it("has Docker's defaults", () => {
    expect(aCluster()).toMatchObject({
      spec: {
        annotations: { name: 'default' },
        orchestration: { taskHistoryRetentionLimit: 5 },
        raft: { snapshotInterval: 10_000, logEntriesForSlowFollowers: 500, electionTick: 10, heartbeatTick: 1 },
        dispatcher: { heartbeatPeriod: { seconds: 5 } },
        caConfig: { nodeCertExpiry: { seconds: 7_776_000 } },
        encryptionConfig: { autoLockManagers: false },
      },
      subnetSize: 24,
      VXLANUDPPort: 4789,
    });
  });

  it('gives engines six numbered keys for their own traffic', () => {
    const { networkBootstrapKeys, encryptionKeyLamportClock } = aCluster();
    const times = networkBootstrapKeys.map(({ lamportTime }) => lamportTime);
    expect(new Set(times).size).toBe(6);
    expect(encryptionKeyLamportClock).toBeGreaterThan(Math.max(...times));
    expect(networkBootstrapKeys.every(({ key }) => key.length === 16)).toBe(true);
  });

  it.each([
    [
      { addressPool: ['nonsense'] },
      'invalid base pool nonsense: invalid CIDR address: nonsense: use IPv4 networks such as 10.0.0.0/8',
    ],
    [{ addressPool: ['10.0.0.0/26'] }, 'invalid CIDR: "10.0.0.0/26". Subnet size is too small for pool: 24'],
    [{ subnetSize: 31 }, 'subnet size is out of range: 31: use at most 29'],
    [{ dataPathPort: 80 }, 'invalid data path port 80: must be between 1024 and 49151'],
  ])('is not made with %j', (settings, message) => expect(() => aCluster(settings)).toThrow(refusal(message)));

  const root = aRoot(['ec', '-pkeyopt', 'ec_paramgen_curve:P-256']);
  const other = aRoot(['ec', '-pkeyopt', 'ec_paramgen_curve:P-256']);
  it.each([
    ['a key alone', { key: root.key }, 'if a signing CA key is provided, the signing CA cert must also be provided'],
    [
      'a certificate alone',
      { certificate: root.certificate },
      'there must be at least one valid, reachable external CA',
    ],
    ['two certificates', { certificate: root.certificate + other.certificate }, 'cannot contain multiple certificates'],
    ['the key of another', { certificate: root.certificate, key: other.key }, 'certificate key mismatch'],
    ['a key that is none', { certificate: root.certificate, key: 'nonsense' }, 'could not read the desired CA key'],
    [
      'one that is soon over',
      aRoot(['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], '/CN=brief', 300),
      'CA certificate expires too soon',
    ],
  ])('takes no root that was brought as %s', async (_what, { certificate = '', key = '' }: Partial<KeyPair>, words) => {
    const test = await testControl({ clock: new FakeClock(Date.now()) });
    const caConfig = CAConfig.fromPartial({ signingCaCert: Buffer.from(certificate), signingCaKey: Buffer.from(key) });
    await expect(change(test, { caConfig })).rejects.toThrow(words);
  });

  it('takes a root that was brought with its key', async () => {
    const test = await testControl();
    const { certificate, key } = root;
    const caConfig = CAConfig.fromPartial({ signingCaCert: Buffer.from(certificate), signingCaKey: Buffer.from(key) });
    await expect(change(test, { caConfig })).resolves.toBeDefined();
  });

  it('is founded by an accepted manager', () => {
    const node = newManagerNode({ nodeId: 'n', certificate: 'c', csr: 'r' });
    expect(node).toMatchObject({ role: NodeRole.MANAGER, spec: { desiredRole: NodeRole.MANAGER, membership: 1 } });
  });
});

describe('the cluster as people see it', () => {
  it('holds tokens but no private key', async () => {
    const { control } = await testControl();
    const [cluster] = (await control.listClusters({ filters: undefined })).clusters;
    expect(cluster?.rootCa?.joinTokens).toEqual({ worker: 'worker token', manager: 'manager token' });
    expect(cluster?.rootCa?.caKey).toHaveLength(0);
    expect(cluster?.networkBootstrapKeys).toEqual([]);
    expect(JSON.stringify(cluster)).not.toContain('the root key');
  });
});

describe('changing the cluster', () => {
  it('replaces only the tokens asked for', async () => {
    const test = await testControl();
    const { cluster } = await change(test, {}, { ...none, workerJoinToken: true });
    expect(cluster?.rootCa?.joinTokens).toEqual({ worker: 'token1', manager: 'manager token' });
  });

  it('makes a key when managers are to be locked, and drops it when no longer', async () => {
    const test = await testControl();
    expect((await test.control.getUnlockKey({})).unlockKey).toHaveLength(0);
    await change(test, { encryptionConfig: { autoLockManagers: true } });
    expect((await test.control.getUnlockKey({})).unlockKey).toHaveLength(32);
    await change(test, { encryptionConfig: { autoLockManagers: false } });
    expect((await test.control.getUnlockKey({})).unlockKey).toHaveLength(0);
  });

  it('notes the wish for a new root while the one before is still being brought in', async () => {
    const test = await testControl();
    const before = test.store.read.cluster.get(CLUSTER_ID) as Cluster;
    const caConfig = before.spec?.caConfig && { ...before.spec.caConfig, forceRotate: 1 };
    await expect(change(test, { caConfig })).resolves.toBeDefined();
    await test.store.update((tx) => {
      const cluster = tx.cluster.get(CLUSTER_ID) as Cluster;
      const none = Buffer.alloc(0);
      const rootRotation = { caCert: none, caKey: Buffer.from('its key'), crossSignedCaCert: none };
      tx.cluster.update({ ...cluster, rootCa: cluster.rootCa && { ...cluster.rootCa, rootRotation } });
    });
    await change(test, { caConfig: caConfig && { ...caConfig, forceRotate: 2 } });
    const after = test.store.read.cluster.get(CLUSTER_ID);
    expect(after).toMatchObject({ spec: { caConfig: { forceRotate: 2 } }, rootCa: { lastForcedRotation: 0 } });
  });

  it('refuses settings in the words clients know', async () => {
    const test = await testControl();
    const caConfig = test.store.read.cluster.get(CLUSTER_ID)?.spec?.caConfig;
    await expect(
      change(test, { caConfig: caConfig && { ...caConfig, nodeCertExpiry: durationOfMs(60_000) } }),
    ).rejects.toEqual(refusal('minimum certificate expiry time is: 1h0m0s'));
    await expect(change(test, { dispatcher: { heartbeatPeriod: durationOfMs(-1) } })).rejects.toEqual(
      refusal('heartbeat time period cannot be a negative duration'),
    );
    await expect(change(test, { annotations: { name: 'other', labels: {}, indices: [] } })).rejects.toEqual(
      refusal('swarm spec must be named "default"'),
    );
  });
});

describe('networks', () => {
  const spec = (name: string, more: Partial<NetworkSpec> = {}): NetworkSpec => ({
    ...NetworkSpec.fromPartial({ annotations: { name }, driverConfig: { name: 'overlay' } }),
    ...more,
  });

  it('have unique names, and only one is the ingress network', async () => {
    const { control } = await testControl();
    await control.createNetwork({ id: '', spec: spec('net2') });
    await expect(control.createNetwork({ id: '', spec: spec('net2') })).rejects.toMatchObject({
      code: 'alreadyExists',
      message: 'network with name net2 already exists',
    });
    const { network } = await control.createNetwork({ id: '', spec: spec('ingress', { ingress: true }) });
    await expect(control.createNetwork({ id: '', spec: spec('ing2', { ingress: true }) })).rejects.toMatchObject({
      message: `ingress network (${network?.id}) is already present`,
    });
  });

  it('keep clear of the subnets of others', async () => {
    const { control } = await testControl();
    const on = (subnet: string): NetworkSpec['ipam'] => ({
      driver: undefined,
      configs: [{ family: 0, subnet, range: '', gateway: '', reserved: {} }],
    });
    await control.createNetwork({ id: '', spec: spec('a', { ipam: on('10.1.0.0/16') }) });
    await expect(control.createNetwork({ id: '', spec: spec('b', { ipam: on('10.1.2.0/24') }) })).rejects.toMatchObject(
      {
        message: expect.stringContaining('Pool overlaps with other one on this address space') as string,
      },
    );
    await control.createNetwork({ id: '', spec: spec('b', { ipam: on('10.2.0.0/24') }) });
  });

  it('are found by name when no id is given', async () => {
    const { control } = await testControl();
    await control.createNetwork({ id: '', spec: spec('n1') });
    await control.removeNetwork({ networkId: '', name: 'n1' });
    await expect(control.getNetwork({ networkId: '', name: 'n1' })).rejects.toMatchObject({
      code: 'notFound',
      message: 'network n1 not found',
    });
  });

  it.each([
    [{ subnet: 'nonsense' }, 'ipam configuration: invalid subnet nonsense'],
    [
      { subnet: '10.1.0.0/24', gateway: '10.2.0.1' },
      'ipam configuration: subnet 10.1.0.0/24 does not contain gateway 10.2.0.1',
    ],
    [
      { subnet: '10.1.0.0/24', range: '10.2.0.0/28' },
      'ipam configuration: subnet 10.1.0.0/24 does not contain range 10.2.0.0/28',
    ],
  ])('refuse %j', async (config, message) => {
    const { control } = await testControl();
    const ipam = {
      driver: undefined,
      configs: [{ family: 0, range: '', gateway: '', reserved: {}, ...config }],
    } as const;
    await expect(control.createNetwork({ id: '', spec: spec('n', { ipam }) })).rejects.toEqual(refusal(message));
  });
});

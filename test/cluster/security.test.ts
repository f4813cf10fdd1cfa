import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Client } from '@grpc/grpc-js';
import { unary } from '../../src/common/rpc-client.ts';
import { NodeCAClient } from '../../src/proto/generated/docker/swarmkit/v1/ca.ts';
import { ControlService } from '../../src/proto/generated/docker/swarmkit/v1/control.ts';
import { DispatcherClient, DispatcherService } from '../../src/proto/generated/docker/swarmkit/v1/dispatcher.ts';
import { HealthService } from '../../src/proto/generated/docker/swarmkit/v1/health.ts';
import { LogsService } from '../../src/proto/generated/docker/swarmkit/v1/logbroker.ts';
import { RaftMembershipService, RaftService } from '../../src/proto/generated/docker/swarmkit/v1/raft.ts';
import { TaskState } from '../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { createSigningRequest } from '../../src/identity/certificate.ts';
import {
  anonymousCredentials,
  authorityChannelOptions,
  managerChannelOptions,
  memberCredentials,
} from '../../src/identity/client-credentials.ts';
import { aService, freePort, TestCluster, TestDaemon } from '../support/cluster.ts';
import { asMember, asNobody, forgedFrom, identityOf, knockAtAll } from '../support/strangers.ts';

const within = { timeout: 45_000, interval: 100 };
const timeoutMs = 5_000;

const MANAGER_SERVICES = { ControlService, RaftService, RaftMembershipService, HealthService, LogsService };

interface SwarmBody {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly Spec: { readonly CAConfig: { readonly ForceRotate?: number } } & Record<string, unknown>;
  readonly JoinTokens: { readonly Worker: string; readonly Manager: string };
  readonly RootRotationInProgress: boolean;
  readonly TLSInfo: { readonly TrustRoot: string };
}
interface NodeWithRoot {
  readonly Status: { readonly State: string };
  readonly Description: { readonly Hostname: string; readonly TLSInfo: { readonly TrustRoot: string } };
}

describe('who may do what at the TLS port of three managers', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start({ managers: 3, workers: 2, managerRuntime: 'none' });
    await cluster.first.ask('POST', '/services/create', aService('web', 2));
    await vi.waitUntil(async () => (await cluster.running('web')).length === 2, within);
  });
  afterAll(() => cluster.close());

  const worker = (i: number): TestDaemon => cluster.workers[i] as TestDaemon;
  const swarm = (): Promise<SwarmBody> => cluster.first.ask('GET', '/swarm');
  const leaderAddress = async (): Promise<string> => addressOf((await cluster.leader()) as TestDaemon);
  const addressOf = async (daemon: TestDaemon): Promise<string> => {
    const info = await daemon.ask<{
      Swarm: { NodeID: string; RemoteManagers: readonly { NodeID: string; Addr: string }[] };
    }>('GET', '/info');
    return info.Swarm.RemoteManagers.find((m) => m.NodeID === info.Swarm.NodeID)?.Addr ?? '';
  };
  const joining = async (name: string, role: 'manager' | 'worker', token: string): Promise<TestDaemon> =>
    new TestDaemon(name, cluster.directory, [
      role,
      '--runtime',
      'none',
      '--listen-addr',
      `127.0.0.1:${await freePort()}`,
      '--join',
      await leaderAddress(),
      '--token',
      token,
    ]);
  const dispatcherOf = async (daemon: TestDaemon): Promise<DispatcherClient> =>
    new DispatcherClient(await leaderAddress(), memberCredentials(await identityOf(daemon)), managerChannelOptions);
  const pids = async (): Promise<readonly unknown[]> =>
    (await cluster.running('web')).map((t) => `${t.ID} ${t.Status.ContainerStatus?.PID}`).sort();

  it('refuses every method of managers to a worker, saying who may call it', async () => {
    const identity = await identityOf(worker(0));
    const refusals = await asMember(await leaderAddress(), identity, async (client) =>
      (await Promise.all(Object.values(MANAGER_SERVICES).map((service) => knockAtAll(client, service)))).flat(),
    );
    expect(refusals.length).toBeGreaterThan(30);
    for (const [path, refusal] of refusals) {
      expect(refusal?.code, path).toBe('permissionDenied');
      expect(refusal?.message, path).toContain(`${path} is for managers; node ${identity.nodeId} is a worker`);
    }
  });

  it('serves nothing but certificates to callers without one, or with one that another root made', async () => {
    const identity = await identityOf(worker(0));
    const forged = await forgedFrom(identity);
    const all = async (client: Client) =>
      (
        await Promise.all([...Object.values(MANAGER_SERVICES), DispatcherService].map((s) => knockAtAll(client, s)))
      ).flat();
    const address = await leaderAddress();
    const refusals = [
      ...(await asNobody(address, identity.rootBundle, all)),
      ...(await asMember(address, forged, all)),
    ];
    for (const [path, refusal] of refusals) {
      expect(refusal?.code, path).toBe('unauthenticated');
      expect(refusal?.message, path).toContain('needs a client certificate of this cluster: join the cluster first');
    }
  });

  it('refuses the certificate of another swarm', async () => {
    const other = await TestCluster.start({ managers: 1, workers: 0, managerRuntime: 'none' });
    try {
      const mixed = { ...(await identityOf(other.first)), rootBundle: (await identityOf(worker(0))).rootBundle };
      const refusals = await asMember(await leaderAddress(), mixed, (client) => knockAtAll(client, HealthService));
      expect(refusals.map(([, refusal]) => refusal?.code)).toEqual(['unauthenticated']);
    } finally {
      await other.close();
    }
  });

  it('lets no agent report the task of another node, or use its session', async () => {
    const [theirs] = await cluster.running('web');
    const owner = cluster.workers.find((w) => w.log.includes(theirs?.NodeID ?? '-')) ?? worker(0);
    const ownerId = (await cluster.node(owner.name)).ID;
    const other = cluster.workers.find((w) => w !== owner) as TestDaemon;
    const task = (await cluster.running('web')).find((t) => t.NodeID === ownerId);
    const dispatcher = await dispatcherOf(other);
    try {
      await expect(
        unary(dispatcher.heartbeat.bind(dispatcher), { sessionId: 'sessionofanothernode' }, { timeoutMs }),
      ).rejects.toThrow(/used a session that is no longer valid: register again/);
      const sessionId = await sessionOf(dispatcher);
      const updates = [{ taskId: task?.ID ?? '', status: { ...emptyStatus, state: TaskState.FAILED } }];
      await expect(
        unary(dispatcher.updateTaskStatus.bind(dispatcher), { sessionId, updates }, { timeoutMs }),
      ).rejects.toThrow(
        `reported the status of task ${task?.ID ?? ''}, which is not assigned to it: report own tasks only`,
      );
    } finally {
      dispatcher.close();
    }
    // The real agent of that identity comes back from the intrusion.
    await expect.poll(async () => (await cluster.node(other.name)).Status.State, within).toBe('ready');
    expect((await cluster.running('web')).find((t) => t.ID === task?.ID)?.Status.State).toBe('running');
  });

  it('gives nobody the certificate of a manager that merely passes on the request', async () => {
    const leader = (await cluster.leader()) as TestDaemon;
    const follower = cluster.managers.find((m) => m !== leader) as TestDaemon;
    const before = await identityOf(follower);
    const { csr } = await createSigningRequest();
    const client = new NodeCAClient(
      await addressOf(follower),
      anonymousCredentials(before.rootBundle),
      authorityChannelOptions,
    );
    try {
      await expect(
        unary(
          client.issueNodeCertificate.bind(client),
          { role: 0, csr: Buffer.from(csr), token: '', availability: 0 },
          { timeoutMs },
        ),
      ).rejects.toThrow('A valid join token is necessary to join this cluster');
    } finally {
      client.close();
    }
  });

  it('refuses to make a manager with the token of workers, and leaves nothing behind', async () => {
    const before = (await cluster.nodes()).length;
    const daemon = await joining('upstart', 'manager', (await swarm()).JoinTokens.Worker);
    await expect(daemon.start()).rejects.toThrow(/worker/);
    expect((await cluster.nodes()).length).toBe(before);
    const left = existsSync(daemon.directory) ? readdirSync(daemon.directory) : [];
    expect(left).not.toContain('node.json');
    expect(left).not.toContain('certificates');
  });

  it('takes an old token no more as soon as it is rotated', async () => {
    const { JoinTokens, Version, Spec } = await swarm();
    await cluster.first.ask('POST', `/swarm/update?version=${Version.Index}&rotateWorkerToken=true`, Spec);
    const late = await joining('late', 'worker', JoinTokens.Worker);
    await expect(late.start()).rejects.toThrow(/token/);
    const fresh = (await swarm()).JoinTokens;
    expect(fresh.Worker).not.toBe(JoinTokens.Worker);
    expect(fresh.Manager).toBe(JoinTokens.Manager);
  });

  it('rotates the root of the live swarm without restarting a task', async () => {
    const before = await pids();
    const { Version, Spec, TLSInfo } = await swarm();
    await cluster.first.ask('POST', `/swarm/update?version=${Version.Index}`, {
      ...Spec,
      CAConfig: { ...Spec.CAConfig, ForceRotate: (Spec.CAConfig.ForceRotate ?? 0) + 1 },
    });
    await expect
      .poll(async () => {
        const { RootRotationInProgress, TLSInfo: now } = await swarm();
        return !RootRotationInProgress && now.TrustRoot !== TLSInfo.TrustRoot;
      }, within)
      .toBe(true);
    const { TrustRoot } = (await swarm()).TLSInfo;
    await expect
      .poll(async () => {
        const nodes = await cluster.first.ask<readonly NodeWithRoot[]>('GET', '/nodes');
        return nodes
          .filter((n) => n.Status.State !== 'ready' || n.Description.TLSInfo.TrustRoot !== TrustRoot)
          .map((n) => n.Description.Hostname);
      }, within)
      .toEqual([]);
    expect(await pids()).toEqual(before);
    const write = (): Promise<{ readonly status: number }> =>
      cluster.first.call('POST', '/configs/create', { Name: 'after-rotation', Data: 'eA==' });
    await expect.poll(async () => (await write()).status, within).toBe(201);
    await expect.poll(() => cluster.leader(), within).toBeDefined();
  });

  it('lives with two agents of one identity, and tells them', async () => {
    const original = await cluster.addWorker('w3', 'none');
    const { ID } = await cluster.node('w3');
    const copy = new TestDaemon('w3-copy', cluster.directory, [
      'worker',
      '--runtime',
      'none',
      '--listen-addr',
      `127.0.0.1:${await freePort()}`,
    ]);
    // A file that is just being replaced may vanish meanwhile.
    await vi.waitFor(() => {
      rmSync(copy.directory, { recursive: true, force: true });
      cpSync(original.directory, copy.directory, {
        recursive: true,
        filter: (source) => basename(source) !== 'lock',
      });
    }, within);
    // The lock that was copied along names the agent that lives.
    await expect(copy.start()).rejects.toThrow(/cannot use state folder .*: process \d+ has it open/);
    // On another machine it would mean nothing.
    rmSync(join(copy.directory, 'worker', 'agent.lock'));
    const registrations = (): number =>
      cluster.managers
        .flatMap((m) => m.log.split('\n'))
        .filter((line) => line.includes('"node registered"') && line.includes(ID)).length;
    const before = registrations();
    await copy.start();
    try {
      const outbid = 'if two machines share one identity, let one of them leave and join again';
      await expect.poll(() => original.log.includes(outbid) && copy.log.includes(outbid), within).toBe(true);
      const since = registrations();
      await new Promise((resolve) => setTimeout(resolve, 4_000));
      // Three in eight seconds are let in.
      expect(registrations() - since).toBeLessThanOrEqual(3);
      expect(registrations() - before).toBeGreaterThan(1);
      for (const manager of cluster.managers) expect((await manager.call('GET', '/nodes')).status).toBe(200);
      expect((await cluster.nodes()).filter((n) => n.ID === ID)).toHaveLength(1);
      expect(copy.pid > 0 && (await copy.call('GET', '/info')).status).toBe(200);
    } finally {
      await copy.kill();
    }
    await expect.poll(async () => (await cluster.node('w3')).Status.State, within).toBe('ready');
    expect(await pids()).toHaveLength(2);
  });

  it('refuses a node that was removed by force', async () => {
    const gone = worker(1);
    const { ID } = await cluster.node(gone.name);
    await cluster.first.ask('DELETE', `/nodes/${ID}?force=1`);
    const refusals = await asMember(await leaderAddress(), await identityOf(gone), (client) =>
      knockAtAll(client, DispatcherService),
    );
    for (const [path, refusal] of refusals) {
      expect(refusal?.code, path).toBe('permissionDenied');
      expect(refusal?.message, path).toContain(
        `node ${ID} was removed from this cluster: leave the swarm on that node and join again`,
      );
    }
    await expect.poll(() => gone.log, within).toContain('was removed from this cluster');
    expect((await gone.call('GET', '/info')).status).toBe(200);
    await expect.poll(async () => (await cluster.running('web')).every((t) => t.NodeID !== ID), within).toBe(true);
    await expect.poll(async () => (await cluster.running('web')).length, within).toBe(2);
  });
});

const emptyStatus = { message: '', err: '', appliedBy: '' };

/** Registers and returns the id of the session; the stream stays open until the client closes. */
function sessionOf(dispatcher: DispatcherClient): Promise<string> {
  return new Promise((resolve, reject) => {
    const stream = dispatcher.session({ sessionId: '' });
    stream.on('data', (message: { readonly sessionId: string }) => resolve(message.sessionId)).on('error', reject);
  });
}

import { connect, createServer } from 'node:net';
import { pipeline } from 'node:stream';
import { Metadata } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../src/common/clock.ts';
import { SwarmError } from '../../../../src/common/errors.ts';
import { silentLogger } from '../../../../src/common/log.ts';
import { drawRandomBytes } from '../../../../src/common/random-bytes.ts';
import type { Caller } from '../../../../src/common/rpc.ts';
import { unary } from '../../../../src/common/rpc-client.ts';
import { requestAdmission } from '../../../../src/manager/members/admission.ts';
import { MemberList } from '../../../../src/manager/consensus/member-list.ts';
import {
  healthMethods,
  MEMBER_METADATA,
  membershipMethods,
  type MembershipPorts,
} from '../../../../src/manager/members/membership-service.ts';
import { HealthClient, HealthService } from '../../../../src/proto/generated/docker/swarmkit/v1/health.ts';
import {
  RaftMembershipClient,
  RaftMembershipService,
} from '../../../../src/proto/generated/docker/swarmkit/v1/raft.ts';
import { NodeRole } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { freePort } from '../../../support/cluster.ts';
import { callAs, rpcRig, type RpcRig } from '../../../support/rpc-rig.ts';

describe('a manager that wants to join the group', () => {
  let rig: RpcRig;
  let members: MemberList;
  let desiredRole: NodeRole | undefined;
  let expelled: string[];
  beforeEach(async () => {
    rig = await rpcRig();
    members = new MemberList();
    expelled = [];
    desiredRole = NodeRole.MANAGER;
    rig.add(HealthService, {
      check: { ...healthMethods(() => true).check, access: 'anyone' },
    });
    rig.add(
      RaftMembershipService,
      membershipMethods({
        members: () => members,
        isLeader: () => true,
        leader: () => rig.client(RaftMembershipClient),
        health: () => rig.client(HealthClient),
        voters: () => members.all().map(({ raftId }) => raftId),
        isReachable: () => true,
        desiredRole: () => desiredRole,
        admit: (member) => Promise.resolve(members.put(member)),
        remove: (raftId) => Promise.resolve(members.remove(raftId)),
        expel: async (nodeId) => expelled.push(nodeId),
        randomBytes: drawRandomBytes,
        log: silentLogger,
      }),
    );
  });
  afterEach(() => rig.close());

  const join = (raftId?: string) => {
    const metadata: Metadata = callAs('node', 'manager');
    metadata.set(MEMBER_METADATA.version, '1');
    if (raftId !== undefined) metadata.set(MEMBER_METADATA.raftId, raftId);
    return joinWith(metadata);
  };
  const joinWith = (metadata: Metadata) => {
    const client = rig.client(RaftMembershipClient);
    return unary(client.join.bind(client), { addr: '127.0.0.1:4000' }, { timeoutMs: 5_000, metadata });
  };

  it('is admitted under a raft id of its own', async () => {
    const { raftId } = await join();
    expect(members.byNode('node')).toMatchObject({ raftId, address: '127.0.0.1:4000' });
  });

  it('is refused when it was demoted, though it still has the certificate of a manager', async () => {
    desiredRole = NodeRole.WORKER;
    await expect(join()).rejects.toThrow('this node is to be a worker: promote node node');
    expect(members.all()).toEqual([]);
  });

  it('is refused when it is a Docker Engine, and is no node any more', async () => {
    await expect(joinWith(callAs('engine', 'manager'))).rejects.toThrow('a Docker Engine cannot be a manager');
    expect(members.all()).toEqual([]);
    expect(expelled).toEqual(['engine']);
  });

  it('may still say where it is reached while it waits to be taken out', async () => {
    members.put({ raftId: '7', nodeId: 'node', address: '127.0.0.1:3000' });
    desiredRole = NodeRole.WORKER;
    expect(await join('7')).toMatchObject({ raftId: '7' });
    expect(members.byNode('node')).toMatchObject({ raftId: '7', address: '127.0.0.1:4000' });
  });
});

describe('a manager that looks for its group', () => {
  it.each([
    ['Docker Engines, which know of no such part', new SwarmError('notFound', 'unknown service')],
    ['others that lack the call', new SwarmError('unimplemented', 'no such call')],
  ])('enters none of %s', async (_what, answer) => {
    const rig = await rpcRig();
    let isAsked = false;
    rig.add(HealthService, {
      check: {
        access: 'anyone',
        handle: ({ service }) => (service === 'Raft' ? { status: 1 } : Promise.reject(answer)),
      },
    });
    rig.add(RaftMembershipService, {
      join: {
        access: 'anyone',
        handle: () => {
          isAsked = true;
          return { raftId: '1', members: [], removedMembers: [] };
        },
      },
      leave: { access: 'anyone', handle: () => ({}) },
    });
    const clients = { client: (_: string, type: never) => rig.client(type) };
    const entering = requestAdmission(clients as never, ['docker:2377'], 'me:2377', new FakeClock());
    await expect(entering).rejects.toThrow('the managers of this swarm are Docker Engines (docker:2377)');
    expect(isAsked).toBe(false);
    rig.close();
  });
});

describe('a request to join', () => {
  const memberOf = (nodeId: string) => ({ raftId: `raft of ${nodeId}`, nodeId, address: `${nodeId}:2377` });
  const manager = (nodeId: string): Caller => ({ nodeId, role: 'manager', clusterId: 'c', address: '192.0.2.1:4444' });
  const present = ['m1', 'm2', 'm3'];

  /** A manager of the group whose members all hold the same list. */
  function portsOf(members: MemberList, changes: Partial<MembershipPorts>): MembershipPorts {
    return {
      members: () => members,
      isLeader: () => true,
      leader: () => clientOf(() => Promise.reject(new Error('unreachable'))),
      health: () => ({ check: answering(async () => ({ status: 1 })) }) as unknown as HealthClient,
      voters: () => members.all().map(({ raftId }) => raftId),
      isReachable: () => true,
      desiredRole: () => NodeRole.MANAGER,
      admit: (member) => Promise.resolve(members.put(member)),
      remove: (raftId) => Promise.resolve(members.remove(raftId)),
      expel: () => Promise.resolve(),
      randomBytes: drawRandomBytes,
      log: silentLogger,
      ...changes,
    };
  }

  const answering =
    (answer: (request: { addr: string }, metadata: Metadata) => unknown) =>
    (request: { addr: string }, metadata: Metadata, _: unknown, done: (error: unknown, value?: unknown) => void) => {
      Promise.resolve(answer(request, metadata)).then((value) => done(null, value), done);
      return { cancel: () => undefined };
    };
  const clientOf = (join: Parameters<typeof answering>[0]): RaftMembershipClient =>
    ({ join: answering(join) }) as unknown as RaftMembershipClient;

  /** Asks a manager as another would, or as the newcomer itself. */
  const ask = (ports: MembershipPorts, caller: Caller, metadata: Metadata, signal = new AbortController().signal) =>
    membershipMethods(ports).join.handle({ addr: 'new:2377' }, { caller, metadata, signal });

  const ofManager = (): Metadata => {
    const metadata = new Metadata();
    metadata.set(MEMBER_METADATA.version, '1');
    return metadata;
  };

  it('is still that of the newcomer when two managers have passed it on', async () => {
    const members = new MemberList();
    for (const nodeId of present) members.put(memberOf(nodeId));
    const leading = portsOf(members, {});
    const former = portsOf(members, {
      isLeader: () => false,
      leader: () => clientOf((_, metadata) => ask(leading, manager('m2'), metadata)),
    });
    const asked = portsOf(members, {
      isLeader: () => false,
      leader: () => clientOf((_, metadata) => ask(former, manager('m1'), metadata)),
    });
    await ask(asked, manager('newcomer'), ofManager());
    expect(members.all().map(({ nodeId }) => nodeId)).toEqual([...present, 'newcomer']);
    expect(members.removedIds).toEqual([]);
  });

  it('is granted to one that was away a moment ago, whose connection still waits to be tried again', async () => {
    const rig = await rpcRig();
    rig.add(HealthService, { check: { ...healthMethods(() => true).check, access: 'anyone' } });
    const port = await freePort();
    const client = rig.client(HealthClient, `127.0.0.1:${port}`);
    const asked = unary(client.check.bind(client), { service: 'Raft' }, { timeoutMs: 5_000 });
    await expect(asked).rejects.toMatchObject({ code: 'unavailable' });
    const newcomer = createServer((socket) => {
      const [host, rigPort] = rig.address.split(':');
      pipeline(socket, connect(Number(rigPort), host), socket, () => undefined);
    });
    await new Promise<void>((resolve) => newcomer.listen(port, '127.0.0.1', resolve));
    const members = new MemberList();
    await ask(portsOf(members, { health: () => client }), manager('newcomer'), ofManager());
    expect(members.byNode('newcomer')).toBeDefined();
    rig.close();
    newcomer.close();
  });

  it('changes nothing once its caller has given up and may have asked again', async () => {
    const members = new MemberList();
    const gaveUp = new AbortController();
    const ports = portsOf(members, {
      health: () =>
        ({
          check: answering(async () => {
            gaveUp.abort(new Error('the caller went away'));
            members.put(memberOf('newcomer'));
            return { status: 1 };
          }),
        }) as unknown as HealthClient,
    });
    await expect(ask(ports, manager('newcomer'), ofManager(), gaveUp.signal)).rejects.toThrow('went away');
    expect(members.all()).toEqual([memberOf('newcomer')]);
  });
});

import type { Metadata } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../../src/common/log.ts';
import { unary } from '../../../../src/common/rpc-client.ts';
import { MemberList } from '../../../../src/manager/consensus/member-list.ts';
import {
  healthMethods,
  MEMBER_METADATA,
  membershipMethods,
} from '../../../../src/manager/members/membership-service.ts';
import { HealthClient, HealthService } from '../../../../src/proto/generated/docker/swarmkit/v1/health.ts';
import {
  RaftMembershipClient,
  RaftMembershipService,
} from '../../../../src/proto/generated/docker/swarmkit/v1/raft.ts';
import { NodeRole } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { callAs, rpcRig, type RpcRig } from '../../../support/rpc-rig.ts';

describe('a manager that wants to join the group', () => {
  let rig: RpcRig;
  let members: MemberList;
  let desiredRole: NodeRole | undefined;
  beforeEach(async () => {
    rig = await rpcRig();
    members = new MemberList();
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
        isReachable: () => true,
        desiredRole: () => desiredRole,
        admit: (member) => Promise.resolve(members.put(member)),
        remove: (raftId) => Promise.resolve(members.remove(raftId)),
        log: silentLogger,
      }),
    );
  });
  afterEach(() => rig.close());

  const join = (raftId?: string) => {
    const metadata: Metadata = callAs('node', 'manager');
    metadata.set(MEMBER_METADATA.version, '1');
    if (raftId !== undefined) metadata.set(MEMBER_METADATA.raftId, raftId);
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

  it('may still say where it is reached while it waits to be taken out', async () => {
    members.put({ raftId: '7', nodeId: 'node', address: '127.0.0.1:3000' });
    desiredRole = NodeRole.WORKER;
    expect(await join('7')).toMatchObject({ raftId: '7' });
    expect(members.byNode('node')).toMatchObject({ raftId: '7', address: '127.0.0.1:4000' });
  });
});

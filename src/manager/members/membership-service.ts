/**
 * docker.swarmkit.v1.RaftMembership and Health: how a manager becomes a member of the consensus group, and how others see
 * that it is alive. Every manager answers; the leader decides.
 */
import { Metadata } from '@grpc/grpc-js';
import { errorText, isSwarmError, SwarmError } from '../../common/errors.ts';
import type { Logger } from '../../common/log.ts';
import type { CallContext, ServiceMethods } from '../../common/rpc.ts';
import { unary } from '../../common/rpc-client.ts';
import { WORKER_WANTED } from '../../common/worker-wanted.ts';
import {
  HealthCheckResponse_ServingStatus,
  type HealthCheckResponse,
  type HealthClient,
  type HealthService,
} from '../../proto/generated/docker/swarmkit/v1/health.ts';
import type {
  JoinRequest,
  JoinResponse,
  LeaveRequest,
  RaftMembershipClient,
  RaftMembershipService,
} from '../../proto/generated/docker/swarmkit/v1/raft.ts';
import { NodeRole } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Member, MemberList } from '../consensus/member-list.ts';
import { canRemove } from './group.ts';

/** Metadata by which our managers are told from Docker Engines, and by which one that restarts says which member it is. */
export const MEMBER_METADATA = { version: 'swarmd-version', raftId: 'swarmd-raft-id' } as const;
const FORWARDED_NODE = 'forwarded_cert_cn';
const DIAL_BACK_MS = 5_000;
const FORWARD_TIMEOUT_MS = 30_000;

export interface MembershipPorts {
  /** Throws unavailable while this manager is starting. */
  members(): MemberList;
  isLeader(): boolean;
  /** Client of the leader. Throws unavailable when there is none. */
  leader(): RaftMembershipClient;
  /** Client for the health of the manager at an address. */
  health(address: string): HealthClient;
  /** Raft ids of the members that vote. */
  voters(): readonly string[];
  isReachable(raftId: string): boolean;
  /** What a node is to be; undefined when the swarm knows no such node. */
  desiredRole(nodeId: string): NodeRole | undefined;
  admit(member: Member): Promise<void>;
  remove(raftId: string): Promise<void>;
  /** Takes a node out of the swarm, and its certificate with it. */
  expel(nodeId: string): Promise<unknown>;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly log: Logger;
}

export function membershipMethods(ports: MembershipPorts): ServiceMethods<typeof RaftMembershipService> {
  return {
    join: { access: 'manager', handle: (request, context) => join(ports, request, context) },
    leave: { access: 'manager', handle: (request, context) => leave(ports, request, context) },
  };
}

/** @param isServing whether a named part of this manager works */
export function healthMethods(isServing: (service: string) => boolean): ServiceMethods<typeof HealthService> {
  const { SERVING, NOT_SERVING } = HealthCheckResponse_ServingStatus;
  return {
    check: { access: 'manager', handle: ({ service }) => ({ status: isServing(service) ? SERVING : NOT_SERVING }) },
  };
}

async function join(ports: MembershipPorts, request: JoinRequest, context: CallContext): Promise<JoinResponse> {
  const address = reachableAddress(request.addr, context);
  if (!ports.isLeader()) {
    const leader = ports.leader();
    return unary(
      leader.join.bind(leader),
      { addr: address },
      { timeoutMs: FORWARD_TIMEOUT_MS, signal: context.signal, metadata: forwarded(context) },
    );
  }
  if (context.metadata.get(MEMBER_METADATA.version).length === 0) {
    await expelEngine(ports, callerNode(context));
    throw new SwarmError(
      'failedPrecondition',
      'a Docker Engine cannot be a manager of this swarm: leave the swarm there and join again with the worker token',
    );
  }
  const nodeId = callerNode(context);
  const claimed = String(context.metadata.get(MEMBER_METADATA.raftId)[0] ?? '');
  await dialBack(ports, address);
  // Whoever gave up waiting asks again: this request must not undo what the next one comes to.
  context.signal.throwIfAborted();
  const known = ports.members().byNode(nodeId);
  const raftId = known && known.raftId === claimed ? known.raftId : freshRaftId(ports);
  // One that was taken out may still hold a manager's certificate: it must not come back with that.
  if (known?.raftId !== raftId && ports.desiredRole(nodeId) === NodeRole.WORKER) {
    throw new SwarmError('failedPrecondition', `${WORKER_WANTED}: promote node ${nodeId} to make it a manager again`);
  }
  // A member that comes back without its log must not vote under its old id: it may have forgotten what it promised.
  if (known && known.raftId !== raftId) await ports.remove(known.raftId);
  if (known?.raftId !== raftId || known.address !== address) await ports.admit({ raftId, nodeId, address });
  ports.log.info({ nodeId, raftId, address }, 'manager joined the group');
  return {
    raftId,
    members: ports
      .members()
      .all()
      .map((member) => ({ raftId: member.raftId, nodeId: member.nodeId, addr: member.address, status: undefined })),
    removedMembers: ports.members().removedIds,
  };
}

async function leave(
  ports: MembershipPorts,
  request: LeaveRequest,
  context: CallContext,
): Promise<Record<string, never>> {
  if (!ports.isLeader()) {
    const leader = ports.leader();
    await unary(leader.leave.bind(leader), request, {
      timeoutMs: FORWARD_TIMEOUT_MS,
      signal: context.signal,
      metadata: forwarded(context),
    });
    return {};
  }
  const nodeId = callerNode(context);
  const member = ports.members().byNode(nodeId);
  if (!member) return {};
  if (request.node && request.node.raftId !== member.raftId) {
    throw new SwarmError(
      'permissionDenied',
      `node ${nodeId} may only take itself out of the group, not member ${request.node.raftId}`,
    );
  }
  if (!canRemove(ports.voters(), member.raftId, (id) => ports.isReachable(id))) {
    throw new SwarmError(
      'failedPrecondition',
      'removing this manager would leave the swarm without a majority of reachable managers: bring others back or add one first',
    );
  }
  await ports.remove(member.raftId);
  return {};
}

/** It will never be a manager: it would stay among the nodes, awaited by every rotation of the root, and hold a manager's certificate. */
async function expelEngine(ports: MembershipPorts, nodeId: string): Promise<void> {
  try {
    await ports.expel(nodeId);
  } catch (error) {
    ports.log.warn({ nodeId, error: errorText(error) }, 'a Docker Engine that came as a manager stays among the nodes');
  }
}

/**
 * The leader must reach the newcomer before it counts on it. One that has just been started again may still be taken for gone, until the
 * connection is tried once more.
 */
async function dialBack(ports: MembershipPorts, address: string): Promise<void> {
  const client = ports.health(address);
  const check = (metadata: Metadata): Promise<HealthCheckResponse> =>
    unary(client.check.bind(client), { service: 'Raft' }, { timeoutMs: DIAL_BACK_MS, metadata });
  try {
    const { status } = await check(new Metadata()).catch((error: unknown) => {
      if (!isSwarmError(error, 'unavailable')) throw error;
      return check(new Metadata({ waitForReady: true })).catch(() => Promise.reject(error));
    });
    if (status !== HealthCheckResponse_ServingStatus.SERVING) throw new Error('it is not ready');
  } catch (error) {
    throw new SwarmError(
      'failedPrecondition',
      `the manager could not be reached back at ${address}: ${errorText(error)}; give an address the other managers can reach with --advertise-addr, and open its port in the firewall`,
      { cause: error },
    );
  }
}

/** "0.0.0.0:2377" means: the address this call comes from. */
function reachableAddress(address: string, { caller }: CallContext): string {
  const match = /^(.*):(\d+)$/.exec(address);
  if (!match) throw new SwarmError('invalidArgument', `addr: "${address}" is not host:port`);
  const [, host, port] = match;
  if (host !== '0.0.0.0' && host !== '[::]' && host !== '') return address;
  const remote = caller.address.replace(/:\d+$/, '').replace(/^::ffff:/, '');
  return `${remote.includes(':') ? `[${remote}]` : remote}:${port}`;
}

/** For whom this manager passes a call on: it may itself have been asked by another that took it for the leader. */
function forwarded(context: CallContext): Metadata {
  const { metadata } = context;
  const passed = new Metadata();
  passed.set(FORWARDED_NODE, callerNode(context));
  for (const key of Object.values(MEMBER_METADATA)) {
    const value = metadata.get(key)[0];
    if (value !== undefined) passed.set(key, value);
  }
  return passed;
}

/** Only managers reach these methods, and a manager may pass on the call of another. */
const callerNode = ({ caller, metadata }: CallContext): string =>
  String(metadata.get(FORWARDED_NODE)[0] ?? caller.nodeId);

/** Random, 63 bits, never used before: a raft id is not given out twice. */
function freshRaftId(ports: MembershipPorts): string {
  const members = ports.members();
  for (;;) {
    const id = (Buffer.from(ports.randomBytes(8)).readBigUInt64BE() >> 1n).toString();
    if (id !== '0' && !members.get(id) && !members.isRemoved(id)) return id;
  }
}

/** The other side of the membership service: a manager that wants in, or out. */
import { Metadata } from '@grpc/grpc-js';
import { sleep, type Clock } from '../../common/clock.ts';
import { isSwarmError, SwarmError, errorText } from '../../common/errors.ts';
import { unary } from '../../common/rpc-client.ts';
import { VERSION } from '../../common/version.ts';
import { FOREIGN_MANAGERS } from '../../common/worker-wanted.ts';
import { HealthClient } from '../../proto/generated/docker/swarmkit/v1/health.ts';
import { RaftMembershipClient } from '../../proto/generated/docker/swarmkit/v1/raft.ts';
import { memberFromWire, type Member } from '../consensus/member-list.ts';
import { MEMBER_METADATA } from './membership-service.ts';

const CALL_TIMEOUT_MS = 30_000;
const ATTEMPTS = 10;
const RETRY_MS = 1_000;

interface Clients {
  client(address: string, type: typeof RaftMembershipClient): RaftMembershipClient;
  client(address: string, type: typeof HealthClient): HealthClient;
}

/** Our managers call any part of them healthy, Docker's only those they know. */
const OWN_PART = 'swarmd';

export interface Admission {
  readonly raftId: string;
  readonly members: readonly Member[];
}

/**
 * Asks to become a member (or, with `raftId`, to have the address of one changed) until a manager agrees.
 * Throws unavailable when none can be reached, failedPrecondition when they refuse or are not managers of our kind.
 */
export async function requestAdmission(
  clients: Clients,
  managers: readonly string[],
  address: string,
  clock: Clock,
  raftId?: string,
): Promise<Admission> {
  const metadata = new Metadata();
  metadata.set(MEMBER_METADATA.version, VERSION);
  if (raftId !== undefined) metadata.set(MEMBER_METADATA.raftId, raftId);
  let last: unknown;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    for (const manager of managers) {
      const client = clients.client(manager, RaftMembershipClient);
      try {
        if (raftId === undefined) await refuseForeign(clients.client(manager, HealthClient), manager);
        const answer = await unary(
          client.join.bind(client),
          { addr: address },
          { timeoutMs: CALL_TIMEOUT_MS, metadata },
        );
        return { raftId: answer.raftId, members: answer.members.map(memberFromWire) };
      } catch (error) {
        if (!isSwarmError(error) || !error.isRetryable) throw error;
        last = error;
      }
    }
    await sleep(clock, RETRY_MS);
  }
  throw new SwarmError('unavailable', `no manager at ${managers.join(', ')} admitted this one: ${errorText(last)}`, {
    cause: last,
  });
}

/** Managers of another kind would take this one in, count on it, and lose their majority, since it does not understand them. */
async function refuseForeign(client: HealthClient, manager: string): Promise<void> {
  try {
    await unary(client.check.bind(client), { service: OWN_PART }, { timeoutMs: CALL_TIMEOUT_MS });
  } catch (error) {
    if (!isSwarmError(error, 'notFound') && !isSwarmError(error, 'unimplemented')) throw error;
    throw new SwarmError(
      'failedPrecondition',
      `${FOREIGN_MANAGERS} (${manager}): this node can only be a worker there; to make it one for good, have it leave (--force) and join again with the worker token`,
      { cause: error },
    );
  }
}

/** Asks the leader to take a member out, trying again while leadership moves. */
export async function leaveThrough(
  leader: () => RaftMembershipClient,
  raftId: string,
  nodeId: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      const client = leader();
      await unary(
        client.leave.bind(client),
        { node: { raftId, nodeId, addr: '', status: undefined } },
        { timeoutMs: CALL_TIMEOUT_MS, signal },
      );
      return;
    } catch (error) {
      if (attempt >= ATTEMPTS || !isSwarmError(error) || !error.isRetryable) throw error;
      await sleep(clock, RETRY_MS, signal);
    }
  }
}

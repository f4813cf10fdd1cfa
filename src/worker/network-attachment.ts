/**
 * Brings a container that somebody starts by hand on this node into an attachable network of the swarm: a manager makes a
 * task without a service for it, with an address, and the runtime has the network ready once that task runs.
 */
import { isSwarmError, SwarmError } from '../common/errors.ts';
import { unary } from '../common/rpc-client.ts';
import type { Task } from '../proto/generated/docker/swarmkit/v1/objects.ts';
import type { ResourceAllocatorClient } from '../proto/generated/docker/swarmkit/v1/resource.ts';
import { TaskState } from '../proto/generated/docker/swarmkit/v1/types.ts';
import type { TaskPool } from './task-pool.ts';
import type { TaskRunner } from './task-runner.ts';

export interface AttachmentRequest {
  /** Name or id of the network. */
  readonly network: string;
  readonly containerId: string;
  /** Names others find it by. */
  readonly aliases: readonly string[];
  /** IPv4 address asked for; empty for any. */
  readonly address: string;
}

export interface Attachment {
  /** Gives the place up again. Done already counts as done. */
  readonly undo: () => Promise<void>;
  /** IPv4 address, without prefix length. */
  readonly address: string;
  /** Name of the network. */
  readonly network: string;
}

/** What it takes to ask for one. */
export interface AttachmentWay {
  readonly resources: ResourceAllocatorClient;
  readonly pool: TaskPool;
}

const CALL_TIMEOUT_MS = 10_000;
const READY_TIMEOUT_MS = 20_000;

/** Throws notFound, permissionDenied when the network is not attachable, or why this node cannot have it. */
export async function attach({ resources, pool }: AttachmentWay, request: AttachmentRequest): Promise<Attachment> {
  const { attachmentId } = await unary(
    resources.attachNetwork.bind(resources),
    {
      containerId: request.containerId,
      config: {
        target: request.network,
        aliases: [...request.aliases],
        addresses: request.address === '' ? [] : [request.address],
        driverAttachmentOpts: {},
      },
    },
    { timeoutMs: CALL_TIMEOUT_MS },
  );
  try {
    const task = await ready(pool, attachmentId);
    const [place] = task.networks;
    return {
      address: place?.addresses[0]?.split('/')[0] ?? '',
      network: place?.network?.spec?.annotations?.name ?? request.network,
      undo: () => giveUp(resources, attachmentId),
    };
  } catch (error) {
    await giveUp(resources, attachmentId).catch(() => undefined);
    throw error;
  }
}

/** Takes a container out of a network before it ends. Done already counts as done. */
export async function detach(
  { resources, pool }: AttachmentWay,
  { containerId, network }: Pick<AttachmentRequest, 'containerId' | 'network'>,
): Promise<void> {
  for (const { task } of pool.runners) {
    const runtime = task.spec?.runtime;
    if (runtime?.$case !== 'attachment' || runtime.value.containerId !== containerId) continue;
    const isMeant = task.networks.some((at) => [at.network?.id, at.network?.spec?.annotations?.name].includes(network));
    if (isMeant) await giveUp(resources, task.id);
  }
}

/** Where names of an attachable network are answered; undefined when there is none, or the managers know no answer. */
export async function findNameServer(
  { resources }: Pick<AttachmentWay, 'resources'>,
  network: string,
): Promise<string | undefined> {
  const { address } = await unary(
    resources.findNameServer.bind(resources),
    { network },
    { timeoutMs: CALL_TIMEOUT_MS },
  ).catch((error: unknown) => {
    // Managers of a Docker Swarm.
    if (isSwarmError(error, 'unimplemented')) return { address: '' };
    throw error;
  });
  return address === '' ? undefined : address;
}

async function giveUp(resources: ResourceAllocatorClient, attachmentId: string): Promise<void> {
  await unary(resources.detachNetwork.bind(resources), { attachmentId }, { timeoutMs: CALL_TIMEOUT_MS });
}

/** Resolves with the task once it runs. */
function ready(pool: TaskPool, taskId: string): Promise<Task> {
  return new Promise((resolve, reject) => {
    const look = ({ task, status }: TaskRunner): void => {
      if (task.id !== taskId || status.state < TaskState.RUNNING) return;
      stop();
      if (status.state === TaskState.RUNNING) resolve(task);
      else reject(new SwarmError('failedPrecondition', status.err || status.message));
    };
    const tooLate = setTimeout(() => {
      stop();
      reject(new SwarmError('deadlineExceeded', 'the network was not ready on this node in time: try again'));
    }, READY_TIMEOUT_MS);
    const stopListening = pool.onChange(look);
    const stop = (): void => {
      clearTimeout(tooLate);
      stopListening();
    };
    for (const runner of pool.runners) look(runner);
  });
}

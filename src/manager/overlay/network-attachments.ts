/**
 * docker.swarmkit.v1.ResourceAllocator: a container that was started by hand on an engine joins a network of the swarm. It
 * stands in the store as a task without a service; the allocator gives it an address, and it reaches the engine as an assignment.
 */
import { SwarmError } from '../../common/errors.ts';
import type { IdSource } from '../../common/ids.ts';
import type { Clock } from '../../common/clock.ts';
import { timestampOfMs } from '../../common/time.ts';
import type { CallContext, ServiceMethods } from '../../common/rpc.ts';
import { Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type {
  AttachNetworkRequest,
  AttachNetworkResponse,
  DetachNetworkRequest,
  FindNameServerRequest,
  FindNameServerResponse,
  ResourceAllocatorService,
} from '../../proto/generated/docker/swarmkit/v1/resource.ts';
import { TaskSpec } from '../../proto/generated/docker/swarmkit/v1/specs.ts';
import { TaskState } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Store } from '../store/store.ts';

export interface NetworkAttachmentOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly newId: IdSource;
  readonly leader: { readonly isSelf: boolean };
}

export function networkAttachmentMethods(
  options: NetworkAttachmentOptions,
): ServiceMethods<typeof ResourceAllocatorService> {
  return {
    attachNetwork: { access: 'member', handle: (request, context) => attach(options, request, context) },
    detachNetwork: { access: 'member', handle: (request, context) => detach(options, request, context) },
    findNameServer: { access: 'member', handle: (request) => findNameServer(options, request) },
  };
}

async function attach(
  { store, clock, newId, leader }: NetworkAttachmentOptions,
  { config, containerId }: AttachNetworkRequest,
  { caller: { nodeId } }: CallContext,
): Promise<AttachNetworkResponse> {
  requireLeadership(leader);
  const target = config?.target ?? '';
  const id = newId();
  await store.update((tx) => {
    const network = tx.network.get(target) ?? tx.network.byName(target);
    if (!network) throw new SwarmError('notFound', `network ${target} not found`);
    if (!network.spec?.attachable) {
      const name = network.spec?.annotations?.name ?? target;
      throw new SwarmError('permissionDenied', `network ${name} not manually attachable`);
    }
    const task = Task.fromPartial({
      id,
      nodeId,
      desiredState: TaskState.RUNNING,
      status: { state: TaskState.NEW, timestamp: timestampOfMs(clock.now()), message: 'created' },
    });
    const networks = [{ addresses: [], aliases: [], driverAttachmentOpts: {}, ...config, target: network.id }];
    const runtime = { $case: 'attachment', value: { containerId } } as const;
    tx.task.create({ ...task, spec: { ...TaskSpec.fromPartial({}), runtime, networks } });
  });
  return { attachmentId: id };
}

/** Done already counts as done. */
async function detach(
  { store, leader }: NetworkAttachmentOptions,
  { attachmentId }: DetachNetworkRequest,
  { caller: { nodeId } }: CallContext,
): Promise<Record<string, never>> {
  requireLeadership(leader);
  await store.update((tx) => {
    const task = tx.task.get(attachmentId);
    if (!task) return;
    if (task.nodeId !== nodeId || task.spec?.runtime?.$case !== 'attachment') {
      throw new SwarmError('permissionDenied', `attachment ${attachmentId} belongs to another node`);
    }
    tx.task.delete(task.id);
  });
  return {};
}

/** Agents answer names on the gateway's address. */
function findNameServer(
  { store: { read } }: NetworkAttachmentOptions,
  { network: target }: FindNameServerRequest,
): FindNameServerResponse {
  const network = read.network.byName(target) ?? read.network.get(target);
  return { address: (network?.spec?.attachable && network.ipam?.configs[0]?.gateway) || '' };
}

/** Engines talk to the leader only; one that changed a moment ago is found again by their session. */
function requireLeadership({ isSelf }: NetworkAttachmentOptions['leader']): void {
  if (!isSelf)
    throw new SwarmError('unavailable', 'this manager does not lead: register with the leader and try again');
}

/** What a task gets before it can be placed: the endpoint of its service and one address per network. */
import { timestampOfMs } from '../../common/time.ts';
import type { NetworkAttachment } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { type Network, type Service, type Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState, type NetworkAttachmentConfig } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { isNodeLocal } from '../placement/node-local-network.ts';
import type { AddressBook } from './address-book.ts';
import { networkIdsOf, networksOf } from './service-plan.ts';

export interface TaskSurroundings {
  readonly addresses: AddressBook;
  readonly network: (id: string) => Network | undefined;
  readonly ingressNetworkId: string | undefined;
  /** Why a network has no address to give. */
  readonly whyNoAddress: (networkId: string) => string;
  readonly nowMs: number;
}

/** A task ready to be placed, or why it is not. */
export type TaskPlan = { readonly task: Task } | { readonly waitsFor: string };

/** Whether the allocator still has to do something for a task that somebody wants. */
export const awaitsAllocation = (task: Task): boolean =>
  (task.status?.state ?? TaskState.NEW) === TaskState.NEW && task.desiredState <= TaskState.COMPLETE;

/**
 * @param service the task's service with its endpoint complete; undefined for tasks without a service
 */
export function planTask(task: Task, service: Service | undefined, surroundings: TaskSurroundings): TaskPlan {
  const networks = planAttachments(task, service, surroundings);
  if (typeof networks === 'string') return { waitsFor: networks };
  return {
    task: {
      ...task,
      endpoint: service ? service.endpoint : task.endpoint,
      networks,
      status: {
        appliedBy: '',
        ...task.status,
        timestamp: timestampOfMs(surroundings.nowMs),
        state: TaskState.PENDING,
        message: 'pending task scheduling',
        err: '',
      },
    },
  };
}

/** A task that goes on waiting, with the reason on it; undefined when it says so already. */
export function withReason(task: Task, reason: string, nowMs: number): Task | undefined {
  if (task.status?.err === reason) return undefined;
  return {
    ...task,
    status: {
      appliedBy: '',
      message: '',
      state: TaskState.NEW,
      ...task.status,
      timestamp: timestampOfMs(nowMs),
      err: reason,
    },
  };
}

/** The network, and what is asked for in it. */
type Attaching = Pick<NetworkAttachmentConfig, 'target'> & Partial<NetworkAttachmentConfig>;

function planAttachments(
  task: Task,
  service: Service | undefined,
  { addresses, network, ingressNetworkId, whyNoAddress }: TaskSurroundings,
): readonly NetworkAttachment[] | string {
  const ofTask = task.spec?.networks ?? [];
  const configs: readonly Attaching[] = ofTask.length > 0 || !service ? ofTask : networksOf(service);
  const isNamed = configs.some(({ target }) => target === ingressNetworkId);
  const needsIngress =
    service && !isNamed && networkIdsOf(service, ingressNetworkId).some((id) => id === ingressNetworkId);
  const attachments: NetworkAttachment[] = [];
  for (const { target: id, ...config } of [...(needsIngress ? [{ target: ingressNetworkId ?? '' }] : []), ...configs]) {
    const target = network(id);
    const isLocal = target !== undefined && isNodeLocal(target);
    const address = isLocal ? undefined : addresses.take(id, config.addresses?.[0]);
    if (!target || (address === undefined && !isLocal)) {
      for (const attachment of attachments) {
        for (const taken of attachment.addresses) addresses.release(attachment.network?.id ?? '', taken);
      }
      return whyNoAddress(id);
    }
    attachments.push({
      network: target,
      addresses: address === undefined ? [] : [address],
      aliases: config.aliases ?? [],
      driverAttachmentOpts: config.driverAttachmentOpts ?? {},
    });
  }
  return attachments;
}

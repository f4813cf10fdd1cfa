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

function planAttachments(
  task: Task,
  service: Service | undefined,
  { addresses, network, ingressNetworkId, whyNoAddress }: TaskSurroundings,
): readonly NetworkAttachment[] | string {
  const configs = new Map<string, NetworkAttachmentConfig>(
    (task.spec?.networks.length || !service ? (task.spec?.networks ?? []) : networksOf(service)).map((config) => [
      config.target,
      config,
    ]),
  );
  const ingress = service ? networkIdsOf(service, ingressNetworkId).filter((id) => id === ingressNetworkId) : [];
  const attachments: NetworkAttachment[] = [];
  for (const id of new Set([...ingress, ...configs.keys()])) {
    const config = configs.get(id);
    const target = network(id);
    const isLocal = target !== undefined && isNodeLocal(target);
    const address = isLocal ? undefined : addresses.take(id, config?.addresses[0]);
    if (!target || (address === undefined && !isLocal)) {
      for (const attachment of attachments) {
        for (const taken of attachment.addresses) addresses.release(attachment.network?.id ?? '', taken);
      }
      return whyNoAddress(id);
    }
    attachments.push({
      network: target,
      addresses: address === undefined ? [] : [address],
      aliases: config?.aliases ?? [],
      driverAttachmentOpts: config?.driverAttachmentOpts ?? {},
    });
  }
  return attachments;
}

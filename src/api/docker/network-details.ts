/** What `GET /networks/{id}?verbose=1` adds: the services on a network, their addresses and those of their tasks. */
import { TaskState } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Network, Service, Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { StoreReads } from '../ports.ts';
import { taskName } from './task.ts';

export function networkDetails(read: StoreReads['read'], network: Network): object {
  const services = read.service.by('network', network.id);
  if (services.length === 0) return {};
  return {
    Services: Object.fromEntries(
      services.map((service) => [service.spec?.annotations?.name ?? service.id, serviceOn(read, network, service)]),
    ),
  };
}

function serviceOn(read: StoreReads['read'], { id }: Network, service: Service): object {
  const vip = service.endpoint?.virtualIps.find((address) => address.networkId === id);
  const tasks = read.task.by('service', service.id).filter((task) => task.status?.state === TaskState.RUNNING);
  return {
    VIP: withoutLength(vip?.addr ?? ''),
    Ports: [],
    LocalLBIndex: 0,
    Tasks: tasks.map((task) => ({
      Name: taskName(task),
      EndpointID: '',
      EndpointIP: addressOn(id, task),
      Info: { 'Host IP': read.node.get(task.nodeId)?.status?.addr ?? '' },
    })),
  };
}

const addressOn = (networkId: string, task: Task): string =>
  withoutLength(task.networks.findLast((attachment) => attachment.network?.id === networkId)?.addresses[0] ?? '');

/** "10.0.1.3/24" → "10.0.1.3" */
const withoutLength = (address: string): string => address.split('/')[0] ?? '';

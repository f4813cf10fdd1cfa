/** A task a service would have if it had one more: what explanations try out. */
import { Network, NetworkAttachment, Task, type Service } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState, TaskStatus } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Reader } from '../store/transaction.ts';

/** The service need not be stored; its ports need not be allocated. */
export function hypotheticalTask(reader: Pick<Reader, 'network'>, service: Service, id: string): Task {
  const { spec } = service;
  const attachments = spec?.task?.networks.length ? spec.task.networks : (spec?.networks ?? []);
  return {
    ...Task.fromPartial({ id }),
    serviceId: service.id,
    slot: 1,
    spec: spec?.task,
    specVersion: service.specVersion,
    desiredState: TaskState.RUNNING,
    status: TaskStatus.fromPartial({ state: TaskState.PENDING }),
    endpoint: service.endpoint ?? { spec: spec?.endpoint, ports: spec?.endpoint?.ports ?? [], virtualIps: [] },
    networks: attachments.map(({ target }) => ({
      ...NetworkAttachment.fromPartial({}),
      network: reader.network.get(target) ?? Network.fromPartial({ id: target }),
    })),
  };
}

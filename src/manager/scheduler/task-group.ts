/** Tasks that are alike: same service, same version of its spec. What fits one fits all, so they are placed together. */
import { NetworkAttachment, Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { demandOf, type Demand } from './demand.ts';

export interface TaskGroup {
  readonly key: string;
  readonly serviceId: string;
  /** One of them, standing for all. */
  readonly sample: Task;
  readonly demand: Demand;
}

export const taskGroupOf = (task: Task, key = groupKeyOf(task)): TaskGroup => ({
  key,
  serviceId: task.serviceId,
  sample: task,
  demand: demandOf(task),
});

/** Tasks without a spec version (attachments, tasks of very old clusters) are alike when everything placement looks at is. */
export function groupKeyOf(task: Task): string {
  return task.specVersion ? `${task.serviceId}\0${task.specVersion.index}` : `${task.serviceId}\0=${contentOf(task)}`;
}

const decoder = new TextDecoder('latin1');

function contentOf(task: Task): string {
  const relevant: Task = {
    ...Task.fromPartial({}),
    spec: task.spec,
    endpoint: task.endpoint,
    networks: task.networks.map(({ network }) =>
      NetworkAttachment.fromPartial({ network: { driverState: { name: network?.driverState?.name ?? '' } } }),
    ),
  };
  return decoder.decode(Task.encode(relevant).finish());
}

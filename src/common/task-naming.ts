/** The name a task goes by, and what templates can say of it. */
import type { Task } from '../proto/generated/docker/swarmkit/v1/objects.ts';
import type { NodeDescription } from '../proto/generated/docker/swarmkit/v1/types.ts';
import type { TemplateContext } from './service-template.ts';

/** Its own name if it has one, else `<service>.<slot, or node of a global service>.<task id>`. */
export function taskName(task: Task): string {
  if (task.annotations?.name) return task.annotations.name;
  return `${task.serviceAnnotations?.name ?? ''}.${slotOf(task)}.${task.id}`;
}

export const templateContext = (task: Task, node: Pick<NodeDescription, 'hostname' | 'platform'>): TemplateContext => ({
  Service: {
    ID: task.serviceId,
    Name: task.serviceAnnotations?.name ?? '',
    Labels: task.serviceAnnotations?.labels ?? {},
  },
  Node: {
    ID: task.nodeId,
    Hostname: node.hostname,
    Platform: { Architecture: node.platform?.architecture ?? '', OS: node.platform?.os ?? '' },
  },
  Task: { ID: task.id, Name: taskName(task), Slot: slotOf(task) },
});

const slotOf = (task: Task): string => (task.slot === 0 ? task.nodeId : String(task.slot));

/** Whether a task must be replaced because its service changed. */
import { sameValue } from '../../common/same-value.ts';
import type { Node, Service, Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { EndpointSpec, type ContainerSpec, type TaskSpec } from '../../proto/generated/docker/swarmkit/v1/specs.ts';
import { Placement, ResourceRequirements, TaskState } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { enforcedConstraints, nodeSatisfies } from './constraint.ts';

/**
 * A task is clean when it was made from the service's present spec, or when nothing that matters to it differs: placement
 * changed but its node still qualifies, or pull options changed after the image was pulled.
 * @param node the node the task is on; undefined when it has none or the node is gone
 */
export function isTaskDirty(service: Service, task: Task, node: Node | undefined): boolean {
  if (sameSpecVersion(service, task)) return false;
  const wanted = comparable(service.spec?.task);
  const present = comparable(task.spec);
  const excused = {
    ...wanted,
    placement: present.placement,
    runtime: hasPulled(task) ? withPullOptionsOf(wanted.runtime, present.runtime) : wanted.runtime,
  };
  if (!sameValue(excused, present)) return true;
  if (!sameValue(wanted.placement, present.placement) && !stillFits(service, node)) return true;
  return (
    task.endpoint !== undefined && !sameValue(endpointOf(service.spec), endpointOf({ endpoint: task.endpoint.spec }))
  );
}

const endpointOf = (spec: { readonly endpoint?: EndpointSpec | undefined } | undefined): EndpointSpec =>
  spec?.endpoint ?? EndpointSpec.fromPartial({});

const sameSpecVersion = (service: Service, task: Task): boolean =>
  service.specVersion !== undefined && service.specVersion.index === task.specVersion?.index;

/** It has its image; a task that failed may have failed for want of the new credentials. */
function hasPulled(task: Task): boolean {
  const state = task.status?.state ?? TaskState.NEW;
  return task.desiredState <= TaskState.RUNNING && state > TaskState.PREPARING && state <= TaskState.RUNNING;
}

const stillFits = (service: Service, node: Node | undefined): boolean =>
  node !== undefined && nodeSatisfies(enforcedConstraints(service.spec?.task?.placement?.constraints), node);

/** Leaving out placement or resources means the same as giving empty ones. */
function comparable(spec: TaskSpec | undefined): Partial<TaskSpec> {
  return {
    ...spec,
    placement: spec?.placement ?? Placement.fromPartial({}),
    resources: ResourceRequirements.fromPartial({ limits: {}, reservations: {}, ...spec?.resources }),
  };
}

function withPullOptionsOf(wanted: TaskSpec['runtime'], present: TaskSpec['runtime']): TaskSpec['runtime'] {
  if (wanted?.$case !== 'container' || present?.$case !== 'container') return wanted;
  const value: ContainerSpec = { ...wanted.value, pullOptions: present.value.pullOptions };
  return { $case: 'container', value };
}

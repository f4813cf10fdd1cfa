/** Whether a task must be replaced because its service changed. */
import { sameValue } from '../../common/same-value.ts';
import type { Node, Service, Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { EndpointSpec, TaskSpec, type ContainerSpec } from '../../proto/generated/docker/swarmkit/v1/specs.ts';
import { Placement, ResourceRequirements, TaskState } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { enforcedConstraints, nodeSatisfies } from './constraint.ts';

/**
 * A task is clean when it was made from the service's present spec, or when nothing that matters to it differs: placement
 * changed but its node still qualifies, or pull options changed after the image was pulled.
 * @param node the node the task is on; undefined when it has none or the node is gone
 */
export function isTaskDirty(service: Service, task: Task, node: Node | undefined): boolean {
  if (sameSpecVersion(service, task)) return false;
  const { differs, differsAfterPull, movesPlacement } = compare(service.spec?.task ?? NO_SPEC, task.spec ?? NO_SPEC);
  if (hasPulled(task) ? differsAfterPull : differs) return true;
  if (movesPlacement && !stillFits(service, node)) return true;
  return (
    task.endpoint !== undefined && !sameValue(endpointOf(service.spec), endpointOf({ endpoint: task.endpoint.spec }))
  );
}

interface Comparison {
  readonly wanted: TaskSpec;
  /** Differs in anything but placement. */
  readonly differs: boolean;
  /** The same, leaving pull options aside. */
  readonly differsAfterPull: boolean;
  readonly movesPlacement: boolean;
}

const NO_SPEC = TaskSpec.fromPartial({});

/** The latest comparison of each spec: specs are immutable, and thousands of tasks share one. */
const comparisons = new WeakMap<TaskSpec, Comparison>();

function compare(wantedSpec: TaskSpec, presentSpec: TaskSpec): Comparison {
  const known = comparisons.get(presentSpec);
  if (known?.wanted === wantedSpec) return known;
  const wanted = comparable(wantedSpec);
  const present = comparable(presentSpec);
  const excused = { ...wanted, placement: present.placement };
  const pulled = { ...excused, runtime: withPullOptionsOf(wanted.runtime, present.runtime) };
  const differs = !sameValue(excused, present);
  const comparison: Comparison = {
    wanted: wantedSpec,
    differs,
    differsAfterPull: differs && !sameValue(pulled, present),
    movesPlacement: !sameValue(wanted.placement, present.placement),
  };
  comparisons.set(presentSpec, comparison);
  return comparison;
}

/** It has its image; a task that failed may have failed for want of the new credentials. */
function hasPulled(task: Task): boolean {
  const state = task.status?.state ?? TaskState.NEW;
  return task.desiredState <= TaskState.RUNNING && state > TaskState.PREPARING && state <= TaskState.RUNNING;
}

const stillFits = (service: Service, node: Node | undefined): boolean =>
  node !== undefined && nodeSatisfies(enforcedConstraints(service.spec?.task?.placement?.constraints), node);

/** Leaving out placement or resources means the same as giving empty ones. */
function comparable(spec: TaskSpec): TaskSpec {
  return {
    ...spec,
    placement: spec.placement ?? Placement.fromPartial({}),
    resources: ResourceRequirements.fromPartial({ limits: {}, reservations: {}, ...spec.resources }),
  };
}

function withPullOptionsOf(wanted: TaskSpec['runtime'], present: TaskSpec['runtime']): TaskSpec['runtime'] {
  if (wanted?.$case !== 'container' || present?.$case !== 'container') return wanted;
  const value: ContainerSpec = { ...wanted.value, pullOptions: present.value.pullOptions };
  return { $case: 'container', value };
}

const endpointOf = (spec: { readonly endpoint?: EndpointSpec | undefined } | undefined): EndpointSpec =>
  spec?.endpoint ?? EndpointSpec.fromPartial({});

const sameSpecVersion = (service: Service, task: Task): boolean =>
  service.specVersion !== undefined && service.specVersion.index === task.specVersion?.index;

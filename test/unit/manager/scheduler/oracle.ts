/** Placement rules written down a second time, plainly and slowly, to judge the scheduler by. */
import type { Node, Task } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeSpec_Availability } from '../../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import { NodeStatus_State, TaskState } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';

const stateOf = (task: Task): number => task.status?.state ?? 0;

const usesNode = (task: Task): boolean =>
  task.nodeId !== '' && stateOf(task) >= TaskState.ASSIGNED && stateOf(task) <= TaskState.RUNNING;

export const isActive = (task: Task): boolean => usesNode(task) && task.desiredState <= TaskState.COMPLETE;

const reserved = (task: Task) => task.spec?.resources?.reservations;
const portsOf = (task: Task): readonly number[] => task.endpoint?.ports.map((port) => port.publishedPort) ?? [];

const wishOf = (task: Task, kind: string): number =>
  (reserved(task)?.generic ?? []).reduce(
    (sum, { resource }) =>
      resource?.$case === 'discreteResourceSpec' && resource.value.kind === kind ? sum + resource.value.value : sum,
    0,
  );

const heldOf = (task: Task, kind: string): number =>
  task.assignedGenericResources.reduce((sum, { resource }) => {
    if (resource?.value.kind !== kind) return sum;
    return sum + (resource.$case === 'discreteResourceSpec' ? resource.value.value : 1);
  }, 0);

const totalOf = (node: Node, kind: string): number =>
  (node.description?.resources?.generic ?? []).reduce((sum, { resource }) => {
    if (resource?.value.kind !== kind) return sum;
    return sum + (resource.$case === 'discreteResourceSpec' ? resource.value.value : 1);
  }, 0);

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** Resources, ports and names are never given twice: what is wrong with a node, or undefined. */
export function overuse(node: Node, tasks: readonly Task[], kinds: readonly string[]): string | undefined {
  const own = tasks.filter((task) => task.nodeId === node.id && usesNode(task));
  const capacity = node.description?.resources;
  if (sum(own.map((task) => reserved(task)?.nanoCpus ?? 0)) > (capacity?.nanoCpus ?? 0)) return 'cpu';
  if (sum(own.map((task) => reserved(task)?.memoryBytes ?? 0)) > (capacity?.memoryBytes ?? 0)) return 'memory';
  for (const kind of kinds) {
    if (sum(own.map((task) => heldOf(task, kind))) > totalOf(node, kind)) return kind;
    const names = own.flatMap((task) =>
      task.assignedGenericResources.flatMap(({ resource }) =>
        resource?.$case === 'namedResourceSpec' && resource.value.kind === kind ? [resource.value.value] : [],
      ),
    );
    if (new Set(names).size !== names.length) return `a name of ${kind} twice`;
    const short = own.find((task) => heldOf(task, kind) !== wishOf(task, kind));
    if (short) return `${short.id} got ${heldOf(short, kind)} ${kind} of ${wishOf(short, kind)}`;
  }
  const ports = own.flatMap(portsOf);
  return new Set(ports).size === ports.length ? undefined : 'a port twice';
}

/** Whether a task that waits could be placed on a node, given all tasks there are. */
export function couldTake(node: Node, task: Task, tasks: readonly Task[], kinds: readonly string[]): boolean {
  if (node.status?.state !== NodeStatus_State.READY) return false;
  if (node.spec?.availability !== NodeSpec_Availability.ACTIVE) return false;
  for (const constraint of task.spec?.placement?.constraints ?? []) {
    const [key = '', value = ''] = constraint.split('==');
    if ((node.spec.annotations?.labels[key.slice('node.labels.'.length)] ?? '') !== value) return false;
  }
  const limit = task.spec?.placement?.maxReplicas ?? 0;
  const siblings = tasks.filter((other) => other.nodeId === node.id && other.serviceId === task.serviceId);
  if (limit > 0 && siblings.filter(isActive).length >= limit) return false;
  const generic = kinds.flatMap((kind) => handOut(node, task, tasks, kind));
  return overuse(node, [...tasks, placedOn(node, task, generic)], kinds) === undefined;
}

/** What a task would be handed of a kind: a number, or the names nobody has. */
function handOut(node: Node, task: Task, tasks: readonly Task[], kind: string): Task['assignedGenericResources'] {
  const wish = wishOf(task, kind);
  const own = (node.description?.resources?.generic ?? []).filter(({ resource }) => resource?.value.kind === kind);
  if (own[0]?.resource?.$case !== 'namedResourceSpec') {
    return wish === 0 ? [] : [{ resource: { $case: 'discreteResourceSpec', value: { kind, value: wish } } }];
  }
  const held = tasks
    .filter((other) => other.nodeId === node.id && usesNode(other))
    .flatMap((other) => other.assignedGenericResources.map(({ resource }) => resource?.value.value));
  return own.filter(({ resource }) => !held.includes(resource?.value.value)).slice(0, wish);
}

const placedOn = (node: Node, task: Task, assignedGenericResources: Task['assignedGenericResources']): Task => ({
  ...task,
  nodeId: node.id,
  assignedGenericResources,
  status: task.status && { ...task.status, state: TaskState.ASSIGNED },
});

/** Which tasks on a node no longer belong there, by the constraints of their service and the node's resources. */
import type { Node, Service, Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState, type Resources } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { enforcedConstraints, nodeSatisfies } from '../placement/constraint.ts';
import { consumeGeneric, genericPoolOf, hasGeneric, type GenericPool } from '../placement/generic-resource.ts';
import { byAge, hasEnded, isRunning } from './task-life.ts';

/** Tasks that have to leave, in no order. Where resources do not suffice for all, running and older tasks stay. */
export function misplacedTasks(
  node: Node,
  tasks: readonly Task[],
  serviceOf: (id: string) => Service | undefined,
): readonly Task[] {
  const bound = tasks
    .filter((task) => !hasEnded(task) && isBound(task))
    .sort((a, b) => Number(isRunning(b)) - Number(isRunning(a)) || byAge(a, b));
  const room = node.description?.resources ? new Room(node.description.resources) : undefined;
  return bound.filter((task) => {
    // Tasks carry the constraints of their creation; those of the service may be newer.
    const spec = (task.serviceId === '' ? undefined : serviceOf(task.serviceId)?.spec?.task) ?? task.spec;
    if (!nodeSatisfies(enforcedConstraints(spec?.placement?.constraints), node)) return true;
    return room !== undefined && !room.take(task);
  });
}

const isBound = (task: Task): boolean =>
  task.desiredState >= TaskState.ASSIGNED && task.desiredState <= TaskState.COMPLETE;

/** What is left of a node's resources. */
class Room {
  #nanoCpus: number;
  #memoryBytes: number;
  #generic: GenericPool;

  constructor(resources: Resources) {
    this.#nanoCpus = resources.nanoCpus;
    this.#memoryBytes = resources.memoryBytes;
    this.#generic = genericPoolOf(resources.generic);
  }

  /** Reserves what a task holds; false, with nothing reserved, when it does not fit. */
  take(task: Task): boolean {
    const reserved = task.spec?.resources?.reservations;
    const nanoCpus = reserved?.nanoCpus ?? 0;
    const memoryBytes = reserved?.memoryBytes ?? 0;
    const generic = genericPoolOf(task.assignedGenericResources);
    if (nanoCpus > this.#nanoCpus || memoryBytes > this.#memoryBytes || !hasGeneric(this.#generic, generic))
      return false;
    this.#nanoCpus -= nanoCpus;
    this.#memoryBytes -= memoryBytes;
    this.#generic = consumeGeneric(this.#generic, generic);
    return true;
  }
}

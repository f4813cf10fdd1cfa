/** Invariants 5, 6 and 10: every step of a task belongs to somebody who may take it, and none goes beyond what is wanted. */
import type { Change } from '../../../src/manager/store/change.ts';
import { hasEnded, isWanted, stateOf } from '../../../src/manager/orchestrator/task-life.ts';
import type { Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import type { Check, Violate } from './check.ts';
import type { World } from './world.ts';

export class TaskSteps implements Check {
  readonly #violate: Violate;

  constructor(violate: Violate) {
    this.#violate = violate;
  }

  observe(changes: readonly Change[], world: World): void {
    for (const change of changes) {
      if (change.kind !== 'task') continue;
      if (change.action === 'delete') this.#checkDeletion(change.object, world);
      else if (change.action === 'create') this.#checkCreation(change.object, world);
      else this.#checkStep(change.old, change.object, world);
    }
  }

  #checkCreation(task: Task, world: World): void {
    if (stateOf(task) !== TaskState.NEW) this.#violate(5, `task ${task.id} begins as ${stateOf(task)}`);
    if (task.serviceId !== '' && !world.service(task.serviceId))
      this.#violate(10, `task ${task.id} is made for service ${task.serviceId}, which is not there`);
  }

  #checkStep(old: Task, task: Task, world: World): void {
    const { id, desiredState } = task;
    const [from, to] = [stateOf(old), stateOf(task)];
    if (!mayStep(old, task, world)) this.#violate(5, `nobody may take task ${id} from ${from} to ${to}`);
    const isBeyond = to > TaskState.READY && to <= TaskState.RUNNING && desiredState < TaskState.RUNNING;
    if (isBeyond && from !== to) this.#violate(6, `task ${id} is ${to} though it is wanted ${desiredState}`);
  }

  /** Tasks on a node that is gone go with it where the node names their slot. */
  #checkDeletion(task: Task, world: World): void {
    const isOver = hasEnded(task) || (stateOf(task) < TaskState.ASSIGNED && !isWanted(task));
    if (!isOver && world.node(task.nodeId))
      this.#violate(5, `task ${task.id} is deleted while it is ${stateOf(task)} and wanted ${task.desiredState}`);
  }
}

/** Whether some owner of the state may take this step: the table of docs/field-owners.md. */
function mayStep(old: Task, task: Task, world: World): boolean {
  const [from, to] = [stateOf(old), stateOf(task)];
  if (from === to) return true;
  // Given up with its node, or by the dispatcher after long silence.
  if (to === TaskState.ORPHANED) return old.nodeId !== '';
  // By its agent, or by the constraint enforcer, who may have decided while it was still wanted.
  if (to === TaskState.REJECTED) return old.nodeId !== '';
  switch (from) {
    case TaskState.NEW:
      return to === TaskState.PENDING;
    case TaskState.PENDING:
      if (to === TaskState.SHUTDOWN) return !isWanted(old);
      return to === TaskState.ASSIGNED && isWanted(old) && world.node(task.nodeId) !== undefined;
    default:
      return to !== TaskState.SHUTDOWN || old.desiredState >= TaskState.SHUTDOWN;
  }
}

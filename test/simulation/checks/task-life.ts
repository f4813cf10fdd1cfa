/** Invariants 1 to 4 and 9: what a task is never changes, and it only goes forward. */
import type { Change } from '../../../src/manager/store/change.ts';
import { hasEnded, stateOf } from '../../../src/manager/orchestrator/task-life.ts';
import type { Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskSpec } from '../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import { TaskState } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import type { Check, Violate } from './check.ts';

const DESIRED_STATES: readonly TaskState[] = [
  TaskState.READY,
  TaskState.RUNNING,
  TaskState.COMPLETE,
  TaskState.SHUTDOWN,
  TaskState.REMOVE,
];

export class TaskLife implements Check {
  readonly #violate: Violate;
  readonly #seenIds = new Set<string>();

  constructor(violate: Violate) {
    this.#violate = violate;
  }

  observe(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.kind !== 'task' || change.action === 'delete') continue;
      this.#checkTask(change.object);
      if (change.action === 'create') this.#checkId(change.object.id);
      else this.#checkStep(change.old, change.object);
    }
  }

  #checkTask(task: Task): void {
    const { id, desiredState, nodeId } = task;
    const state = stateOf(task);
    if (!DESIRED_STATES.includes(desiredState)) this.#violate(3, `task ${id} is wanted ${desiredState}`);
    if (state === TaskState.REMOVE) this.#violate(3, `task ${id} is in the state "remove"`);
    const mayBeNowhere = state === TaskState.REJECTED || state === TaskState.SHUTDOWN;
    if (state >= TaskState.ASSIGNED && nodeId === '' && !mayBeNowhere)
      this.#violate(4, `task ${id} is ${state} and on no node`);
  }

  #checkId(id: string): void {
    if (this.#seenIds.has(id)) this.#violate(1, `task id ${id} repeats`);
    this.#seenIds.add(id);
  }

  #checkStep(old: Task, task: Task): void {
    const { id } = task;
    if (old.desiredState > task.desiredState || stateOf(old) > stateOf(task))
      this.#violate(2, `task ${id} went back from ${stateOf(old)} to ${stateOf(task)}, wanted ${task.desiredState}`);
    if (!isSameSpec(old, task) || old.slot !== task.slot || old.serviceId !== task.serviceId)
      this.#violate(1, `task ${id} changed what it is`);
    if (old.nodeId !== '' && old.nodeId !== task.nodeId) this.#violate(4, `task ${id} changed its node`);
    if (hasEnded(old) && stateOf(old) !== stateOf(task))
      this.#violate(9, `task ${id} ended as ${stateOf(old)} and became ${stateOf(task)}`);
  }
}

/** Followers decode each object anew, so that equal specs need not be the same object. */
const isSameSpec = (a: Task, b: Task): boolean =>
  a.spec === b.spec || Buffer.compare(encodeSpec(a), encodeSpec(b)) === 0;

const encodeSpec = ({ spec }: Task): Uint8Array => (spec ? TaskSpec.encode(spec).finish() : new Uint8Array(0));

/** Watches a world commit by commit and collects what must never happen to tasks and slots. */
import { isTaskDirty } from '../../src/manager/placement/task-dirty.ts';
import { endedByItself, isWanted, specVersionOf, stateOf } from '../../src/manager/orchestrator/task-life.ts';
import { slotKey } from '../../src/manager/store/objects.ts';
import type { Change } from '../../src/manager/store/change.ts';
import type { Node, Service, Task } from '../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskSpec } from '../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import {
  TaskState,
  UpdateConfig_UpdateOrder as UpdateOrder,
} from '../../src/proto/generated/docker/swarmkit/v1/types.ts';

const DESIRED_STATES: readonly TaskState[] = [
  TaskState.READY,
  TaskState.RUNNING,
  TaskState.COMPLETE,
  TaskState.SHUTDOWN,
  TaskState.REMOVE,
];

/** Followers decode each object anew, so that equal specs need not be the same object. */
const isSameSpec = (a: Task, b: Task): boolean =>
  a.spec === b.spec || Buffer.compare(encodeSpec(a), encodeSpec(b)) === 0;

const encodeSpec = ({ spec }: Task): Uint8Array => (spec ? TaskSpec.encode(spec).finish() : new Uint8Array(0));

export class SlotInvariants {
  readonly violations: string[] = [];
  readonly #tasks = new Map<string, Task>();
  readonly #nodes = new Map<string, Node>();
  readonly #services = new Map<string, Service>();
  readonly #seenIds = new Set<string>();
  /** Restarts per slot and spec version. */
  readonly #restarts = new Map<string, number>();

  /** Takes in one commit. */
  readonly observe = (changes: readonly Change[]): void => {
    const touched = new Set<string>();
    for (const change of changes) {
      if (change.kind === 'task') {
        touched.add(slotKey(change.object));
        this.#observeTask(change.action, change.object, change.old);
      } else if (change.kind === 'node') this.#set(this.#nodes, change);
      else if (change.kind === 'service') this.#set(this.#services, change);
    }
    for (const key of touched) this.#checkSlot(key, changes);
  };

  #set(map: Map<string, Node> | Map<string, Service>, change: Change): void {
    if (change.action === 'delete') map.delete(change.object.id);
    else (map as Map<string, unknown>).set(change.object.id, change.object);
  }

  #observeTask(action: Change['action'], task: Task, old: Task | undefined): void {
    if (action === 'delete') {
      this.#tasks.delete(task.id);
      return;
    }
    this.#tasks.set(task.id, task);
    if (!DESIRED_STATES.includes(task.desiredState)) this.#violate(`task ${task.id} is wanted ${task.desiredState}`);
    if (action === 'create') {
      if (this.#seenIds.has(task.id)) this.#violate(`task id ${task.id} repeats`);
      this.#seenIds.add(task.id);
      return;
    }
    if (!old) return;
    if (old.desiredState > task.desiredState || stateOf(old) > stateOf(task))
      this.#violate(`task ${task.id} went back`);
    if (!isSameSpec(old, task) || old.slot !== task.slot || old.serviceId !== task.serviceId)
      this.#violate(`task ${task.id} changed what it is`);
    if (old.nodeId !== '' && old.nodeId !== task.nodeId) this.#violate(`task ${task.id} changed its node`);
  }

  #inSlot(key: string): readonly Task[] {
    return [...this.#tasks.values()].filter((task) => slotKey(task) === key);
  }

  #checkSlot(key: string, changes: readonly Change[]): void {
    const tasks = this.#inSlot(key);
    const wanted = tasks.filter(isWanted);
    const service = this.#services.get(tasks[0]?.serviceId ?? '');
    if (!service) return;
    if (wanted.length > 1 && !this.#isStartFirstStep(service, wanted))
      this.#violate(`slot ${key} has ${wanted.length} wanted tasks: ${wanted.map((t) => t.id).join(', ')}`);
    for (const change of changes) {
      if (change.kind !== 'task' || change.action !== 'create' || slotKey(change.object) !== key) continue;
      this.#checkReplacement(change.object, changes, service);
    }
  }

  /** A replacement is made in the transaction that asks the old task to stop, and not more often than the policy allows. */
  #checkReplacement(task: Task, changes: readonly Change[], service: Service): void {
    if (task.startAfter === undefined) return;
    const replaced = changes.find(
      (change) =>
        change.kind === 'task' &&
        change.action === 'update' &&
        slotKey(change.object) === slotKey(task) &&
        isWanted(change.old) &&
        change.object.desiredState === TaskState.SHUTDOWN,
    );
    if (!replaced) {
      this.#violate(`task ${task.id} replaces nothing in its transaction`);
      return;
    }
    const old = replaced.object as Task;
    const maxAttempts = service.spec?.task?.restart?.maxAttempts ?? 0;
    if (!endedByItself(old) || specVersionOf(old) !== specVersionOf(task)) return;
    const key = `${slotKey(task)} ${specVersionOf(task)}`;
    const restarts = (this.#restarts.get(key) ?? 0) + 1;
    this.#restarts.set(key, restarts);
    if (maxAttempts > 0 && restarts > maxAttempts) this.#violate(`slot ${key} was restarted ${restarts} times`);
  }

  /** One task of the present spec beside one older one, in a start-first update; or the moment after a spec change. */
  #isStartFirstStep(service: Service, wanted: readonly Task[]): boolean {
    const orders = [service.spec, service.previousSpec].flatMap((spec) => [spec?.update?.order, spec?.rollback?.order]);
    const dirty = wanted.filter((task) => isTaskDirty(service, task, this.#nodes.get(task.nodeId)));
    return wanted.length === 2 && dirty.length >= 1 && orders.includes(UpdateOrder.START_FIRST);
  }

  #violate(what: string): void {
    this.violations.push(what);
  }
}

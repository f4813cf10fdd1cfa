/** Tasks that wait for a place: which of them are worth a try now, and which must first see something change. */
import type { Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { isWanted, type Gains } from './cluster-view.ts';
import type { Gain } from './filters/filter.ts';
import { Pipeline } from './filters/pipeline.ts';
import { groupKeyOf, taskGroupOf, type TaskGroup } from './task-group.ts';

export interface PendingGroup {
  readonly group: TaskGroup;
  readonly pipeline: Pipeline;
  /** Tasks that may go to any node, by id. */
  readonly free: Map<string, Task>;
  /** Tasks whose node is given, by id. */
  readonly preassigned: Map<string, Task>;
  /** What must happen before another try makes sense; undefined while the group is ready. */
  awaited: ReadonlySet<Gain> | undefined;
}

export class PendingTasks {
  readonly #groups = new Map<string, PendingGroup>();
  readonly #groupOf = new Map<string, PendingGroup>();
  /** Groups with free tasks to be tried, first come first served. */
  readonly #ready = new Set<PendingGroup>();
  readonly #waiting = new Set<PendingGroup>();
  readonly #readyPreassigned = new Set<string>();
  readonly #waitingPreassigned = new Map<string, Set<string>>();
  readonly #unwanted = new Map<string, Task>();

  /** Whether there is anything to try now. */
  get hasReady(): boolean {
    return this.#ready.size > 0 || this.#readyPreassigned.size > 0 || this.#unwanted.size > 0;
  }

  get hasWaiting(): boolean {
    return this.#waiting.size > 0 || this.#waitingPreassigned.size > 0;
  }

  /** Tasks that have no place yet. */
  get size(): number {
    return this.#groupOf.size;
  }

  /** Takes over a task as it is now. */
  set(task: Task): void {
    const isPending = task.status?.state === TaskState.PENDING;
    if (!isPending || !isWanted(task)) {
      this.remove(task.id);
      if (isPending && task.desiredState < TaskState.REMOVE) this.#unwanted.set(task.id, task);
      return;
    }
    const known = this.#groupOf.get(task.id);
    const tasks = known && (task.nodeId === '' ? known.free : known.preassigned);
    if (tasks?.has(task.id)) {
      tasks.set(task.id, task);
      return;
    }
    this.remove(task.id);
    this.#add(task);
  }

  remove(id: string): void {
    if (this.#unwanted.size > 0) this.#unwanted.delete(id);
    const pending = this.#groupOf.get(id);
    if (!pending) return;
    this.#groupOf.delete(id);
    if (!pending.free.delete(id)) this.#removePreassigned(pending, id);
    if (pending.free.size === 0) {
      this.#ready.delete(pending);
      this.#waiting.delete(pending);
    }
    if (pending.free.size + pending.preassigned.size === 0) this.#groups.delete(pending.group.key);
  }

  /** Forgets the tasks of a service that is no more. */
  removeService(serviceId: string): void {
    for (const pending of this.#groups.values()) {
      if (pending.group.serviceId !== serviceId) continue;
      for (const id of [...pending.free.keys(), ...pending.preassigned.keys()]) this.remove(id);
    }
  }

  /** Tasks nobody wants any more and no agent knows; each is handed out once. */
  takeUnwanted(): readonly Task[] {
    const tasks = [...this.#unwanted.values()];
    this.#unwanted.clear();
    return tasks;
  }

  /** Ready tasks whose node is given; each counts as waiting for it until it is removed. */
  takePreassigned(limit: number): readonly { readonly task: Task; readonly pending: PendingGroup }[] {
    const taken: { readonly task: Task; readonly pending: PendingGroup }[] = [];
    for (const id of this.#readyPreassigned) {
      if (taken.length >= limit) break;
      const pending = this.#groupOf.get(id) as PendingGroup;
      const task = pending.preassigned.get(id) as Task;
      this.#readyPreassigned.delete(id);
      this.#parkPreassigned(task);
      taken.push({ task, pending });
    }
    return taken;
  }

  /** Groups to be tried, in order. */
  ready(): readonly PendingGroup[] {
    return [...this.#ready];
  }

  /** Lets a group wait until one of `awaited` happens on a node that then fits. */
  park(pending: PendingGroup, awaited: ReadonlySet<Gain>): void {
    pending.awaited = awaited;
    this.#ready.delete(pending);
    if (pending.free.size > 0) this.#waiting.add(pending);
  }

  /** Puts a group behind the other ready ones. */
  yield(pending: PendingGroup): void {
    if (this.#ready.delete(pending)) this.#ready.add(pending);
  }

  /** Wakes what can use one of the gains. */
  wake(gains: Gains): void {
    for (const [info, kinds] of gains) {
      for (const pending of this.#waiting) {
        if (info.node && overlaps(pending.awaited, kinds) && pending.pipeline.passes(info)) this.#unpark(pending);
      }
      for (const id of this.#waitingPreassigned.get(info.id) ?? []) this.#readyPreassigned.add(id);
      this.#waitingPreassigned.delete(info.id);
    }
  }

  /** Wakes everything, to bring the stated reasons up to date. */
  wakeAll(): void {
    for (const pending of this.#waiting) this.#unpark(pending);
    for (const ids of this.#waitingPreassigned.values()) for (const id of ids) this.#readyPreassigned.add(id);
    this.#waitingPreassigned.clear();
  }

  #add(task: Task): void {
    const key = groupKeyOf(task);
    const pending = this.#groups.get(key) ?? this.#open(taskGroupOf(task, key));
    this.#groupOf.set(task.id, pending);
    if (task.nodeId === '') {
      pending.free.set(task.id, task);
      this.#unpark(pending);
    } else {
      pending.preassigned.set(task.id, task);
      this.#readyPreassigned.add(task.id);
    }
  }

  #open(group: TaskGroup): PendingGroup {
    const pending: PendingGroup = {
      group,
      pipeline: new Pipeline(group),
      free: new Map(),
      preassigned: new Map(),
      awaited: undefined,
    };
    this.#groups.set(group.key, pending);
    return pending;
  }

  #unpark(pending: PendingGroup): void {
    pending.awaited = undefined;
    this.#waiting.delete(pending);
    this.#ready.add(pending);
  }

  #removePreassigned({ preassigned }: PendingGroup, id: string): void {
    const task = preassigned.get(id);
    if (task) this.#unparkPreassigned(task);
    this.#readyPreassigned.delete(id);
    preassigned.delete(id);
  }

  #parkPreassigned(task: Task): void {
    const ids = this.#waitingPreassigned.get(task.nodeId);
    if (ids) ids.add(task.id);
    else this.#waitingPreassigned.set(task.nodeId, new Set([task.id]));
  }

  #unparkPreassigned(task: Task): void {
    const ids = this.#waitingPreassigned.get(task.nodeId);
    ids?.delete(task.id);
    if (ids?.size === 0) this.#waitingPreassigned.delete(task.nodeId);
  }
}

function overlaps(awaited: ReadonlySet<Gain> | undefined, kinds: ReadonlySet<Gain>): boolean {
  for (const kind of kinds) if (awaited?.has(kind)) return true;
  return false;
}

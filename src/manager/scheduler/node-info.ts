/** What the scheduler knows of one node: its capacity, what is left of it, and who uses the rest. Kept up to date task by task. */
import {
  claimGeneric,
  consumeGeneric,
  genericPoolOf,
  NO_GENERIC,
  type GenericPool,
} from '../placement/generic-resource.ts';
import type { Node } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { Demand } from './demand.ts';

/** A task's place on a node. */
export interface Hold {
  readonly serviceId: string;
  readonly demand: Demand;
  /** Generic resources handed out. */
  readonly generic: GenericPool;
  /** Whether the task is still wanted; only such tasks count when nodes are ranked. */
  readonly isActive: boolean;
  /** Whether the node was given, not chosen; failures of such tasks say nothing about the choice. */
  readonly isPreassigned: boolean;
}

/** Failures older than this no longer speak against a node. */
const FAILURE_WINDOW_MS = 5 * 60_000;

export class NodeInfo {
  readonly id: string;
  /** Undefined while tasks hold resources on a node that is not (or no longer) there. */
  #node: Node | undefined;
  #totalNanoCpus = 0;
  #totalMemoryBytes = 0;
  #totalGeneric: GenericPool = NO_GENERIC;
  #usedNanoCpus = 0;
  #usedMemoryBytes = 0;
  #generic: GenericPool = NO_GENERIC;
  #activeTasks = 0;
  /** Made when there is something to hold, as the ones below: many nodes of a large cluster have nothing. */
  #activeByService: Map<string, number> | undefined;
  #holds: Map<string, Hold> | undefined;
  #hostPorts: Map<string, number> | undefined;
  /** Times of failures per group, in ms since 1970. */
  #failures: Map<string, number[]> | undefined;

  constructor(id: string) {
    this.id = id;
  }

  get node(): Node | undefined {
    return this.#node;
  }

  get totalNanoCpus(): number {
    return this.#totalNanoCpus;
  }

  get totalMemoryBytes(): number {
    return this.#totalMemoryBytes;
  }

  /** Negative when the node shrank below what its tasks reserve. */
  get availableNanoCpus(): number {
    return this.#totalNanoCpus - this.#usedNanoCpus;
  }

  get availableMemoryBytes(): number {
    return this.#totalMemoryBytes - this.#usedMemoryBytes;
  }

  get generic(): GenericPool {
    return this.#generic;
  }

  get activeTasks(): number {
    return this.#activeTasks;
  }

  get isUnused(): boolean {
    return (this.#holds?.size ?? 0) === 0;
  }

  activeTasksOf(serviceId: string): number {
    return this.#activeByService?.get(serviceId) ?? 0;
  }

  holdsPort(port: string): boolean {
    return this.#hostPorts?.has(port) ?? false;
  }

  holdOf(taskId: string): Hold | undefined {
    return this.#holds?.get(taskId);
  }

  /** Takes over a changed description; reservations stay. */
  setNode(node: Node | undefined): void {
    const resources = node?.description?.resources;
    this.#node = node;
    this.#totalNanoCpus = resources?.nanoCpus ?? 0;
    this.#totalMemoryBytes = resources?.memoryBytes ?? 0;
    this.#totalGeneric = resources ? genericPoolOf(resources.generic) : NO_GENERIC;
    this.#recountGeneric();
  }

  /** Reserves for a task placed just now. Throws failedPrecondition when generic resources do not suffice. */
  reserve(taskId: string, serviceId: string, demand: Demand, isPreassigned: boolean): Hold {
    const generic = demand.generic.size === 0 ? NO_GENERIC : claimGeneric(this.#generic, demand.generic).assigned;
    const hold: Hold = { serviceId, demand, generic, isActive: true, isPreassigned };
    this.add(taskId, hold);
    return hold;
  }

  /** Accounts for a task that is on the node, whether or not it fits. */
  add(taskId: string, hold: Hold): void {
    this.remove(taskId);
    this.#holds ??= new Map();
    this.#holds.set(taskId, hold);
    this.#usedNanoCpus += hold.demand.nanoCpus;
    this.#usedMemoryBytes += hold.demand.memoryBytes;
    this.#generic = consumeGeneric(this.#generic, hold.generic);
    for (const port of hold.demand.hostPorts) this.#countPort(port, 1);
    if (hold.isActive) this.#countActive(hold.serviceId, 1);
  }

  /** Gives back what a task held; returns it, or undefined when it held nothing. */
  remove(taskId: string): Hold | undefined {
    const hold = this.#holds?.get(taskId);
    if (!hold) return undefined;
    this.#holds?.delete(taskId);
    this.#usedNanoCpus -= hold.demand.nanoCpus;
    this.#usedMemoryBytes -= hold.demand.memoryBytes;
    if (hold.generic.size > 0) this.#recountGeneric();
    for (const port of hold.demand.hostPorts) this.#countPort(port, -1);
    if (hold.isActive) this.#countActive(hold.serviceId, -1);
    return hold;
  }

  /** @param atMs when the task failed, in ms since 1970 */
  recordFailure(group: string, atMs: number, nowMs: number): void {
    const isRecent = (at: number): boolean => at > nowMs - FAILURE_WINDOW_MS;
    this.#failures ??= new Map();
    this.#failures.set(group, [...(this.#failures.get(group) ?? []), atMs]);
    for (const [key, times] of this.#failures) {
      const recent = times.filter(isRecent);
      if (recent.length === 0) this.#failures.delete(key);
      else this.#failures.set(key, recent);
    }
  }

  /** Failures of a group's tasks on this node within the window. */
  recentFailures(group: string, nowMs: number): number {
    const times = this.#failures?.get(group);
    if (!times) return 0;
    return times.filter((at) => at > nowMs - FAILURE_WINDOW_MS).length;
  }

  /** Everything accounted, in a form that can be compared. */
  account(): unknown {
    const sorted = <T>(map: ReadonlyMap<string, T>): unknown => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      id: this.id,
      version: this.#node?.meta?.version?.index,
      nanoCpus: [this.#totalNanoCpus, this.#usedNanoCpus],
      memoryBytes: [this.#totalMemoryBytes, this.#usedMemoryBytes],
      generic: [...this.#generic]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([kind, amount]) => [kind, typeof amount === 'number' ? amount : [...amount].sort()]),
      activeTasks: this.#activeTasks,
      activeByService: sorted(this.#activeByService ?? new Map()),
      hostPorts: sorted(this.#hostPorts ?? new Map()),
      tasks: [...(this.#holds?.keys() ?? [])].sort(),
    };
  }

  /** From the totals, because adding back is wrong once the node shrank below what its tasks hold. */
  #recountGeneric(): void {
    this.#generic = this.#totalGeneric;
    if (this.#totalGeneric.size === 0) return;
    for (const hold of this.#holds?.values() ?? []) this.#generic = consumeGeneric(this.#generic, hold.generic);
  }

  #countActive(serviceId: string, by: 1 | -1): void {
    this.#activeTasks += by;
    const count = this.activeTasksOf(serviceId) + by;
    this.#activeByService ??= new Map();
    if (count === 0) this.#activeByService.delete(serviceId);
    else this.#activeByService.set(serviceId, count);
  }

  #countPort(port: string, by: 1 | -1): void {
    this.#hostPorts ??= new Map();
    const count = (this.#hostPorts.get(port) ?? 0) + by;
    if (count === 0) this.#hostPorts.delete(port);
    else this.#hostPorts.set(port, count);
  }
}

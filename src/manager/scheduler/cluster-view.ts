/** All nodes with what their tasks use, kept up to date change by change. Knows nothing of tasks that have no node yet. */
import { msOfTimestamp } from '../../common/time.ts';
import { genericPoolOf } from '../placement/generic-resource.ts';
import type { Node, Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Reader } from '../store/transaction.ts';
import { demandOf, type Demand } from './demand.ts';
import type { Gain } from './filters/filter.ts';
import { NodeInfo, type Hold } from './node-info.ts';
import { NodePool } from './node-pool.ts';
import type { NodeSource } from './place.ts';
import { PreferenceTree, type Branching } from './preferences.ts';
import { groupKeyOf, type TaskGroup } from './task-group.ts';

/** What happened on each node that may make it fit where it did not before. */
export type Gains = ReadonlyMap<NodeInfo, ReadonlySet<Gain>>;

export class ClusterView implements NodeSource {
  /** Nodes that exist, to choose from. */
  readonly all = new NodePool();
  /** The same by id. */
  readonly #nodes = new Map<string, NodeInfo>();
  /** These and nodes that are gone but still named by tasks. */
  readonly #infos = new Map<string, NodeInfo>();
  /** Where each task that uses resources is. */
  readonly #places = new Map<string, NodeInfo>();
  /** Nodes with active tasks of each service. */
  readonly #nodesOfService = new Map<string, Set<NodeInfo>>();
  /** Nodes on which tasks of each group failed not long ago. */
  readonly #failedOn = new Map<string, Set<NodeInfo>>();
  /** Trees in use, by their levels. */
  readonly #trees = new Map<string, PreferenceTree>();
  /** Undefined until somebody asks for the first time. */
  #gains: Map<NodeInfo, Set<Gain>> | undefined;

  /** The state of a store. */
  static of(reader: Pick<Reader, 'node' | 'task'>, nowMs: number): ClusterView {
    const view = new ClusterView();
    for (const node of reader.node.all()) view.setNode(node);
    for (const task of reader.task.all()) {
      if (usesResources(task)) view.setTask(task, nowMs);
      else if (hasFailed(task) && task.slot !== 0) {
        const at = task.status?.timestamp ? msOfTimestamp(task.status.timestamp) : 0;
        const info = view.#infos.get(task.nodeId);
        if (info) view.#recordFailure(info, task, Math.min(at, nowMs), nowMs);
      }
    }
    view.takeGains();
    return view;
  }

  get nodes(): ReadonlyMap<string, NodeInfo> {
    return this.#nodes;
  }

  treeBy(levels: readonly Branching[]): PreferenceTree {
    const key = levels.map((level) => level.key).join('\0');
    const known = this.#trees.get(key);
    if (known) return known;
    const tree = new PreferenceTree(this.#nodes.values(), levels);
    this.#trees.set(key, tree);
    return tree;
  }

  historyOf(group: TaskGroup, nowMs: number): readonly NodeInfo[] {
    const failed = this.#failedOn.get(group.key);
    for (const info of failed ?? []) if (info.recentFailures(group.key, nowMs) === 0) failed?.delete(info);
    if (failed?.size === 0) this.#failedOn.delete(group.key);
    return [...(this.#nodesOfService.get(group.serviceId) ?? []), ...(failed ?? [])];
  }

  setNode(node: Node): void {
    const info = this.#infoOf(node.id);
    const hadNanoCpus = info.totalNanoCpus;
    const hadMemoryBytes = info.totalMemoryBytes;
    info.setNode(node);
    if (!this.#nodes.has(node.id)) this.all.add(info);
    this.#nodes.set(node.id, info);
    for (const tree of this.#trees.values()) tree.setNode(info);
    this.#changed(info);
    this.#gain(info, 'node');
    const hasGrown = info.totalNanoCpus > hadNanoCpus || info.totalMemoryBytes > hadMemoryBytes;
    if (hasGrown || info.generic.size > 0) this.#gain(info, 'capacity');
  }

  removeNode(id: string): void {
    const info = this.#nodes.get(id);
    if (!info) return;
    this.#nodes.delete(id);
    info.setNode(undefined);
    this.all.remove(info);
    for (const tree of this.#trees.values()) tree.setNode(info);
    this.#forgetIfGone(info);
  }

  /** Takes over a task as it is now. */
  setTask(task: Task, nowMs: number): void {
    const place = this.#places.get(task.id);
    if (!usesResources(task)) {
      const hold = this.removeTask(task.id);
      if (place && hold && !hold.isPreassigned && hasFailed(task)) this.#recordFailure(place, task, nowMs, nowMs);
      return;
    }
    const hold = place?.holdOf(task.id);
    if (hold && place?.id === task.nodeId) this.#setActive(place, task, hold);
    else {
      this.removeTask(task.id);
      this.#add(task);
    }
  }

  /** Gives back what a task used; returns it, or undefined when it used nothing. */
  removeTask(id: string): Hold | undefined {
    const info = this.#places.get(id);
    const hold = info?.remove(id);
    if (!info || !hold) return undefined;
    this.#places.delete(id);
    this.#changed(info, hold.serviceId);
    this.#gainFrom(info, hold);
    this.#forgetIfGone(info);
    return hold;
  }

  /** Reserves a node for a task of a group that fits there. */
  reserve(task: Task, group: TaskGroup, info: NodeInfo, isPreassigned = false): Hold {
    const hold = info.reserve(task.id, group.serviceId, group.demand, isPreassigned);
    this.#places.set(task.id, info);
    this.#changed(info, group.serviceId);
    return hold;
  }

  /** What happened since the last call; the first one only begins to take note. */
  takeGains(): Gains {
    const gains = this.#gains ?? new Map<NodeInfo, Set<Gain>>();
    this.#gains = new Map();
    return gains;
  }

  /** Everything accounted, in a form that can be compared; also of nodes that are gone but still in use. */
  account(): readonly unknown[] {
    return [...this.#infos.values()].sort((a, b) => (a.id < b.id ? -1 : 1)).map((info) => info.account());
  }

  #add(task: Task): void {
    const info = this.#infoOf(task.nodeId);
    info.add(task.id, {
      serviceId: task.serviceId,
      demand: demandOf(task),
      generic: genericPoolOf(task.assignedGenericResources),
      isActive: isWanted(task),
      isPreassigned: task.slot === 0,
    });
    this.#places.set(task.id, info);
    this.#changed(info, task.serviceId);
  }

  #setActive(info: NodeInfo, task: Task, hold: Hold): void {
    const isActive = isWanted(task);
    if (hold.isActive === isActive) return;
    info.add(task.id, { ...hold, isActive });
    this.#changed(info, task.serviceId);
    if (!isActive) this.#gain(info, 'slots');
  }

  #recordFailure(info: NodeInfo, task: Task, atMs: number, nowMs: number): void {
    const group = groupKeyOf(task);
    info.recordFailure(group, atMs, nowMs);
    enter(this.#failedOn, group, info);
  }

  /** Keeps what is derived from a node (and from its tasks of one service) in step. */
  #changed(info: NodeInfo, serviceId?: string): void {
    this.all.mark(info);
    for (const tree of this.#trees.values()) tree.mark(info);
    if (serviceId === undefined) return;
    if (info.activeTasksOf(serviceId) > 0) enter(this.#nodesOfService, serviceId, info);
    else leave(this.#nodesOfService, serviceId, info);
  }

  #infoOf(id: string): NodeInfo {
    const known = this.#infos.get(id);
    if (known) return known;
    const info = new NodeInfo(id);
    this.#infos.set(id, info);
    return info;
  }

  #forgetIfGone(info: NodeInfo): void {
    if (info.isUnused && !this.#nodes.has(info.id)) this.#infos.delete(info.id);
  }

  #gainFrom(info: NodeInfo, hold: Hold): void {
    if (reservesCapacity(hold.demand)) this.#gain(info, 'capacity');
    if (hold.demand.hostPorts.length > 0) this.#gain(info, 'ports');
    if (hold.isActive) this.#gain(info, 'slots');
  }

  #gain(info: NodeInfo, gain: Gain): void {
    const gains = this.#gains?.get(info);
    if (gains) gains.add(gain);
    else this.#gains?.set(info, new Set([gain]));
  }
}

/** Tasks use resources from the moment they are assigned until they have ended. */
const usesResources = (task: Task): boolean => {
  const state = task.status?.state ?? TaskState.NEW;
  return task.nodeId !== '' && state >= TaskState.ASSIGNED && state <= TaskState.RUNNING;
};

/** Whether a task shall run (or run to its end), not stop. */
export const isWanted = (task: Task): boolean => task.desiredState <= TaskState.COMPLETE;

const hasFailed = (task: Task): boolean =>
  task.status?.state === TaskState.FAILED || task.status?.state === TaskState.REJECTED;

const reservesCapacity = (demand: Demand): boolean =>
  demand.nanoCpus > 0 || demand.memoryBytes > 0 || demand.generic.size > 0;

function enter(sets: Map<string, Set<NodeInfo>>, key: string, info: NodeInfo): void {
  const set = sets.get(key);
  if (set) set.add(info);
  else sets.set(key, new Set([info]));
}

function leave(sets: Map<string, Set<NodeInfo>>, key: string, info: NodeInfo): void {
  const set = sets.get(key);
  set?.delete(info);
  if (set?.size === 0) sets.delete(key);
}

/** Invariants 24 and 25 of a task, at the moment it is placed: every filter holds, and nothing of a node is promised twice. */
import type { Change } from '../../../src/manager/store/change.ts';
import { isWanted, stateOf } from '../../../src/manager/orchestrator/task-life.ts';
import { enforcedConstraints, nodeSatisfies } from '../../../src/manager/placement/constraint.ts';
import { genericPoolOf } from '../../../src/manager/placement/generic-resource.ts';
import type { Node, Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import type { Check, Violate } from './check.ts';
import { holdsItsPlace, hostPortsOf, isOpen } from './room.ts';
import type { World } from './world.ts';

export class PlacementFits implements Check {
  readonly #violate: Violate;

  constructor(violate: Violate) {
    this.#violate = violate;
  }

  observe(changes: readonly Change[], world: World): void {
    const placed = changes.flatMap((change) => {
      if (change.kind !== 'task' || change.action === 'delete') return [];
      const wasPlaced = change.old !== undefined && stateOf(change.old) >= TaskState.ASSIGNED;
      return stateOf(change.object) === TaskState.ASSIGNED && !wasPlaced ? [change.object] : [];
    });
    for (const task of placed) this.#checkPlacement(task, placed, world);
  }

  #checkPlacement(task: Task, placed: readonly Task[], world: World): void {
    const node = world.node(task.nodeId);
    if (!node) return this.#violate(24, `task ${task.id} is placed on ${task.nodeId}, which is not there`);
    if (!isOpen(node)) this.#violate(24, `task ${task.id} is placed on ${node.id}, which takes no tasks`);
    if (!nodeSatisfies(enforcedConstraints(task.spec?.placement?.constraints), node))
      this.#violate(24, `task ${task.id} is placed on ${node.id}, which does not satisfy its constraints`);
    const live = world.tables.task.by('node', node.id).filter(holdsItsPlace);
    this.#checkResources(node, live);
    this.#checkHostPorts(node, live);
    const most = mostPerNode(task);
    // As Docker counts them: those that are on their way out may still be there. Others of another spec may have come after this one.
    const beside = live.filter(
      (each) =>
        each.serviceId === task.serviceId &&
        isWanted(each) &&
        (mostPerNode(each) === most || !placed.some(({ id }) => id === each.id)),
    ).length;
    if (most > 0 && beside > most)
      this.#violate(25, `node ${node.id} has ${beside} tasks of ${task.serviceId}, not ${most}`);
  }

  #checkResources(node: Node, live: readonly Task[]): void {
    const has = node.description?.resources;
    for (const resource of ['nanoCpus', 'memoryBytes'] as const) {
      const reserved = live.reduce((sum, { spec }) => sum + (spec?.resources?.reservations?.[resource] ?? 0), 0);
      if (reserved > (has?.[resource] ?? 0))
        this.#violate(24, `node ${node.id} has promised ${reserved} ${resource} of ${has?.[resource]}`);
    }
    const promised = live.flatMap((task) => [...genericPoolOf(task.assignedGenericResources)]);
    for (const [kind, amount] of genericPoolOf(has?.generic ?? [])) {
      const given = promised
        .filter(([other]) => other === kind)
        .flatMap(([, part]): readonly (number | string)[] => (typeof part === 'number' ? [part] : part));
      if (typeof amount === 'number') {
        const sum = given.reduce<number>((total, part) => total + Number(part), 0);
        if (sum > amount) this.#violate(24, `node ${node.id} has promised ${sum} ${kind} of ${amount}`);
      } else if (new Set(given).size < given.length || given.some((name) => !amount.includes(String(name))))
        this.#violate(24, `node ${node.id} has promised ${kind} ${given.join(' ')} of ${amount.join(' ')}`);
    }
  }

  #checkHostPorts(node: Node, live: readonly Task[]): void {
    const held = new Map<string, string>();
    for (const task of live) {
      for (const port of hostPortsOf(task)) {
        const holder = held.get(port);
        if (holder !== undefined)
          this.#violate(25, `${holder} and ${task.id} both hold port ${port} of node ${node.id}`);
        held.set(port, task.id);
      }
    }
  }
}

/** How many tasks of the service a node may have, as the task's spec says; 0 for any number. */
const mostPerNode = ({ spec }: Task): number => spec?.placement?.maxReplicas ?? 0;

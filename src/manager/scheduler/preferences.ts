/**
 * Placement preferences: nodes form a tree by the values of labels, and tasks are shared out evenly at each level.
 * Every task goes down the branch that has the fewest tasks of the service at that moment, so the levels stay even
 * also when a branch runs full.
 */
import type { Node } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { PlacementPreference } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { NodeInfo } from './node-info.ts';
import { NodePool } from './node-pool.ts';
import type { NodePicker } from './strategies/strategy.ts';
import { TopHeap } from './top-heap.ts';

/** One level of the tree. */
export interface Branching {
  /** The same for preferences that mean the same. */
  readonly key: string;
  /** Value of a node; "" when the label is missing. */
  readonly of: (node: Node) => string;
}

const NODE_LABELS = 'node.labels.';
const ENGINE_LABELS = 'engine.labels.';

/** Preferences as branchings, outermost first. What is not understood makes no level, as in Docker. */
export function branchings(preferences: readonly PlacementPreference[]): readonly Branching[] {
  return preferences.flatMap(({ Preference }) => {
    const descriptor = Preference?.value.spreadDescriptor ?? '';
    const node = labelIn(descriptor, NODE_LABELS);
    if (node !== undefined) {
      return [{ key: NODE_LABELS + node, of: (n: Node) => n.spec?.annotations?.labels[node] ?? '' }];
    }
    const engine = labelIn(descriptor, ENGINE_LABELS);
    if (engine !== undefined) {
      return [{ key: ENGINE_LABELS + engine, of: (n: Node) => n.description?.engine?.labels[engine] ?? '' }];
    }
    return [];
  });
}

const labelIn = (descriptor: string, prefix: string): string | undefined =>
  descriptor.length > prefix.length && descriptor.slice(0, prefix.length).toLowerCase() === prefix
    ? descriptor.slice(prefix.length)
    : undefined;

/** One branch of the tree. */
interface Branch {
  /** Label value; "" for the root and for nodes without the label. */
  readonly value: string;
  readonly parent: Branch | undefined;
  readonly branches: Map<string, Branch>;
  /** All nodes of a branch of the last level. */
  readonly pool: NodePool;
}

/** A branch as one service sees it. */
export interface CountedBranch {
  readonly value: string;
  /** Active tasks of the service below. */
  readonly tasks: number;
  /** In order of value; empty at the last level. */
  readonly branches: readonly CountedBranch[];
  readonly pool: NodePool;
}

/** The tree of all nodes for one list of preferences, kept up to date, so that placing a group looks at branches only. */
export class PreferenceTree {
  readonly #levels: readonly Branching[];
  readonly #root = newBranch('', undefined);
  readonly #leafOf = new Map<NodeInfo, Branch>();

  constructor(nodes: Iterable<NodeInfo>, levels: readonly Branching[]) {
    this.#levels = levels;
    for (const node of nodes) this.setNode(node);
  }

  /** A node appeared, went away or changed its labels. */
  setNode(info: NodeInfo): void {
    const leaf = info.node && this.#leafFor(info.node);
    const old = this.#leafOf.get(info);
    if (leaf === old) return;
    if (leaf) {
      this.#leafOf.set(info, leaf);
      leaf.pool.add(info);
    } else {
      this.#leafOf.delete(info);
    }
    if (!old) return;
    old.pool.remove(info);
    prune(old);
  }

  /** Tasks came to a node or left it. */
  mark(info: NodeInfo): void {
    this.#leafOf.get(info)?.pool.mark(info);
  }

  /** @param used nodes that have active tasks of the service; others may be among them */
  countedFor(serviceId: string, used: Iterable<NodeInfo>): CountedBranch {
    const tasks = new Map<Branch, number>();
    for (const info of new Set(used)) {
      const own = info.activeTasksOf(serviceId);
      for (let branch = this.#leafOf.get(info); branch && own > 0; branch = branch.parent) {
        tasks.set(branch, (tasks.get(branch) ?? 0) + own);
      }
    }
    const count = (branch: Branch): CountedBranch => ({
      value: branch.value,
      tasks: tasks.get(branch) ?? 0,
      branches: [...branch.branches.values()].sort((a, b) => (a.value < b.value ? -1 : 1)).map(count),
      pool: branch.pool,
    });
    return count(this.#root);
  }

  #leafFor(node: Node): Branch {
    let branch = this.#root;
    for (const level of this.#levels) {
      const value = level.of(node);
      let child = branch.branches.get(value);
      if (!child) branch.branches.set(value, (child = newBranch(value, branch)));
      branch = child;
    }
    return branch;
  }
}

const newBranch = (value: string, parent: Branch | undefined): Branch => ({
  value,
  parent,
  branches: new Map(),
  pool: new NodePool(),
});

/** Takes branches away that have nothing below them any more. */
function prune(leaf: Branch): void {
  for (let branch = leaf; branch.parent && branch.pool.size + branch.branches.size === 0; branch = branch.parent) {
    branch.parent.branches.delete(branch.value);
  }
}

/** A picker over a tree; `leaf` makes the picker of one innermost branch, when the first task comes its way. */
export function treePicker(branch: CountedBranch, leaf: (pool: NodePool) => NodePicker): NodePicker {
  if (branch.branches.length === 0) return leaf(branch.pool);
  return new EvenPicker(branch.branches, (child) => treePicker(child, leaf));
}

interface OpenBranch {
  readonly branch: CountedBranch;
  /** Place among its siblings. */
  readonly order: number;
  picker: NodePicker | undefined;
  tasks: number;
}

/** Asks the branch with the fewest tasks (the first of equals) and drops branches without room. */
class EvenPicker implements NodePicker {
  readonly #open: TopHeap<OpenBranch>;
  readonly #pickerOf: (branch: CountedBranch) => NodePicker;

  constructor(branches: readonly CountedBranch[], pickerOf: (branch: CountedBranch) => NodePicker) {
    this.#pickerOf = pickerOf;
    this.#open = new TopHeap<OpenBranch>(
      branches.map((branch, order) => ({ branch, order, picker: undefined, tasks: branch.tasks })),
      ({ tasks }) => tasks,
      (a, b) => a.order < b.order,
    );
  }

  pick(): NodeInfo | undefined {
    for (let lowest = this.#open.top; lowest; lowest = this.#open.top) {
      const node = (lowest.picker ??= this.#pickerOf(lowest.branch)).pick();
      if (node) {
        this.#open.reorderTop(++lowest.tasks);
        return node;
      }
      this.#open.removeTop();
    }
    return undefined;
  }
}

/**
 * Placement preferences: nodes form a tree by the values of labels, and tasks are shared out evenly at each level.
 * Every task goes down the branch that has the fewest tasks of the service at that moment, so the levels stay even
 * also when a branch runs full.
 */
import type { Node } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { PlacementPreference } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { NodeInfo } from './node-info.ts';
import type { NodePicker } from './strategies/strategy.ts';
import { TopHeap } from './top-heap.ts';

/** Value of a node under one preference; "" when the label is missing. */
export type BranchOf = (node: Node) => string;

const NODE_LABELS = 'node.labels.';
const ENGINE_LABELS = 'engine.labels.';

/** Preferences as branchings, outermost first. What is not understood makes no level, as in Docker. */
export function branchings(preferences: readonly PlacementPreference[]): readonly BranchOf[] {
  return preferences.flatMap(({ Preference }) => {
    const descriptor = Preference?.value.spreadDescriptor ?? '';
    const node = labelIn(descriptor, NODE_LABELS);
    if (node !== undefined) return [(n: Node) => n.spec?.annotations?.labels[node] ?? ''];
    const engine = labelIn(descriptor, ENGINE_LABELS);
    if (engine !== undefined) return [(n: Node) => n.description?.engine?.labels[engine] ?? ''];
    return [];
  });
}

const labelIn = (descriptor: string, prefix: string): string | undefined =>
  descriptor.length > prefix.length && descriptor.slice(0, prefix.length).toLowerCase() === prefix
    ? descriptor.slice(prefix.length)
    : undefined;

/** One branch of the tree with all nodes below it. */
export interface Branch {
  /** Label value; "" for the root and for nodes without the label. */
  readonly value: string;
  /** Active tasks of the service below. */
  readonly tasks: number;
  readonly nodes: readonly NodeInfo[];
  /** In order of value; empty at the last level. */
  readonly branches: readonly Branch[];
}

export function preferenceTree(
  nodes: Iterable<NodeInfo>,
  serviceId: string,
  levels: readonly BranchOf[],
  value = '',
): Branch {
  const own = [...nodes];
  const tasks = own.reduce((sum, node) => sum + node.activeTasksOf(serviceId), 0);
  const [branchOf, ...deeper] = levels;
  if (!branchOf) return { value, tasks, nodes: own, branches: [] };
  const byValue = new Map<string, NodeInfo[]>();
  for (const info of own) {
    const key = info.node ? branchOf(info.node) : '';
    const group = byValue.get(key);
    if (group) group.push(info);
    else byValue.set(key, [info]);
  }
  const branches = [...byValue]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, group]) => preferenceTree(group, serviceId, deeper, key));
  return { value, tasks, nodes: own, branches };
}

/** A picker over a tree; `leaf` makes the picker of one innermost branch. */
export function treePicker(branch: Branch, leaf: (nodes: readonly NodeInfo[]) => NodePicker): NodePicker {
  if (branch.branches.length === 0) return leaf(branch.nodes);
  return new EvenPicker(
    branch.branches.map((child, order) => ({ order, tasks: child.tasks, picker: treePicker(child, leaf) })),
  );
}

interface OpenBranch {
  /** Place among its siblings. */
  readonly order: number;
  readonly picker: NodePicker;
  tasks: number;
}

/** Asks the branch with the fewest tasks (the first of equals) and drops branches without room. */
class EvenPicker implements NodePicker {
  readonly #open: TopHeap<OpenBranch>;

  constructor(branches: readonly OpenBranch[]) {
    this.#open = new TopHeap(
      branches,
      (branch) => branch.tasks,
      (a, b) => a.order < b.order,
    );
  }

  pick(): NodeInfo | undefined {
    for (let lowest = this.#open.top; lowest; lowest = this.#open.top) {
      const node = lowest.picker.pick();
      if (node) {
        this.#open.reorderTop(++lowest.tasks);
        return node;
      }
      this.#open.removeTop();
    }
    return undefined;
  }
}

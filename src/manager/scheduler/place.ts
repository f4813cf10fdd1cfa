/** Filter, score, select: finds nodes for tasks of one group. Deterministic given the view, the time and the random source. */
import type { Random } from '../../common/random.ts';
import type { Pipeline } from './filters/pipeline.ts';
import type { NodeInfo } from './node-info.ts';
import type { NodeOrder } from './node-order.ts';
import { branchings, preferenceTree, treePicker } from './preferences.ts';
import { OrderedPicker } from './strategies/ordered-picker.ts';
import type { NodePicker, RankingContext, Strategy } from './strategies/strategy.ts';
import type { TaskGroup } from './task-group.ts';

/** Where nodes come from. */
export interface NodeSource {
  readonly nodes: ReadonlyMap<string, NodeInfo>;
  /** All nodes in a strategy's order. */
  orderBy(baseRank: (node: NodeInfo) => number): NodeOrder;
  /** Nodes that have tasks or recent failures of a group. */
  historyOf(group: TaskGroup, nowMs: number): Iterable<NodeInfo>;
}

export interface PlacementInput {
  readonly source: NodeSource;
  readonly group: TaskGroup;
  readonly pipeline: Pipeline;
  readonly strategy: Strategy;
  /** Wall-clock time in ms. */
  readonly nowMs: number;
  readonly random: Random;
}

/** Hands out nodes for the group's tasks, one at a time; see {@link NodePicker} for what the caller owes. */
export function nodesFor({ source, group, pipeline, strategy, nowMs, random }: PlacementInput): NodePicker {
  const context: RankingContext = { group, nowMs, random };
  const passes = (node: NodeInfo): boolean => pipeline.passes(node);
  const fits = (node: NodeInfo): boolean => pipeline.stillPasses(node);
  const among = (nodes: Iterable<NodeInfo>): NodePicker => strategy.picker([...nodes].filter(passes), context, fits);
  const levels = branchings(group.sample.spec?.placement?.preferences ?? []);
  if (levels.length > 0) return treePicker(preferenceTree(source.nodes.values(), group.serviceId, levels), among);
  if (!strategy.baseRank) return among(source.nodes.values());
  return new OrderedPicker({
    order: source.orderBy(strategy.baseRank),
    history: source.historyOf(group, nowMs),
    rank: (node) => strategy.rank(node, context),
    passes,
    fits,
  });
}

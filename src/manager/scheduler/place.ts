/** Filter, score, select: finds nodes for tasks of one group. Deterministic given the view, the time and the random source. */
import type { Random } from '../../common/random.ts';
import type { Pipeline } from './filters/pipeline.ts';
import type { NodeInfo } from './node-info.ts';
import { branchings, preferenceTree, treePicker } from './preferences.ts';
import type { NodePicker, RankingContext, Strategy } from './strategies/strategy.ts';
import type { TaskGroup } from './task-group.ts';

export interface PlacementInput {
  readonly nodes: ReadonlyMap<string, NodeInfo>;
  readonly group: TaskGroup;
  readonly pipeline: Pipeline;
  readonly strategy: Strategy;
  /** Wall-clock time in ms. */
  readonly nowMs: number;
  readonly random: Random;
}

/** Hands out nodes for the group's tasks, one at a time; see {@link NodePicker} for what the caller owes. */
export function nodesFor({ nodes, group, pipeline, strategy, nowMs, random }: PlacementInput): NodePicker {
  const context: RankingContext = { group, nowMs, random };
  const leaf = (members: Iterable<NodeInfo>): NodePicker =>
    strategy.picker(fitting(members, pipeline), context, (node) => pipeline.stillPasses(node));
  const levels = branchings(group.sample.spec?.placement?.preferences ?? []);
  if (levels.length === 0) return leaf(nodes.values());
  return treePicker(preferenceTree(nodes.values(), group.serviceId, levels), leaf);
}

function fitting(nodes: Iterable<NodeInfo>, pipeline: Pipeline): readonly NodeInfo[] {
  const fit: NodeInfo[] = [];
  for (const node of nodes) if (pipeline.passes(node)) fit.push(node);
  return fit;
}

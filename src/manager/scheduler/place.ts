/** Filter, score, select: finds nodes for tasks of one group. Deterministic given the view, the time and the random source. */
import type { Random } from '../../common/random.ts';
import type { Pipeline } from './filters/pipeline.ts';
import type { NodeInfo } from './node-info.ts';
import type { NodePool } from './node-pool.ts';
import { branchings, treePicker, type Branching, type PreferenceTree } from './preferences.ts';
import type { NodePicker, Strategy } from './strategies/strategy.ts';
import type { TaskGroup } from './task-group.ts';

/** Where nodes come from. */
export interface NodeSource {
  readonly all: NodePool;
  /** All nodes by their labels. */
  treeBy(levels: readonly Branching[]): PreferenceTree;
  /** Nodes that have tasks or recent failures of a group. */
  historyOf(group: TaskGroup, nowMs: number): readonly NodeInfo[];
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
  const history = source.historyOf(group, nowMs);
  const choice = {
    context: { group, nowMs, random },
    history,
    passes: (node: NodeInfo) => pipeline.passes(node),
    fits: (node: NodeInfo) => pipeline.stillPasses(node),
  };
  const among = (pool: NodePool): NodePicker => strategy.picker(pool, choice);
  const levels = branchings(group.sample.spec?.placement?.preferences ?? []);
  if (levels.length === 0) return among(source.all);
  return treePicker(source.treeBy(levels).countedFor(group.serviceId, history), among);
}

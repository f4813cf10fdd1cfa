/** Second and third phase: in which order fitting nodes are used. One strategy per file, one interface for all. */
import type { Random } from '../../../common/random.ts';
import type { Strategy as StrategyName } from '../../../common/service-labels.ts';
import type { NodeInfo } from '../node-info.ts';
import type { TaskGroup } from '../task-group.ts';
import { binpack } from './binpack.ts';
import { random } from './random.ts';
import { spread } from './spread.ts';

/** Hands out nodes one task at a time. */
export interface NodePicker {
  /**
   * The node for the next task, undefined when no node is left that fits.
   * The caller places a task on it before asking again.
   */
  pick(): NodeInfo | undefined;
}

export interface RankingContext {
  readonly group: TaskGroup;
  /** Wall-clock time in ms, for the age of failures. */
  readonly nowMs: number;
  readonly random: Random;
}

export interface Strategy {
  readonly name: StrategyName;
  /**
   * A picker over nodes that pass all filters.
   * `fits` tells whether one of them still does after tasks of the group were placed on it.
   */
  picker(nodes: readonly NodeInfo[], context: RankingContext, fits: (node: NodeInfo) => boolean): NodePicker;
  /**
   * Rank of a node that has neither tasks nor recent failures of the group, the same for every group;
   * undefined for a strategy that has no order.
   */
  readonly baseRank: ((node: NodeInfo) => number) | undefined;
  /** Lower is better; equal ranks are decided by node id. Equals {@link baseRank} where the group left no trace. */
  rank(node: NodeInfo, context: RankingContext): number;
  /** What the rank is made of, for people. */
  terms(node: NodeInfo, context: RankingContext): Readonly<Record<string, number>>;
}

const STRATEGIES: Readonly<Record<StrategyName, Strategy>> = { spread, binpack, random };

export const strategyNamed = (name: StrategyName): Strategy => STRATEGIES[name];

/** Second and third phase: in which order fitting nodes are used. One strategy per file, one interface for all. */
import type { Random } from '../../../common/random.ts';
import type { Strategy as StrategyName } from '../../../common/service-labels.ts';
import type { NodeInfo } from '../node-info.ts';
import type { NodePool } from '../node-pool.ts';
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

/** What one group looks for. */
export interface Choice {
  readonly context: RankingContext;
  /** Nodes with tasks or recent failures of the group. */
  readonly history: readonly NodeInfo[];
  /** Whether a node fits. */
  readonly passes: (node: NodeInfo) => boolean;
  /** Whether a node that fitted still does after tasks of the group were placed on it. */
  readonly fits: (node: NodeInfo) => boolean;
}

export interface Strategy {
  readonly name: StrategyName;
  /** A picker over the nodes of a pool that pass all filters. */
  picker(pool: NodePool, choice: Choice): NodePicker;
  /** Lower is better; equal ranks are decided by node id, or by chance where the strategy says so. */
  rank(node: NodeInfo, context: RankingContext): number;
  /** What the rank is made of, for people. */
  terms(node: NodeInfo, context: RankingContext): Readonly<Record<string, number>>;
}

const STRATEGIES: Readonly<Record<StrategyName, Strategy>> = { spread, binpack, random };

export const strategyNamed = (name: StrategyName): Strategy => STRATEGIES[name];

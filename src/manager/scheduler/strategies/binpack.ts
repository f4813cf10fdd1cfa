/** As few nodes as possible: always the fullest node that fits, by the larger of its reserved shares of cpu and memory. */
import type { NodeInfo } from '../node-info.ts';
import { orderedPicker } from './ordered-picker.ts';
import { demotion } from './recent-failures.ts';
import type { RankingContext, Strategy } from './strategy.ts';

/** Parts of a rank share one number: failures, then fullness in millionths, then tasks. */
const PART = 2 ** 20;
const MILLION = 1_000_000;

/** Between equally full nodes (and where nobody reserves anything) the one with more tasks goes first. */
const baseRank = (node: NodeInfo): number =>
  Math.round((1 - fullness(node)) * MILLION) * PART + (PART - 1 - Math.min(node.activeTasks, PART - 1));

const rank = (node: NodeInfo, context: RankingContext): number =>
  demotion(node, context) * PART * PART + baseRank(node);

/** Largest reserved share of cpu and memory, 0 to 1. */
function fullness(node: NodeInfo): number {
  const share = (total: number, available: number): number => (total > 0 ? (total - available) / total : 0);
  return Math.min(
    1,
    Math.max(
      share(node.totalNanoCpus, node.availableNanoCpus),
      share(node.totalMemoryBytes, node.availableMemoryBytes),
    ),
  );
}

export const binpack: Strategy = {
  name: 'binpack',
  picker: orderedPicker(baseRank, rank),
  rank,
  terms: (node, context) => ({
    recentFailures: node.recentFailures(context.group.key, context.nowMs),
    fullness: fullness(node),
    tasks: node.activeTasks,
  }),
};

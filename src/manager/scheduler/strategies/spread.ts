/** As evenly as possible: fewest tasks of this service, then fewest tasks at all. Docker's only strategy, and its exact order. */
import type { NodeInfo } from '../node-info.ts';
import { orderedPicker } from './ordered-picker.ts';
import { demotion } from './recent-failures.ts';
import type { RankingContext, Strategy } from './strategy.ts';

/** Parts of a rank share one number: failures, then tasks of the service, then tasks. */
const PART = 2 ** 20;

export const spread: Strategy = {
  name: 'spread',
  picker: orderedPicker(baseRank, rank),
  rank,
  terms: (node, context) => ({
    recentFailures: node.recentFailures(context.group.key, context.nowMs),
    tasksOfService: node.activeTasksOf(context.group.serviceId),
    tasks: node.activeTasks,
  }),
};

/** Rank of a node that has neither tasks nor recent failures of the group. */
function baseRank(node: NodeInfo): number {
  return node.activeTasks;
}

function rank(node: NodeInfo, context: RankingContext): number {
  return (demotion(node, context) * PART + node.activeTasksOf(context.group.serviceId)) * PART + node.activeTasks;
}

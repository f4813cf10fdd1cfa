/** What the task reserves is left on the node: cpu, memory and every generic resource. */
import { hasEnoughGeneric } from '../../placement/generic-resource.ts';
import type { Demand } from '../demand.ts';
import type { NodeInfo } from '../node-info.ts';
import { nodes, type Filter } from './filter.ts';

export const resourcesFilter: Filter = {
  name: 'resources',
  isConsumed: true,
  helpedBy: 'capacity',
  applies: ({ demand }) => {
    const { nanoCpus, memoryBytes, generic } = demand;
    if (nanoCpus === 0 && memoryBytes === 0 && generic.size === 0) return undefined;
    return {
      passes: (node) =>
        (nanoCpus === 0 || nanoCpus <= node.availableNanoCpus) &&
        (memoryBytes === 0 || memoryBytes <= node.availableMemoryBytes) &&
        (generic.size === 0 || hasEnoughGeneric(node.generic, generic)),
      why: (node) => shortages(demand, node).join('; '),
    };
  },
  explain: (count) => `insufficient resources on ${nodes(count)}`,
};

function shortages(demand: Demand, node: NodeInfo): readonly string[] {
  const short: string[] = [];
  if (demand.nanoCpus > 0 && demand.nanoCpus > node.availableNanoCpus) {
    short.push(`needs ${demand.nanoCpus / 1e9} cpu, ${Math.max(0, node.availableNanoCpus) / 1e9} left`);
  }
  if (demand.memoryBytes > 0 && demand.memoryBytes > node.availableMemoryBytes) {
    short.push(`needs ${demand.memoryBytes} bytes of memory, ${Math.max(0, node.availableMemoryBytes)} left`);
  }
  for (const [kind, amount] of demand.generic) {
    if (hasEnoughGeneric(node.generic, new Map([[kind, amount]]))) continue;
    const left = node.generic.get(kind) ?? 0;
    short.push(`needs ${String(amount)} ${kind}, ${typeof left === 'number' ? left : left.length} left`);
  }
  return short;
}

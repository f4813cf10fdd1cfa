/** The node has fewer tasks of the service than the service allows per node. */
import type { Filter } from './filter.ts';

export const maxReplicasFilter: Filter = {
  name: 'max-replicas',
  isConsumed: true,
  helpedBy: 'slots',
  applies: ({ sample, serviceId }) => {
    const limit = sample.spec?.placement?.maxReplicas ?? 0;
    if (limit === 0) return undefined;
    return {
      passes: (node) => node.activeTasksOf(serviceId) < limit,
      why: (node) => `has ${node.activeTasksOf(serviceId)} tasks of the service, the limit per node is ${limit}`,
    };
  },
  // Without the number of nodes and with its grammar, because clients match Docker's text.
  explain: () => 'max replicas per node limit exceed',
};

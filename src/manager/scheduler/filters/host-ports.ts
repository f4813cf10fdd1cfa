/** The host-mode ports the task publishes are free on the node. */
import { nodes, type Filter } from './filter.ts';

export const hostPortsFilter: Filter = {
  name: 'host-ports',
  isConsumed: true,
  helpedBy: 'ports',
  applies: ({ demand }) => {
    const ports = demand.hostPorts;
    if (ports.length === 0) return undefined;
    return {
      passes: (node) => !ports.some((port) => node.holdsPort(port)),
      why: (node) => `host port ${ports.filter((port) => node.holdsPort(port)).join(', ')} is in use`,
    };
  },
  explain: (count) => `host-mode port already in use on ${nodes(count)}`,
};

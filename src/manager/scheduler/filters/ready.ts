/** The node is up and takes new tasks. */
import { NodeSpec_Availability } from '../../../proto/generated/docker/swarmkit/v1/specs.ts';
import { NodeStatus_State } from '../../../proto/generated/docker/swarmkit/v1/types.ts';
import type { NodeInfo } from '../node-info.ts';
import { nodes, type Filter } from './filter.ts';

export const readyFilter: Filter = {
  name: 'ready',
  isConsumed: false,
  helpedBy: 'node',
  applies: () => ({ passes: (info) => refusal(info) === undefined, why: (info) => refusal(info) ?? '' }),
  explain: (count) => `${nodes(count)} not available for new tasks`,
};

const STATE_NAMES: Readonly<Record<number, string>> = {
  [NodeStatus_State.DOWN]: 'down',
  [NodeStatus_State.DISCONNECTED]: 'disconnected',
};

function refusal({ node }: NodeInfo): string | undefined {
  const state = node?.status?.state ?? NodeStatus_State.UNKNOWN;
  if (state !== NodeStatus_State.READY) return `the node is ${STATE_NAMES[state] ?? 'in an unknown state'}`;
  const availability = node?.spec?.availability ?? NodeSpec_Availability.ACTIVE;
  if (availability === NodeSpec_Availability.ACTIVE) return undefined;
  return `the node's availability is ${availability === NodeSpec_Availability.PAUSE ? 'pause' : 'drain'}`;
}

/** The node has the volume, network and log drivers the task names. */
import { Mount_Type } from '../../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Task } from '../../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { NodeInfo } from '../node-info.ts';
import { nodes, type Filter } from './filter.ts';

interface PluginNeed {
  readonly type: 'Volume' | 'Network' | 'Log';
  readonly name: string;
}

export const pluginsFilter: Filter = {
  name: 'plugins',
  isConsumed: false,
  helpedBy: 'node',
  applies: ({ sample }) => {
    const needs = needsOf(sample);
    if (needs.length === 0) return undefined;
    const missing = (node: NodeInfo): readonly PluginNeed[] => needs.filter((need) => !isMet(need, node));
    return {
      passes: (node) => missing(node).length === 0,
      why: (node) =>
        missing(node)
          .map((need) => `has no ${need.type.toLowerCase()} plugin ${need.name}`)
          .join('; '),
    };
  },
  explain: (count) => `missing plugin on ${nodes(count)}`,
};

function needsOf(task: Task): readonly PluginNeed[] {
  const needs: PluginNeed[] = [];
  const runtime = task.spec?.runtime;
  for (const mount of runtime?.$case === 'container' ? runtime.value.mounts : []) {
    const name = mount.type === Mount_Type.VOLUME ? mount.volumeOptions?.driverConfig?.name : undefined;
    if (name && name !== 'local') needs.push({ type: 'Volume', name });
  }
  for (const { network } of task.networks) {
    // A node without the routing mesh can run the task all the same: others lead to it.
    if (network?.driverState?.name && !network.spec?.ingress)
      needs.push({ type: 'Network', name: network.driverState.name });
  }
  const log = task.spec?.logDriver?.name;
  if (log && log !== 'none') needs.push({ type: 'Log', name: log });
  return needs;
}

function isMet(need: PluginNeed, { node }: NodeInfo): boolean {
  const engine = node?.description?.engine;
  if (!engine) return true;
  const ofType = engine.plugins.filter((plugin) => plugin.type === need.type);
  // Engines that list no log driver at all are too old to say which they have.
  if (need.type === 'Log' && ofType.length === 0) return true;
  return ofType.some((plugin) => plugin.name === need.name || plugin.name === `${need.name}:latest`);
}

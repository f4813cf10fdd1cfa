/** The node can run this kind of task: commands of the host need the process runtime, images a container runtime. */
import { isHostImage } from '../../../common/host-image.ts';
import type { NodeInfo } from '../node-info.ts';
import { nodes, type Filter } from './filter.ts';

/** Plugin type under which our agents list their runtimes; Docker Engines list none. */
const RUNTIME_PLUGIN = 'Runtime';
const PROCESS = 'process';
/** Runtime of nodes that run nothing. */
const NONE = 'none';

export const runtimeFilter: Filter = {
  name: 'runtime',
  isConsumed: false,
  helpedBy: 'node',
  applies: ({ sample }) => {
    const runtime = sample.spec?.runtime;
    if (runtime?.$case !== 'container') return undefined;
    const passes = isHostImage(runtime.value.image)
      ? (node: NodeInfo) => runtimesOf(node).includes(PROCESS)
      : (node: NodeInfo) => runtimesOf(node).some((name) => name !== PROCESS && name !== NONE);
    const needed = isHostImage(runtime.value.image) ? 'the process runtime' : 'a container runtime';
    return {
      passes,
      why: (node) => `needs ${needed} for image ${runtime.value.image}, the node has ${runtimesOf(node).join(', ')}`,
    };
  },
  explain: (count) => `missing runtime on ${nodes(count)}`,
};

const DOCKER: readonly string[] = ['docker'];

function runtimesOf({ node }: NodeInfo): readonly string[] {
  const plugins = node?.description?.engine?.plugins;
  if (!plugins?.some((plugin) => plugin.type === RUNTIME_PLUGIN)) return DOCKER;
  return plugins.filter((plugin) => plugin.type === RUNTIME_PLUGIN).map((plugin) => plugin.name);
}

/** Which nodes are unmodified Docker Engines: they build overlay networks by themselves, from what managers tell them. */
import type { Node } from '../../proto/generated/docker/swarmkit/v1/objects.ts';

/** Our own agents name the runtimes they have as plugins; engines know no such kind of plugin. */
export function isDockerEngine({ description }: Pick<Node, 'description'>): boolean {
  const plugins = description?.engine?.plugins ?? [];
  return (
    plugins.some(({ type, name }) => type === 'Network' && name === 'overlay') &&
    !plugins.some(({ type }) => type === 'Runtime')
  );
}

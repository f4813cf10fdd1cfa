/** Generic resources a task was given, as the environment variables Docker makes of them: DOCKER_RESOURCE_GPU=id1,id2. */
import type { GenericResource } from '../proto/generated/docker/swarmkit/v1/types.ts';

export function genericEnvironment(resources: readonly GenericResource[]): Record<string, string> {
  const values = new Map<string, string[]>();
  for (const { resource } of resources) {
    if (!resource) continue;
    const name = `DOCKER_RESOURCE_${resource.value.kind.toUpperCase()}`;
    values.set(name, [...(values.get(name) ?? []), String(resource.value.value)]);
  }
  return Object.fromEntries([...values].map(([name, all]) => [name, all.join(',')]));
}

/** The environment variables a task brings along, whatever runs it. */
import { expandVariable, type TemplateContext } from '../common/service-template.ts';
import type { GenericResource } from '../proto/generated/docker/swarmkit/v1/types.ts';

/**
 * What the lines of a container spec declare: `NAME=value`, templates expanded. A bare `NAME` takes nothing over from the
 * agent and is left out. Throws invalidArgument for a template that cannot be expanded.
 */
export function declaredEnvironment(lines: readonly string[], context: TemplateContext): Record<string, string> {
  const result: Record<string, string> = {};
  for (const template of lines) {
    const line = expandVariable(template, context);
    const split = line.indexOf('=');
    if (split > 0) result[line.slice(0, split)] = line.slice(split + 1);
  }
  return result;
}

/** The generic resources a task was given, in Docker's words: `DOCKER_RESOURCE_GPU=id1,id2`. */
export function genericEnvironment(resources: readonly GenericResource[]): Record<string, string> {
  const values = new Map<string, string[]>();
  for (const { resource } of resources) {
    if (!resource) continue;
    const name = `DOCKER_RESOURCE_${resource.value.kind.toUpperCase()}`;
    values.set(name, [...(values.get(name) ?? []), String(resource.value.value)]);
  }
  return Object.fromEntries([...values].map(([name, all]) => [name, all.join(',')]));
}

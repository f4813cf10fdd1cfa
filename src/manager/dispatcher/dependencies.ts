/** What tasks and volumes need on a node besides themselves. */
import type { Task, Volume } from '../../proto/generated/docker/swarmkit/v1/objects.ts';

/** A secret or config by kind and id. */
export type DependencyKey = `secret:${string}` | `config:${string}`;

export const secretKey = (id: string): DependencyKey => `secret:${id}`;
export const configKey = (id: string): DependencyKey => `config:${id}`;

/** Kind and id of a key. */
export function splitKey(key: DependencyKey): { readonly kind: 'secret' | 'config'; readonly id: string } {
  const colon = key.indexOf(':');
  return { kind: key.slice(0, colon) as 'secret' | 'config', id: key.slice(colon + 1) };
}

/** Each dependency once. */
export function taskDependencies(task: Task): readonly DependencyKey[] {
  const runtime = task.spec?.runtime;
  if (runtime?.$case !== 'container') return [];
  return [
    ...new Set([
      ...runtime.value.secrets.map((reference) => secretKey(reference.secretId)),
      ...runtime.value.configs.map((reference) => configKey(reference.configId)),
    ]),
  ];
}

export const volumeDependencies = (volume: Volume): readonly DependencyKey[] => [
  ...new Set((volume.spec?.secrets ?? []).map((secret) => secretKey(secret.secret))),
];

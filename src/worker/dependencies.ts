/**
 * Secrets and configs on this node. They live in memory only, as long as the manager leaves them here, and a task sees
 * just those its spec names.
 */
import type { Config, Secret, Task } from '../proto/generated/docker/swarmkit/v1/objects.ts';
import type { AssignmentSet, Changes } from './assignments.ts';
import type { TaskDependencies } from './drivers/driver.ts';

export class Dependencies {
  readonly #secrets = new Map<string, Secret>();
  readonly #configs = new Map<string, Config>();

  get secretIds(): readonly string[] {
    return [...this.#secrets.keys()];
  }

  get configIds(): readonly string[] {
    return [...this.#configs.keys()];
  }

  apply(set: Pick<AssignmentSet, 'isComplete' | 'secrets' | 'configs'>): void {
    applyChanges(this.#secrets, set.secrets, set.isComplete);
    applyChanges(this.#configs, set.configs, set.isComplete);
  }

  /** What the task may see; reading it later shows what is here then. */
  viewFor(task: Task): TaskDependencies {
    const spec = task.spec?.runtime?.$case === 'container' ? task.spec.runtime.value : undefined;
    const allSecrets = this.#secrets;
    const allConfigs = this.#configs;
    const secretIds = new Set((spec?.secrets ?? []).map((reference) => reference.secretId));
    const configIds = new Set((spec?.configs ?? []).map((reference) => reference.configId));
    return {
      get secrets() {
        return pick(allSecrets, secretIds);
      },
      get configs() {
        return pick(allConfigs, configIds);
      },
    };
  }
}

function applyChanges<T extends { readonly id: string }>(
  held: Map<string, T>,
  changes: Changes<T>,
  isComplete: boolean,
): void {
  if (isComplete) held.clear();
  for (const value of changes.updated) held.set(value.id, value);
  for (const id of changes.removed) held.delete(id);
}

function pick<T>(from: ReadonlyMap<string, T>, ids: ReadonlySet<string>): ReadonlyMap<string, T> {
  const seen = new Map<string, T>();
  for (const id of ids) {
    const value = from.get(id);
    if (value !== undefined) seen.set(id, value);
  }
  return seen;
}

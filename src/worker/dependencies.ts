/**
 * Secrets and configs on this node. They live in memory only, as long as the manager leaves them here, and a task sees
 * just those its spec names.
 */
import type { Config, Secret, Task } from '../proto/generated/docker/swarmkit/v1/objects.ts';
import type { ContainerSpec } from '../proto/generated/docker/swarmkit/v1/specs.ts';
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
    return new View(task, this.#secrets, this.#configs);
  }
}

/** One per task, so it holds nothing of its own. */
class View implements TaskDependencies {
  readonly #task: Task;
  readonly #secrets: ReadonlyMap<string, Secret>;
  readonly #configs: ReadonlyMap<string, Config>;

  constructor(task: Task, secrets: ReadonlyMap<string, Secret>, configs: ReadonlyMap<string, Config>) {
    this.#task = task;
    this.#secrets = secrets;
    this.#configs = configs;
  }

  get secrets(): ReadonlyMap<string, Secret> {
    return pick(this.#secrets, this.#container?.secrets.map(({ secretId }) => secretId) ?? []);
  }

  get configs(): ReadonlyMap<string, Config> {
    return pick(this.#configs, this.#container?.configs.map(({ configId }) => configId) ?? []);
  }

  get #container(): ContainerSpec | undefined {
    const runtime = this.#task.spec?.runtime;
    return runtime?.$case === 'container' ? runtime.value : undefined;
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

function pick<T>(from: ReadonlyMap<string, T>, ids: readonly string[]): ReadonlyMap<string, T> {
  const seen = new Map<string, T>();
  for (const id of ids) {
    const value = from.get(id);
    if (value !== undefined) seen.set(id, value);
  }
  return seen;
}

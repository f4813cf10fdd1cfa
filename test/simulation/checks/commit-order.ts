/** Invariants 29 to 31: every manager sees the same commits in the same order, each once, and versions are those of the commits. */
import type { Commit } from '../../../src/manager/store/watch.ts';
import { stateOf } from '../../../src/manager/orchestrator/task-life.ts';
import type { Change } from '../../../src/manager/store/change.ts';
import type { ObjectKind } from '../../../src/manager/store/objects.ts';
import type { Table } from '../../../src/manager/store/table.ts';
import type { Violate } from './check.ts';
import type { World } from './world.ts';

export class CommitOrder {
  readonly #violate: Violate;
  /** Latest version each life of a manager has shown. */
  readonly #latest = new Map<string, number>();
  /** What was in each commit, as who came first told it. */
  readonly #contents = new Map<number, string>();

  constructor(violate: Violate) {
    this.#violate = violate;
  }

  /** A watcher of one life of a manager is told of a commit. */
  watched(life: string, { version, changes }: Commit): void {
    const latest = this.#latest.get(life) ?? 0;
    if (version <= latest) this.#violate(30, `manager ${life} shows version ${version} after ${latest}`);
    this.#latest.set(life, version);
    const content = changes.map(describe).join(' ');
    const known = this.#contents.get(version) ?? content;
    if (known !== content)
      this.#violate(31, `version ${version} holds "${content}" on manager ${life}, elsewhere "${known}"`);
    this.#contents.set(version, known);
  }

  /** A commit nobody has told of before is about to change the world. */
  observe({ version, changes }: Commit, world: World): void {
    for (const { kind, action, object, old } of changes) {
      const known = (world.tables[kind] as Table<ObjectKind>).get(object.id);
      if (versionOf(known) !== versionOf(old))
        this.#violate(
          30,
          `${kind} ${object.id} changes from version ${versionOf(old)}, and was last seen at ${versionOf(known)}`,
        );
      if (action !== 'delete' && versionOf(object) !== version)
        this.#violate(29, `${kind} ${object.id} has version ${versionOf(object)} in commit ${version}`);
    }
  }
}

const versionOf = (object: Change['object'] | undefined): number | undefined => object?.meta?.version?.index;

const describe = (change: Change): string =>
  change.kind === 'task'
    ? `${change.action} ${change.object.id} ${stateOf(change.object)} ${change.object.desiredState}`
    : `${change.action} ${change.object.id}`;

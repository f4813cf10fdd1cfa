/** The committed state as the checks see it: the store's tables, kept up from commits alone. */
import type { Change } from '../../../src/manager/store/change.ts';
import { OBJECT_KINDS, slotKey, type ObjectKind } from '../../../src/manager/store/objects.ts';
import { Table } from '../../../src/manager/store/table.ts';
import { mayKeepTasks } from '../../../src/manager/orchestrator/node-fitness.ts';
import { namesSlotsByNode } from '../../../src/manager/orchestrator/service-mode.ts';
import type { Node, Service, Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { msOfTimestamp } from '../../../src/common/time.ts';

type Tables = { readonly [K in ObjectKind]: Table<K> };

export class World {
  readonly tables = Object.fromEntries(OBJECT_KINDS.map((kind) => [kind, new Table(kind)])) as unknown as Tables;
  /** Version in which a node was last seen unfit for its tasks; loops may still act on that a few commits later. */
  readonly #unfitAt = new Map<string, number>();
  readonly #removed = new Set<string>();
  #commits = 0;

  apply(changes: readonly Change[]): void {
    this.#commits++;
    for (const { kind, action, object } of changes) {
      const table = this.tables[kind] as Table<ObjectKind>;
      if (kind === 'node') {
        const before = this.tables.node.get(object.id);
        if ((before && !mayKeepTasks(before)) || action === 'delete' || !mayKeepTasks(object as Node))
          this.#unfitAt.set(object.id, this.#commits);
      }
      if (kind === 'node' && action === 'delete') this.#removed.add(object.id);
      if (action === 'delete') table.delete(object.id);
      else table.put(object);
    }
  }

  task(id: string): Task | undefined {
    return this.tables.task.get(id);
  }

  /** There was such a node. */
  wasRemoved(nodeId: string): boolean {
    return this.#removed.has(nodeId);
  }

  node(id: string): Node | undefined {
    return this.tables.node.get(id);
  }

  service(id: string): Service | undefined {
    return this.tables.service.get(id);
  }

  /** All stored tasks of the slot of a task. */
  slotOf(task: Task): readonly Task[] {
    return this.tables.task.by('slot', this.slotKeyOf(task));
  }

  slotKeyOf(task: Task): string {
    const service = this.service(task.serviceId);
    return slotKey(task, service && namesSlotsByNode(service));
  }

  /** Whether a node had to give up its tasks, now or when what is committed now was decided. */
  wasUnfit(nodeId: string): boolean {
    if (!mayKeepTasks(this.node(nodeId))) return true;
    const at = this.#unfitAt.get(nodeId);
    return at !== undefined && this.#commits - at <= DECISION_COMMITS;
  }
}

/** A decision is committed at most so many commits after the state it looked at. */
const DECISION_COMMITS = 20;

/** When an object was last written, ms. */
export const updatedMs = (object: Pick<Task, 'meta'>): number =>
  object.meta?.updatedAt ? msOfTimestamp(object.meta.updatedAt) : 0;

/**
 * What an agent has been told in one stream of assignments, and that it was told rightly: a full set, then changes each
 * building on the one before (invariant 39); tasks of its own only (43); secrets and configs exactly while its tasks need them (38).
 */
import { stateOf } from '../../src/manager/orchestrator/task-life.ts';
import {
  AssignmentChange_AssignmentAction as Action,
  AssignmentsMessage_Type as Type,
  type AssignmentChange,
  type AssignmentsMessage,
} from '../../src/proto/generated/docker/swarmkit/v1/dispatcher.ts';
import type { Task } from '../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../src/proto/generated/docker/swarmkit/v1/types.ts';
import type { Violate } from './checks/check.ts';
import type { World } from './checks/world.ts';

export class Told {
  readonly tasks = new Map<string, Task>();
  /** Secrets and configs, as "kind id". */
  readonly data = new Set<string>();
  readonly #nodeId: string;
  readonly #world: World;
  readonly #violate: Violate;
  #sequence = '';

  constructor(nodeId: string, world: World, violate: Violate) {
    this.#nodeId = nodeId;
    this.#world = world;
    this.#violate = (invariant, what) => violate(invariant, `${nodeId}: ${what}`);
  }

  take({ type, appliesTo, resultsIn, changes }: AssignmentsMessage): void {
    const isFirst = this.#sequence === '';
    if (isFirst !== (type === Type.COMPLETE)) this.#violate(39, `message ${resultsIn} is of type ${type}`);
    if (!isFirst && appliesTo !== this.#sequence)
      this.#violate(39, `a change of ${appliesTo} came after ${this.#sequence}`);
    this.#sequence = resultsIn;
    for (const change of changes) this.#takeChange(change);
    this.#checkData();
  }

  #takeChange({ assignment, action }: AssignmentChange): void {
    const item = assignment?.item;
    const isRemoval = action === Action.REMOVE;
    switch (item?.$case) {
      case 'task': {
        const task = item.value;
        if (isRemoval) {
          if (!this.tasks.delete(task.id)) this.#violate(39, `task ${task.id} is taken back and was never given`);
          return;
        }
        if (task.nodeId !== this.#nodeId) this.#violate(43, `was sent task ${task.id} of node ${task.nodeId}`);
        this.tasks.set(task.id, task);
        return;
      }
      case 'secret':
      case 'config': {
        const key = `${item.$case} ${item.value.id}`;
        if (isRemoval) {
          if (!this.data.delete(key)) this.#violate(39, `${key} is taken back and was never given`);
          return;
        }
        if (!item.value.spec?.data.length) this.#violate(38, `${key} came without its data`);
        this.data.add(key);
        return;
      }
      default:
        this.#violate(39, `was sent a change of ${item?.$case}`);
    }
  }

  #checkData(): void {
    const used = new Set<string>();
    for (const task of this.tasks.values()) {
      for (const key of dataOf(task)) {
        used.add(key);
        if (!this.data.has(key) && this.#exists(key) && this.#isNeeded(task))
          this.#violate(38, `task ${task.id} was sent without ${key}`);
      }
    }
    for (const key of this.data) if (!used.has(key)) this.#violate(38, `holds ${key}, which none of its tasks uses`);
  }

  /** As far as the managers know: an agent is not told again what it reported itself. */
  #isNeeded({ id, desiredState }: Task): boolean {
    const stored = this.#world.task(id);
    return stored !== undefined && stateOf(stored) <= TaskState.RUNNING && desiredState <= TaskState.COMPLETE;
  }

  #exists(key: string): boolean {
    const [kind, id = ''] = key.split(' ') as ['secret' | 'config', string?];
    return this.#world.tables[kind].get(id) !== undefined;
  }
}

/** Secrets and configs a task refers to, as "kind id". */
export function dataOf({ spec }: Task): readonly string[] {
  if (spec?.runtime?.$case !== 'container') return [];
  const { secrets, configs } = spec.runtime.value;
  return [
    ...secrets.map(({ secretId }) => `secret ${secretId}`),
    ...configs.map(({ configId }) => `config ${configId}`),
  ];
}

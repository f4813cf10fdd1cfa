/** Invariants 11, 12 and 16: who holds a slot, which number a new one gets, and that a replacement is one transaction. */
import type { Change } from '../../../src/manager/store/change.ts';
import { isOfPresentIteration } from '../../../src/manager/orchestrator/job.ts';
import { isHeld, isLive } from '../../../src/manager/orchestrator/slots.ts';
import { isWanted } from '../../../src/manager/orchestrator/task-life.ts';
import { isTaskDirty } from '../../../src/manager/placement/task-dirty.ts';
import type { Service, Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import {
  TaskState,
  UpdateConfig_UpdateOrder as UpdateOrder,
} from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import type { Check, Violate } from './check.ts';
import { replacementsIn } from './replacement.ts';
import type { World } from './world.ts';

export class Slots implements Check {
  readonly #violate: Violate;

  constructor(violate: Violate) {
    this.#violate = violate;
  }

  observe(changes: readonly Change[], world: World): void {
    const touched = new Map<string, Task>();
    for (const change of changes) {
      if (change.kind === 'task' && change.action === 'create')
        touched.set(world.slotKeyOf(change.object), change.object);
    }
    for (const [key, task] of touched) this.#checkSlot(key, task, world);
    for (const { task, replaced, service } of replacementsIn(changes, world)) {
      if (task.startAfter === undefined) this.#checkNumber(task, service, world);
      else if (replaced.length === 0) this.#violate(16, `task ${task.id} replaces nothing in its transaction`);
    }
  }

  #checkSlot(key: string, { serviceId }: Task, world: World): void {
    const service = world.service(serviceId);
    if (!service) return;
    const wanted = world.tables.task.by('slot', key).filter((task) => isWanted(task) && isPresent(service, task));
    if (wanted.length > 1 && !isStartFirstStep(service, wanted, world)) {
      const ids = wanted.map(({ id }) => id).join(', ');
      this.#violate(11, `slot ${key.replace('\0', ' ')} has ${wanted.length} wanted tasks: ${ids}`);
    }
  }

  /** A slot that was not there takes the lowest number that nothing holds; an update may make a task in one that was. */
  #checkNumber(task: Task, service: Service, world: World): void {
    if (service.spec?.mode?.$case !== 'replicated') return;
    if (world.slotOf(task).some((other) => other !== task && other.desiredState < TaskState.REMOVE)) return;
    if (task.slot < 1) return this.#violate(12, `task ${task.id} has slot ${task.slot}`);
    for (let number = 1; number < task.slot; number++) {
      const tasks = world.slotOf({ ...task, slot: number });
      const slot = { key: '', number, nodeId: '', tasks };
      if (isLive(slot) || isHeld(slot, service)) continue;
      return this.#violate(12, `task ${task.id} has slot ${task.slot} though ${number} is free`);
    }
  }
}

/** Tasks of earlier iterations of a job are about to go. */
const isPresent = (service: Service, task: Task): boolean =>
  task.jobIteration === undefined || isOfPresentIteration(service, task);

/** One task of the present spec beside one older one, in a start-first update; or the moment after a spec change. */
function isStartFirstStep(service: Service, wanted: readonly Task[], world: World): boolean {
  const orders = [service.spec, service.previousSpec].flatMap((spec) => [spec?.update?.order, spec?.rollback?.order]);
  const dirty = wanted.filter((task) => isTaskDirty(service, task, world.node(task.nodeId)));
  return wanted.length === 2 && dirty.length >= 1 && orders.includes(UpdateOrder.START_FIRST);
}

/** Invariants 19 to 21: how many slots an update has out of service, what a pause and a rollback may do. */
import { sameValue } from '../../../src/common/same-value.ts';
import type { Change } from '../../../src/manager/store/change.ts';
import { hasEnded, isRunning, isWanted, specVersionOf } from '../../../src/manager/orchestrator/task-life.ts';
import { updateSettings } from '../../../src/manager/orchestrator/update-settings.ts';
import type { Service, Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { UpdateStatus_UpdateState as UpdateState } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import type { Check, Violate } from './check.ts';
import { causeOf, replacementsIn } from './replacement.ts';
import type { World } from './world.ts';

const OPEN: ReadonlySet<UpdateState | undefined> = new Set([UpdateState.UPDATING, UpdateState.ROLLBACK_STARTED]);
const PAUSED: ReadonlySet<UpdateState | undefined> = new Set([UpdateState.PAUSED, UpdateState.ROLLBACK_PAUSED]);
const ROLLING_BACK: ReadonlySet<UpdateState | undefined> = new Set([
  UpdateState.ROLLBACK_STARTED,
  UpdateState.ROLLBACK_PAUSED,
  UpdateState.ROLLBACK_COMPLETED,
]);

export class Updates implements Check {
  readonly #violate: Violate;
  /** Tasks that an update made in place of running ones and that do not run yet, by service. */
  readonly #inWork = new Map<string, Set<string>>();

  constructor(violate: Violate) {
    this.#violate = violate;
  }

  observe(changes: readonly Change[], world: World): void {
    for (const change of changes) {
      if (change.kind === 'service') this.#observeService(change);
      else if (change.kind === 'task' && isSettled(change))
        this.#inWork.get(change.object.serviceId)?.delete(change.object.id);
    }
    for (const { task, replaced, service } of replacementsIn(changes, world)) {
      const updated = replaced.filter((old) => causeOf(old, task, world) === 'changed');
      if (updated.length > 0 || this.#startsBeside(task, world)) this.#touch(task, service);
    }
  }

  #observeService(change: Extract<Change, { kind: 'service' }>): void {
    const { object: service, old } = change;
    const state = service.updateStatus?.state;
    const isOther = old === undefined || specVersionOf(old) !== specVersionOf(service);
    if (isOther || change.action === 'delete' || !OPEN.has(state)) this.#inWork.delete(service.id);
    if (old === undefined || state !== UpdateState.ROLLBACK_STARTED || !isOther) return;
    if (!sameValue(service.spec, old.previousSpec))
      this.#violate(21, `service ${service.id} rolls back to something else than its previous spec`);
    // People may ask for one at any time; then both specs change places.
    if (ROLLING_BACK.has(old.updateStatus?.state) && service.previousSpec === undefined)
      this.#violate(20, `service ${service.id} rolls back a rollback`);
  }

  /** A start-first step: the task comes beside one that runs and is not asked to stop yet. */
  #startsBeside(task: Task, world: World): boolean {
    if (task.startAfter !== undefined) return false;
    return world.slotOf(task).some((other) => other !== task && isWanted(other) && !hasEnded(other));
  }

  #touch(task: Task, service: Service): void {
    const state = service.updateStatus?.state;
    if (PAUSED.has(state)) this.#violate(20, `task ${task.id} is made by an update of ${service.id} that is paused`);
    if (!OPEN.has(state)) return;
    const inWork = this.#inWork.get(service.id) ?? new Set();
    this.#inWork.set(service.id, inWork.add(task.id));
    const { parallelism } = updateSettings(service);
    if (inWork.size > parallelism)
      this.#violate(19, `an update of ${service.id} has ${inWork.size} slots in work, not ${parallelism}`);
  }
}

const isSettled = (change: Extract<Change, { kind: 'task' }>): boolean =>
  change.action === 'delete' || isRunning(change.object) || hasEnded(change.object) || !isWanted(change.object);

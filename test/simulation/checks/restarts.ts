/** Invariants 17, 18 and 22: a task is replaced for a reason, as often and as soon as its restart policy allows. */
import type { Change } from '../../../src/manager/store/change.ts';
import { serviceOptions } from '../../../src/common/service-labels.ts';
import { mayMove, restartSettings, startAfterMs } from '../../../src/manager/orchestrator/restart-policy.ts';
import {
  endedByItself,
  isWanted,
  specVersionOf,
  stateOf,
  statusTimeMs,
} from '../../../src/manager/orchestrator/task-life.ts';
import type { Service, Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import type { Check, Violate } from './check.ts';
import { causeOf, replacementsIn } from './replacement.ts';
import { updatedMs, type World } from './world.ts';

export class Restarts implements Check {
  readonly #violate: Violate;
  /** When the tasks ended that were restarted, by service and slot; a spec that takes effect, be it again, starts afresh. */
  readonly #restarts = new Map<string, Map<string, number[]>>();

  constructor(violate: Violate) {
    this.#violate = violate;
  }

  observe(changes: readonly Change[], world: World): void {
    for (const { kind, object, old } of changes) {
      if (kind === 'service' && (!old || specVersionOf(object) !== specVersionOf(old)))
        this.#restarts.delete(object.id);
    }
    for (const { task, replaced, service } of replacementsIn(changes, world))
      for (const old of replaced) this.#checkReplacement(old, task, service, world);
    for (const change of changes) {
      if (change.kind === 'task' && change.action === 'update') this.#checkStart(change.old, change.object);
    }
  }

  #checkReplacement(old: Task, task: Task, service: Service, world: World): void {
    const cause = causeOf(old, task, world);
    if (cause === 'none')
      this.#violate(
        18,
        `task ${old.id} is replaced by ${task.id} though it is well, on a node that is, and as asked for`,
      );
    if (cause !== 'ended' || !endedByItself(old)) return;
    const asksForOther = specVersionOf(old) !== specVersionOf(task);
    if (asksForOther) return;
    if (!mayMove(old)) this.#violate(17, `task ${old.id} is ${stateOf(old)} and is restarted against its policy`);
    this.#countRestart(old, world);
    const { delayMs } = restartSettings(old);
    const growing = serviceOptions(service.spec?.annotations?.labels).restartMaxDelayMs;
    const waited = startAfterMs(task) - statusTimeMs(old);
    if (waited < Math.min(delayMs, growing ?? Infinity))
      this.#violate(17, `task ${task.id} is to follow ${old.id} after ${waited} ms, not ${delayMs}`);
  }

  #countRestart(old: Task, world: World): void {
    const slots = this.#restarts.get(old.serviceId) ?? new Map<string, number[]>();
    this.#restarts.set(old.serviceId, slots);
    const key = world.slotKeyOf(old);
    const ends = slots.get(key) ?? [];
    slots.set(key, ends);
    const { maxAttempts, windowMs } = restartSettings(old);
    const since = windowMs > 0 ? statusTimeMs(old) - windowMs : -Infinity;
    const counted = ends.filter((end) => end > since).length;
    ends.push(statusTimeMs(old));
    if (maxAttempts > 0 && counted >= maxAttempts)
      this.#violate(
        17,
        `slot ${key.replace('\0', ' ')} was restarted ${counted + 1} times, not at most ${maxAttempts}`,
      );
  }

  /** A replacement is wanted to run only after its delay. */
  #checkStart(old: Task, task: Task): void {
    if (old.desiredState !== TaskState.READY || task.desiredState === TaskState.READY || !isWanted(task)) return;
    const early = startAfterMs(task) - updatedMs(task);
    if (early > 0) this.#violate(17, `task ${task.id} is started ${early} ms before its delay is over`);
  }
}

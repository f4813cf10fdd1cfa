/** Invariant 15: a job has at most as many tasks at a time, and completions in all, as it asks for; none completes twice. */
import type { Change } from '../../../src/manager/store/change.ts';
import { hasCompleted, isOfPresentIteration } from '../../../src/manager/orchestrator/job.ts';
import { isJob, modeOf } from '../../../src/manager/orchestrator/service-mode.ts';
import { isWanted } from '../../../src/manager/orchestrator/task-life.ts';
import type { Service, Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import type { Check, Violate } from './check.ts';
import type { World } from './world.ts';

export class Jobs implements Check {
  readonly #violate: Violate;

  constructor(violate: Violate) {
    this.#violate = violate;
  }

  observe(changes: readonly Change[], world: World): void {
    const touched = new Set<string>();
    for (const change of changes) {
      if (change.kind === 'task' && change.object.jobIteration) touched.add(change.object.serviceId);
    }
    for (const id of touched) {
      const service = world.service(id);
      if (service) this.#check(service, world);
    }
  }

  #check(service: Service, world: World): void {
    const mode = modeOf(service);
    if (!isJob(mode)) return;
    const tasks = world.tables.task.by('service', service.id).filter((task) => isOfPresentIteration(service, task));
    const place = (task: Task): string | number => (mode.kind === 'globalJob' ? task.nodeId : task.slot);
    const completed = tasks.filter((task) => hasCompleted(task) && !wasGivenUp(task)).map(place);
    // A replacement that is only prepared may see the task before it complete after all: it goes without having run.
    const isPrepared = (task: Task): boolean =>
      task.desiredState < TaskState.RUNNING && completed.includes(place(task));
    const active = tasks.filter((task) => isWanted(task) && !isPrepared(task)).map(place);
    // Its replacement is stopped as soon as that is known.
    const late = tasks.filter((task) => hasCompleted(task) && wasGivenUp(task)).map(place);
    const places =
      completed.length + active.length + late.filter((each) => ![...completed, ...active].includes(each)).length;
    if (new Set(completed).size < completed.length)
      this.#violate(15, `job ${service.id} completed a slot twice: ${completed.join(' ')}`);
    if (mode.kind === 'globalJob') return;
    if (places > mode.totalCompletions)
      this.#violate(
        15,
        `job ${service.id} has ${completed.length + late.length} completions and ${active.length} active tasks of ${mode.totalCompletions}`,
      );
    if (active.length > mode.maxConcurrent)
      this.#violate(15, `job ${service.id} has ${active.length} active tasks, not ${mode.maxConcurrent}`);
  }
}

/** Its node was thought lost, or another order reached it too late; it may complete all the same. */
const wasGivenUp = ({ desiredState }: Task): boolean => desiredState > TaskState.COMPLETE;

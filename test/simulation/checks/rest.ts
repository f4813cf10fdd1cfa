/** What must have become true once nothing fails and nobody asks for anything: invariants 10, 13, 14, 23, 27 and 36. */
import { DEFAULT_HISTORY_LIMIT, historyLimit } from '../../../src/manager/orchestrator/task-history.ts';
import { slotsOf } from '../../../src/manager/orchestrator/slots.ts';
import { stateOf } from '../../../src/manager/orchestrator/task-life.ts';
import type { Service, Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import {
  TaskState,
  UpdateStatus_UpdateState as UpdateState,
} from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { FLAKY_LABEL, type SimulatedAgent } from '../agent.ts';
import type { Violate } from './check.ts';
import type { World } from './world.ts';

export function checkRest(world: World, agents: readonly SimulatedAgent[], violate: Violate): void {
  for (const service of world.tables.service.all()) {
    checkHistory(world, service, violate);
    if (isFlaky(service.spec?.annotations?.labels)) continue;
    checkService(world, service, violate);
  }
  for (const { id, serviceId } of world.tables.task.all()) {
    if (!world.service(serviceId)) violate(10, `task ${id} outlived its service ${serviceId}`);
  }
  for (const agent of agents) checkAgent(world, agent, violate);
}

function checkService(world: World, service: Service, violate: Violate): void {
  const tasks = world.tables.task.by('service', service.id);
  const running = tasks.filter(isRunning);
  const wanted = service.spec?.mode?.$case === 'replicated' ? service.spec.mode.value.replicas : 0;
  const most = (service.spec?.task?.placement?.maxReplicas ?? 0) * world.tables.node.size || Infinity;
  const slots = new Set(running.map(({ slot }) => slot));
  if (slots.size !== Math.min(wanted, most) || running.length !== slots.size)
    violate(13, `${service.id} wants ${wanted} and runs ${running.length} in ${slots.size} slots: ${describe(tasks)}`);
  const state = service.updateStatus?.state;
  if (slots.size === wanted && (state === UpdateState.UPDATING || state === UpdateState.ROLLBACK_STARTED))
    violate(23, `the update of ${service.id} does not end: ${service.updateStatus?.message}`);
}

function checkHistory(world: World, service: Service, violate: Violate): void {
  const cluster = world.tables.cluster.byName('default');
  const kept = cluster?.spec?.orchestration?.taskHistoryRetentionLimit ?? DEFAULT_HISTORY_LIMIT;
  // A task that ended just now and its successor may be there beside those that are kept.
  const limit = historyLimit(service, kept) + 2;
  for (const { key, tasks } of slotsOf(world.tables.task.by('service', service.id)).values())
    if (tasks.length > limit) violate(14, `slot ${key.replace('\0', ' ')} keeps ${tasks.length} tasks, not ${limit}`);
}

function checkAgent(world: World, { nodeId, containers }: SimulatedAgent, violate: Violate): void {
  for (const [id, { state }] of containers) {
    if (state !== TaskState.RUNNING) continue;
    const task = world.task(id);
    if (task === undefined || !(isRunning(task) || isFlaky(task.serviceAnnotations?.labels)))
      violate(36, `${nodeId} runs ${id}, which is not to run`);
  }
}

const describe = (tasks: readonly Task[]): string =>
  tasks
    .map(
      ({ id, slot, nodeId, desiredState, status }) =>
        `${id} slot ${slot} on ${nodeId} wanted ${desiredState} is ${status?.state} ${status?.err}`,
    )
    .join('; ');

export const isFlaky = (labels: Readonly<Record<string, string>> | undefined): boolean =>
  labels?.[FLAKY_LABEL] !== undefined;

export const isRunning = (task: Task): boolean =>
  task.desiredState === TaskState.RUNNING && stateOf(task) === TaskState.RUNNING;

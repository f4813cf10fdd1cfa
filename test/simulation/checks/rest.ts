/** What must have become true once nothing fails and nobody asks for anything: invariants 10, 13, 14, 23, 27, 33, 36 and 38. */
import { hasCompleted, isOfPresentIteration } from '../../../src/manager/orchestrator/job.ts';
import { globalPlace, isJob, modeOf } from '../../../src/manager/orchestrator/service-mode.ts';
import { isHeld, isLive, slotsOf, type Slot } from '../../../src/manager/orchestrator/slots.ts';
import { DEFAULT_HISTORY_LIMIT, historyLimit } from '../../../src/manager/orchestrator/task-history.ts';
import { isWanted, stateOf } from '../../../src/manager/orchestrator/task-life.ts';
import type { Service, Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import {
  NodeRole,
  NodeStatus_State as NodeState,
  TaskState,
  UpdateStatus_UpdateState as UpdateState,
} from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import type { SimulatedAgent } from '../agent.ts';
import { behaviourOf } from '../behaviour.ts';
import type { SimulatedManager } from '../manager.ts';
import { chainsTo } from '../pki.ts';
import { dataOf } from '../told.ts';
import type { Violate } from './check.ts';
import { isRefusedAddresses, waitsInVain } from './room.ts';
import type { World } from './world.ts';

export interface AtRest {
  readonly world: World;
  readonly agents: readonly SimulatedAgent[];
  readonly managers: readonly SimulatedManager[];
  /** Nodes of the members of the consensus group. */
  readonly members: ReadonlySet<string>;
  readonly violate: Violate;
}

export function checkRest({ world, agents, managers, members, violate }: AtRest): void {
  checkRoot(world, agents, violate);
  for (const { number, shouldRun, isUp } of managers)
    if (shouldRun !== isUp) violate(33, `manager ${number} ${isUp ? 'still' : 'does not'} take part`);
  for (const { id, role, spec, description } of world.tables.node.all()) {
    const isManager = role === NodeRole.MANAGER;
    // Who joined without hearing of it came again as another.
    if (description === undefined && !members.has(id)) continue;
    if (isManager !== members.has(id) || spec?.desiredRole !== role)
      violate(
        33,
        `node ${id} has role ${role}, is to have ${spec?.desiredRole}, and is ${members.has(id) ? 'a' : 'no'} member`,
      );
  }
  for (const service of world.tables.service.all()) {
    checkPlaces(world, service, violate);
    checkUpdate(world, service, violate);
    checkHistory(world, service, violate);
  }
  for (const { id, serviceId } of world.tables.task.all()) {
    if (!world.service(serviceId)) violate(10, `task ${id} outlived its service ${serviceId}`);
  }
}

/** Every rotation of the root has ended, and every node trusts the root there is and shows a certificate of it. */
function checkRoot(world: World, agents: readonly SimulatedAgent[], violate: Violate): void {
  const root = world.tables.cluster.all()[0]?.rootCa;
  if (root?.rootRotation) violate(44, 'a rotation of the root does not end');
  const bundle = root?.caCert.toString() ?? '';
  for (const { number, identity } of agents) {
    const { current } = identity;
    if (current === undefined) violate('liveness', `node ${number} does not get in`);
    else if (current.rootBundle !== bundle || !chainsTo(current.chain, bundle))
      violate(44, `node ${current.nodeId} trusts "${current.rootBundle.trim()}" and shows "${current.chain.trim()}"`);
  }
}

/** Every place the service asks for is taken, by a task that runs where its image lets it, or given up by its restart policy. */
function checkPlaces(world: World, service: Service, violate: Violate): void {
  const mode = modeOf(service);
  const isGlobal = mode.kind === 'global' || mode.kind === 'globalJob';
  const tasks = world.tables.task
    .by('service', service.id)
    .filter((task) => !isJob(mode) || isOfPresentIteration(service, task));
  const slots = [...slotsOf(tasks, isGlobal).values()];
  const taken = slots.filter((slot) => isLive(slot) || isHeld(slot, service) || (isJob(mode) && isDone(slot)));
  if (!hasItsPlaces(world, service, taken)) violate(13, `${service.id} has the places ${describe(tasks)}`);
  for (const slot of taken) checkSlot(world, service, slot, violate);
}

function hasItsPlaces(world: World, service: Service, taken: readonly Slot[]): boolean {
  const mode = modeOf(service);
  switch (mode.kind) {
    case 'replicated':
      return taken.length === mode.replicas;
    case 'replicatedJob': {
      const isBusy = taken.filter(isLive).length === mode.maxConcurrent;
      return taken.length === mode.totalCompletions || (isBusy && taken.length < mode.totalCompletions);
    }
    case 'global':
    case 'globalJob':
      return world.tables.node.all().every((node) => {
        const slot = taken.find(({ nodeId }) => nodeId === node.id);
        // A job begins on nodes that answer; who joined without hearing of it never does.
        const isReady = mode.kind === 'global' || node.status?.state === NodeState.READY;
        return globalPlace(service, node) === 'wanted' && isReady ? slot !== undefined : !slot || !isLive(slot);
      });
  }
}

function checkSlot(world: World, service: Service, slot: Slot, violate: Violate): void {
  const wanted = slot.tasks.filter(isWanted);
  if (wanted.some(endsByItself)) return;
  // While an update waits or is paused in the middle of a slot, both of its tasks stay.
  if (wanted.length > 1 && !IN_THE_MIDDLE.has(service.updateStatus?.state))
    violate(11, `a slot of ${service.id} has two tasks for good: ${describe(wanted)}`);
  for (const task of wanted) {
    if (stateOf(task) === TaskState.RUNNING || waitsInVain(task, world)) continue;
    if (stateOf(task) === TaskState.NEW && isRefusedAddresses(task, world)) continue;
    violate(stateOf(task) < TaskState.ASSIGNED ? 27 : 13, `${service.id} waits for ${describe([task])}`);
  }
}

function checkUpdate(world: World, service: Service, violate: Violate): void {
  const state = service.updateStatus?.state;
  if (state !== UpdateState.UPDATING && state !== UpdateState.ROLLBACK_STARTED) return;
  const tasks = world.tables.task.by('service', service.id).filter(isWanted);
  if (tasks.some((task) => waitsInVain(task, world) || isRefusedAddresses(task, world))) return;
  violate(23, `the update of ${service.id} does not end: ${describe(tasks)}`);
}

function checkHistory(world: World, service: Service, violate: Violate): void {
  const cluster = world.tables.cluster.byName('default');
  const kept = cluster?.spec?.orchestration?.taskHistoryRetentionLimit ?? DEFAULT_HISTORY_LIMIT;
  // A task that ended just now and its successor may be there beside those that are kept.
  const limit = historyLimit(service, kept) + 2;
  for (const { key, tasks } of slotsOf(world.tables.task.by('service', service.id)).values())
    if (tasks.length > limit) violate(14, `slot ${key.replace('\0', ' ')} keeps ${tasks.length} tasks, not ${limit}`);
}

/** An agent knows what it is to run, and runs nothing else. */
export function checkAgent(world: World, { nodeId, containers, told }: SimulatedAgent, violate: Violate): void {
  const own = world.tables.task.by('node', nodeId).filter((task) => stateOf(task) >= TaskState.ASSIGNED);
  const lacking = own.filter(({ id }) => !told?.tasks.has(id));
  if (lacking.length > 0) violate(36, `${nodeId} was not told of ${describe(lacking)}`);
  for (const { id } of told?.tasks.values() ?? [])
    if (!own.some((task) => task.id === id)) violate(36, `${nodeId} still believes in task ${id}`);
  const needed = new Set(own.filter((task) => stateOf(task) <= TaskState.RUNNING).flatMap(dataOf));
  for (const key of told?.data ?? []) if (!needed.has(key)) violate(38, `${nodeId} still holds ${key}`);
  for (const [id, { state }] of containers) {
    if (state !== TaskState.RUNNING) continue;
    const task = world.task(id);
    if (task === undefined || !(isSteady(task) || endsByItself(task)))
      violate(36, `${nodeId} runs ${id}, which is not to run`);
  }
}

const describe = (tasks: readonly Task[]): string =>
  tasks
    .map(
      ({ id, slot, nodeId, spec, desiredState, status }) =>
        `${id} (${behaviourOf(spec)}) slot ${slot} on ${nodeId} wanted ${desiredState} is ${status?.state} ${status?.err}`,
    )
    .join('; ');

const IN_THE_MIDDLE: ReadonlySet<UpdateState | undefined> = new Set([
  UpdateState.UPDATING,
  UpdateState.PAUSED,
  UpdateState.ROLLBACK_STARTED,
  UpdateState.ROLLBACK_PAUSED,
]);

const isDone = (slot: Slot): boolean => slot.tasks.some(hasCompleted);

const endsByItself = (task: Task): boolean => behaviourOf(task.spec) !== 'steady';

/** It runs, and nothing but a fault or somebody's wish would end it. */
export const isSteady = (task: Task): boolean =>
  isWanted(task) && stateOf(task) === TaskState.RUNNING && !endsByItself(task);

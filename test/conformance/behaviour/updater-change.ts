/** Updater cases in which a user changes a running service. */
import type { Service, Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import type { ServiceSpec } from '../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import {
  TaskState,
  UpdateStatus_UpdateState as UpdateState,
} from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aNode, aService, aTask, imageOf, type RestartGiven, type UpdateGiven } from '../../support/builders.ts';
import { SwarmWorld, type TaskScript } from '../../support/swarm-world.ts';
import { expectSame, failed, passed, refuseUnknownMembers, type CaseResult, textOf } from './case.ts';
import { stateNamed } from './orchestrator-states.ts';
import { nameOfUpdateState } from './updater-stored.ts';

type Members = Readonly<Record<string, unknown>>;

const UPDATE_MEMBERS = ['parallelism', 'delayMs', 'monitorMs', 'failureAction', 'maxFailureRatio', 'order'];

const KNOWN = [
  'replicas',
  'image',
  'update',
  'rollback',
  'restart',
  'nodes',
  'maxReplicasPerNode',
  'priorState',
  'change',
  'newTasks',
  'oldTasks',
  'taskTimeoutMs',
  'failed',
  'task',
  'event',
  ...UPDATE_MEMBERS,
];

/** Longest an update is watched. */
const PATIENCE_MS = 900_000;
const TICK_MS = 20;
/** Tasks take a moment to stop, so that overlaps can be seen. */
const STOP_MS = 30;

/** What was seen while the update ran. */
interface Seen {
  readonly world: SwarmWorld;
  readonly createdBefore: number;
  /** Slots there were before the change. */
  readonly oldSlots: ReadonlySet<number>;
  readonly startedMs: number;
  endedMs: number;
  maxOutOfService: number;
  createdBeforeRollback: number | undefined;
}

export async function playChange(given: Members, expected: Members): Promise<CaseResult> {
  refuseUnknownMembers(given, KNOWN, 'member of given');
  const [from, to] = imagesOf(given);
  const world = new SwarmWorld({ loops: ['orchestrator'] });
  try {
    await begin(world, given, from);
    world.script = (task) => scriptFor(world, task, given, from, to);
    const seen: Seen = {
      world,
      createdBefore: world.created().length,
      oldSlots: new Set(world.tasks().map((task) => task.slot)),
      startedMs: world.clock.now(),
      endedMs: 0,
      maxOutOfService: 0,
      createdBeforeRollback: undefined,
    };
    world.onCommit = () => {
      const isRollingBack = (world.service().updateStatus?.state ?? 0) >= UpdateState.ROLLBACK_STARTED;
      if (isRollingBack) seen.createdBeforeRollback ??= world.created().length - seen.createdBefore;
    };
    await world.changeService((spec) => changed(spec, given, to));
    if (/again/.test(textOf(given['event']))) {
      await world.advance(STOP_MS + 1);
      await world.changeService((spec) => withImage(spec, 'v9'));
    }
    await watch(seen);
    if (/rollback|roll back/i.test(textOf(given['event']))) {
      await world.rollBack();
      await watch({ ...seen, startedMs: world.clock.now() });
    }
    for (const [member, value] of Object.entries(expected)) {
      const result = expectMember(seen, member, value);
      if (!result.ok) return result;
    }
    return passed;
  } finally {
    await world.end();
  }
}

function imagesOf(given: Members): readonly [string, string] {
  const images = given['image'] as readonly [string, string] | undefined;
  if (images) return images;
  const changesImage = given['change'] === undefined;
  return changesImage ? ['v1', 'v2'] : ['v1', 'v1'];
}

async function begin(world: SwarmWorld, given: Members, image: string): Promise<void> {
  const replicas = Number(given['replicas'] ?? 1);
  for (const member of ['update', 'rollback'])
    if (given[member] !== undefined)
      refuseUnknownMembers(given[member] as Members, UPDATE_MEMBERS, `member of ${member}`);
  const direct = UPDATE_MEMBERS.filter((member) => given[member] !== undefined).map((member) => [
    member,
    given[member],
  ]);
  const update: UpdateGiven = { ...(given['update'] as UpdateGiven), ...Object.fromEntries(direct) };
  const restart = given['restart'];
  const service = aService({
    replicas,
    image,
    ...(Object.keys(update).length > 0 && { update }),
    ...(given['rollback'] !== undefined && { rollback: given['rollback'] as UpdateGiven }),
    ...(restart !== undefined && {
      restart: (typeof restart === 'string' ? { condition: restart } : restart) as RestartGiven,
    }),
  });
  const prior = given['priorState'];
  const tasks = Array.from({ length: replicas }, (_, i) => priorTask(service, i, prior as string | undefined));
  const nodes = Array.from({ length: Number(given['nodes'] ?? 2) }, (_, i) => aNode(`node${i + 1}`));
  await world.create({ nodes, services: [service], tasks });
  await world.lead();
}

const priorTask = (service: Service, i: number, prior: string | undefined): Task =>
  aTask(service, {
    id: `old${i + 1}`,
    slot: i + 1,
    nodeId: 'node1',
    ...(prior !== undefined && { status: { state: stateNamed(prior) } }),
    ...(prior !== undefined && stateNamed(prior) > TaskState.RUNNING && { desiredState: TaskState.SHUTDOWN }),
  });

function scriptFor(world: SwarmWorld, task: Task, given: Members, from: string, to: string): TaskScript {
  const isOld = task.id.startsWith('old');
  if (isOld) return { stopMs: /ignore/.test(textOf(given['oldTasks'])) ? Infinity : STOP_MS };
  const isNew = from === to || imageOf(task) === to;
  if (!isNew) return { stopMs: STOP_MS };
  const failures = given['failed'];
  if (failures !== undefined) {
    const isFirst = world.created().find((t) => t.slot === task.slot && imageOf(t) === to)?.id === task.id;
    return isFirst && task.slot <= Number(failures)
      ? { stopMs: STOP_MS, endsBeforeRunning: TaskState.FAILED }
      : { stopMs: STOP_MS };
  }
  if (given['maxReplicasPerNode'] !== undefined && isCrowded(world, task, Number(given['maxReplicasPerNode'])))
    return { stuckAt: TaskState.PENDING };
  return { stopMs: STOP_MS, ...ending(textOf(given['newTasks'] ?? given['task'])) };
}

/** The scheduler would find no node with room for one more of this service. */
const isCrowded = (world: SwarmWorld, task: Task, max: number): boolean =>
  world.store.read.node
    .all()
    .every(
      (node) =>
        world
          .tasks()
          .filter((t) => t.id !== task.id && t.nodeId === node.id && (t.status?.state ?? 0) <= TaskState.RUNNING)
          .length >= max,
    );

/** What becomes of new tasks, from the words of a case. */
function ending(words: string): TaskScript {
  if (words === '') return {};
  const stuck = /stay (\w+)/.exec(words)?.[1] ?? (/never (run|start)/.test(words) ? 'PENDING' : undefined);
  if (stuck !== undefined) return { stuckAt: stateNamed(stuck) };
  const state = /COMPLETE|exits? (with )?0|finish/i.test(words)
    ? TaskState.COMPLETE
    : /REJECT/i.test(words)
      ? TaskState.REJECTED
      : TaskState.FAILED;
  const afterMs = /(\d+) ?ms/.exec(words)?.[1];
  if (afterMs !== undefined) return { ends: { state, afterMs: Number(afterMs) } };
  if (/(inside|within|during) the monitor/.test(words)) return { ends: { state, afterMs: 2000 } };
  if (/after the monitor|outside the monitor/.test(words)) return { ends: { state, afterMs: 8000 } };
  if (/fail|reject|exit|complete|finish/i.test(words)) return { endsBeforeRunning: state };
  if (/ok|run|succeed|healthy/i.test(words)) return {};
  throw new Error(`the handler does not know what tasks do that "${words}"`);
}

function changed(spec: ServiceSpec, given: Members, to: string): ServiceSpec {
  const change = given['change'] as string | undefined;
  if (change === undefined) return withImage(spec, to);
  const task = spec.task!;
  if (/ForceUpdate/i.test(change)) return { ...spec, task: { ...task, forceUpdate: task.forceUpdate + 1 } };
  if (/constraint/.test(change)) {
    const constraints = [/not satisfy|unsatisf/.test(change) ? 'node.labels.absent==yes' : 'node.role==worker'];
    return { ...spec, task: { ...task, placement: { preferences: [], platforms: [], maxReplicas: 0, constraints } } };
  }
  if (/label/.test(change)) return { ...spec, annotations: { ...spec.annotations!, labels: { changed: 'yes' } } };
  if (/credential|pull|auth/.test(change) && task.runtime?.$case === 'container') {
    const value = { ...task.runtime.value, pullOptions: { registryAuth: 'other' } };
    return { ...spec, task: { ...task, runtime: { $case: 'container', value } } };
  }
  if (/scale|replicas/.test(change) && spec.mode?.$case === 'replicated') {
    const replicas = Number(/(\d+)/.exec(change)?.[1] ?? spec.mode.value.replicas + 1);
    return { ...spec, mode: { $case: 'replicated', value: { replicas } } };
  }
  throw new Error(`the handler does not know the change "${change}"`);
}

function withImage(spec: ServiceSpec, image: string): ServiceSpec {
  const runtime = spec.task?.runtime;
  if (runtime?.$case !== 'container') return spec;
  return { ...spec, task: { ...spec.task!, runtime: { $case: 'container', value: { ...runtime.value, image } } } };
}

const isOpen = (service: Service): boolean =>
  service.updateStatus?.state === UpdateState.UPDATING || service.updateStatus?.state === UpdateState.ROLLBACK_STARTED;

/** Lets time pass until the update has ended, or for as long as patience lasts. */
async function watch(seen: Seen): Promise<void> {
  const { world } = seen;
  let quietMs = 0;
  while (world.clock.now() - seen.startedMs < PATIENCE_MS && quietMs < 2000) {
    await world.advance(TICK_MS);
    quietMs = isOpen(world.service()) ? 0 : quietMs + TICK_MS;
    seen.maxOutOfService = Math.max(seen.maxOutOfService, slotsOutOfService(world));
  }
  seen.endedMs = world.clock.now();
}

function slotsOutOfService(world: SwarmWorld): number {
  const served = new Set<number>();
  for (const task of world.tasks())
    if (task.desiredState === TaskState.RUNNING && task.status?.state === TaskState.RUNNING) served.add(task.slot);
  const mode = world.service().spec?.mode;
  return (mode?.$case === 'replicated' ? mode.value.replicas : 0) - served.size;
}

function expectMember(seen: Seen, member: string, value: unknown): CaseResult {
  const { world } = seen;
  const state = nameOfUpdateState(world.service());
  const created = world.created().slice(seen.createdBefore);
  const wanted = world.tasks().filter((task) => task.desiredState <= TaskState.RUNNING);
  switch (member) {
    case 'images':
      return expectSame(Object.fromEntries(counts(wanted.map(imageOf))), value, member);
    case 'state':
      return expectSame(state, value, member);
    case 'tasksReplaced':
      return expectSame(replacedSlots(created, seen.oldSlots), value, member);
    case 'aliveTasks':
      return expectSame(world.tasks().filter((t) => (t.status?.state ?? 0) <= TaskState.RUNNING).length, value, member);
    case 'maxConcurrentBelowOrEqual':
      return seen.maxOutOfService <= Number(value)
        ? passed
        : failed(`${seen.maxOutOfService} slots were out of service together`);
    case 'minElapsedMs':
      return seen.endedMs - seen.startedMs >= Number(value) ? passed : failed('the update was too quick');
    case 'desired': {
      const old = wanted.filter((task) => Object.keys(value as object).includes(imageOf(task)));
      return expectSame(
        Object.fromEntries(
          old.map((task) => [imageOf(task), task.desiredState === TaskState.RUNNING ? 'RUNNING' : 'READY']),
        ),
        value,
        member,
      );
    }
    case 'triggered':
    case 'countsAsFailure':
      return expectSame(state !== 'COMPLETED' && state !== 'UPDATING' && state !== null, value, member);
    case 'newTasksCreatedBeforeRollback':
      return expectSame(seen.createdBeforeRollback, value, member);
    case 'newTask': {
      const isStuck =
        created.length === 1 && (created[0] ? world.store.read.task.get(created[0].id)?.nodeId === '' : false);
      return expectSame(isStuck ? 'PENDING for ever' : 'placed', value, member);
    }
    case 'running update': {
      const outdated = created.filter((task) => imageOf(task) === 'v2').length;
      return expectSame(outdated < world.tasks().length && outdated <= 1 ? 'cancelled' : 'went on', value, member);
    }
    case 'new update':
      return expectSame(
        wanted.every((task) => imageOf(task) === 'v9') ? 'started with the new spec' : 'not started',
        value,
        member,
      );
    default:
      return failed(`the handler does not know what to expect of ${member}`);
  }
}

const replacedSlots = (created: readonly Task[], oldSlots: ReadonlySet<number>): number =>
  new Set(created.map((task) => task.slot).filter((slot) => oldSlots.has(slot))).size;

function counts(values: readonly string[]): ReadonlyMap<string, number> {
  const result = new Map<string, number>();
  for (const value of values) result.set(value, (result.get(value) ?? 0) + 1);
  return result;
}

/** Updater cases that begin with what a new leader finds in the store. */
import { Cluster, type Service, type Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import {
  TaskState,
  UpdateStatus_UpdateState as UpdateState,
} from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aNode, aService, aTask } from '../../support/builders.ts';
import { SwarmWorld } from '../../support/swarm-world.ts';
import { expectSame, refuseUnknownMembers, type CaseResult } from './case.ts';

type Members = Readonly<Record<string, unknown>>;

const KNOWN = ['replicas', 'state', 'rerun', 'dirtySlots', 'event', 'slot', 'task log driver', 'cluster default'];

export const nameOfUpdateState = (service: Service): string | null => {
  const state = service.updateStatus?.state;
  if (state === undefined) return null;
  return Object.keys(UpdateState).find((name) => UpdateState[name as keyof typeof UpdateState] === state) ?? null;
};

export async function playStored(given: Members, expected: Members): Promise<CaseResult> {
  refuseUnknownMembers(given, KNOWN, 'member of given');
  const world = new SwarmWorld({ loops: ['orchestrator'], script: () => ({}) });
  try {
    if (given['slot'] !== undefined) return await slotWithTwo(world, expected);
    if ('task log driver' in given) return await logDriver(world, given, expected);
    return await foundStatus(world, given, expected);
  } finally {
    await world.end();
  }
}

/** An outdated service whose update status says something; the leader is new. */
async function foundStatus(world: SwarmWorld, given: Members, expected: Members): Promise<CaseResult> {
  const replicas = Number(given['replicas'] ?? given['dirtySlots'] ?? 1);
  const dirty = Number(given['dirtySlots'] ?? replicas);
  const old = aService({ replicas, image: 'v1' });
  const now: Service = {
    ...aService({ replicas, image: 'v2' }),
    specVersion: { index: 1 },
    previousSpec: old.spec,
    updateStatus: statusNamed(given['state'] as string | null, world.clock.now()),
  };
  const tasks = Array.from({ length: replicas }, (_, i) =>
    aTask(i < dirty ? old : now, { id: `task${i}`, slot: i + 1, nodeId: 'node1' }),
  );
  await world.create({ nodes: [aNode('node1')], services: [now], tasks });
  await world.lead();
  await world.advance(60_000);
  const replaced = world.created().length - tasks.length;
  const observed: Record<string, unknown> = {};
  for (const member of Object.keys(expected)) {
    if (member === 'updaterRuns') observed[member] = replaced > 0;
    else if (member === 'tasksReplaced') observed[member] = replaced;
    else if (member === 'state') observed[member] = nameOfUpdateState(world.service());
    else throw new Error(`the handler does not know what to expect of ${member}`);
  }
  return expectSame(observed, expected);
}

function statusNamed(name: string | null, nowMs: number): Service['updateStatus'] {
  if (name === null) return undefined;
  const state = UpdateState[name as keyof typeof UpdateState];
  if (state === undefined) throw new Error(`the handler does not know update state ${name}`);
  const at = { seconds: Math.floor(nowMs / 1000) - 60, nanos: 0 };
  const isDone = state === UpdateState.COMPLETED || state === UpdateState.ROLLBACK_COMPLETED;
  return { state, message: '', startedAt: at, completedAt: isDone ? at : undefined };
}

/** A slot with a clean running task and an outdated one. */
async function slotWithTwo(world: SwarmWorld, expected: Members): Promise<CaseResult> {
  const old = aService({ image: 'v1' });
  const now: Service = { ...aService({ image: 'v2' }), specVersion: { index: 1 } };
  const tasks: readonly Task[] = [
    aTask(now, { id: 'clean', slot: 1, nodeId: 'node1' }),
    aTask(old, { id: 'dirty', slot: 1, nodeId: 'node1' }),
  ];
  await world.create({ nodes: [aNode('node1')], services: [now], tasks });
  await world.lead();
  const isWanted = (id: string): boolean => world.store.read.task.get(id)?.desiredState === TaskState.RUNNING;
  const observed = {
    kept: isWanted('clean') && world.tasks().length === 2 ? 'the clean running task' : 'not the clean task alone',
    removed: isWanted('dirty') ? 'nothing' : 'the other',
  };
  return expectSame(observed, expected);
}

async function logDriver(world: SwarmWorld, given: Members, expected: Members): Promise<CaseResult> {
  const driver = (name: unknown) => (typeof name === 'string' ? { name, options: {} } : undefined);
  const service = aService();
  const task = service.spec?.task;
  await world.store.update((tx) => {
    tx.cluster.create(
      Cluster.fromPartial({
        id: 'cluster',
        spec: { annotations: { name: 'default' }, taskDefaults: { logDriver: driver(given['cluster default']) } },
      }),
    );
  });
  await world.create({
    services: [
      {
        ...service,
        spec: service.spec && {
          ...service.spec,
          task: task && { ...task, logDriver: driver(given['task log driver']) },
        },
      },
    ],
  });
  await world.lead();
  return expectSame({ used: world.created()[0]?.logDriver?.name ?? null }, expected);
}

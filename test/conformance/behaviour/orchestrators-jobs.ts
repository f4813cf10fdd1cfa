/** The job cases of orchestrators.json. */
import type { Service, Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aNode, aService, aTask } from '../../support/builders.ts';
import { SwarmWorld } from '../../support/swarm-world.ts';
import { allOf, expectSame, failed, passed, refuseUnknownMembers, type CaseResult, textOf } from './case.ts';
import { sceneOf, type Scene } from './observed.ts';
import { nameOfState, nodeIn } from './orchestrator-states.ts';

type Members = Readonly<Record<string, unknown>>;

const KNOWN = [
  'maxConcurrent',
  'totalCompletions',
  'tasks',
  'activeSlots',
  'tasksWithDesiredShutdown',
  'completedSlots',
  'failedSlots',
  'completed',
  'running',
  'event',
  'nodes',
  'node',
  'failedOn',
  'runningOn',
  'completeOn',
];

const FRESH = { maxConcurrent: 10, totalCompletions: 30 };

export async function playJob(given: Members, expected: Members, isGlobal: boolean): Promise<CaseResult> {
  refuseUnknownMembers(given, KNOWN, 'member of given');
  const world = new SwarmWorld({ loops: ['orchestrator'] });
  try {
    const scene = await (isGlobal ? playOnNodes(world, given) : playNumbered(world, given));
    return allOf(...Object.entries(expected).map(([member, value]) => expectMember(scene, member, value)));
  } finally {
    await world.end();
  }
}

/** A task of the job's present iteration, wanted to complete unless it says otherwise. */
const taskIn = (service: Service, state: TaskState, given: Members): Task =>
  aTask(service, {
    id: `${textOf(given['slot'])}@${textOf(given['nodeId'])}`,
    status: { state },
    desiredState: TaskState.COMPLETE,
    jobIteration: { index: 0 },
    ...given,
  });

async function playNumbered(world: SwarmWorld, given: Members): Promise<Scene> {
  const job = {
    maxConcurrent: Number(given['maxConcurrent'] ?? FRESH.maxConcurrent),
    totalCompletions: Number(given['totalCompletions'] ?? FRESH.totalCompletions),
  };
  const service = aService({ replicatedJob: job });
  const slots = (numbers: readonly number[], state: TaskState, more: Members = {}): readonly Task[] =>
    numbers.map((slot) => taskIn(service, state, { slot, nodeId: 'node1', ...more }));
  const event = given['event'] as string | undefined;
  const tasks =
    event === undefined
      ? [
          ...slots((given['activeSlots'] ?? []) as readonly number[], TaskState.RUNNING),
          ...slots(firstSlots(given['running']), TaskState.RUNNING),
          ...slots(rangeOf(given['completedSlots']), TaskState.COMPLETE),
          ...slots(firstSlots(given['completed']), TaskState.COMPLETE),
          ...slots(rangeOf(given['failedSlots']), TaskState.FAILED),
          ...slots(firstSlots(given['tasksWithDesiredShutdown']), TaskState.RUNNING, {
            desiredState: TaskState.SHUTDOWN,
          }),
        ]
      : event.includes('ended')
        ? slots(firstSlots(FRESH.totalCompletions), TaskState.COMPLETE)
        : slots(firstSlots(FRESH.maxConcurrent), TaskState.RUNNING);
  await world.create({ nodes: [aNode('node1')], services: [service], tasks });
  if (event === undefined) {
    const scene = sceneOf(world);
    await world.lead();
    return scene;
  }
  await world.lead();
  const scene = sceneOf(world);
  await world.changeService((spec) => ({ ...spec, task: spec.task && { ...spec.task, forceUpdate: 1 } }));
  return scene;
}

async function playOnNodes(world: SwarmWorld, given: Members): Promise<Scene> {
  const service = aService({ globalJob: true });
  const nodes = Array.from({ length: Number(given['nodes'] ?? 1) }, (_, i) =>
    nodeIn(`node${i + 1}`, given['node'] as string | undefined),
  );
  const states = [
    ...Array<TaskState>(Number(given['failedOn'] ?? 0)).fill(TaskState.FAILED),
    ...Array<TaskState>(Number(given['runningOn'] ?? 0)).fill(TaskState.RUNNING),
    ...Array<TaskState>(Number(given['completeOn'] ?? 0)).fill(TaskState.COMPLETE),
  ];
  const tasks = states.map((state, i) => taskIn(service, state, { nodeId: `node${i + 1}` }));
  await world.create({ nodes, services: [service], tasks });
  const scene = sceneOf(world);
  await world.lead();
  return scene;
}

/** "0..9" as numbers. */
function rangeOf(text: unknown): readonly number[] {
  if (text === undefined) return [];
  const [from = 0, to = 0] = textOf(text).split('..').map(Number);
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

const firstSlots = (count: unknown): readonly number[] => Array.from({ length: Number(count ?? 0) }, (_, slot) => slot);

function expectMember(scene: Scene, member: string, value: unknown): CaseResult {
  const { world, before } = scene;
  const created = world.created(scene.since);
  // A replacement carries the time at which it may start.
  const made = created.filter((task) => task.startAfter === undefined);
  const now = before.map((task) => world.store.read.task.get(task.id)).filter((task) => task !== undefined);
  const slots = (tasks: readonly Task[]): readonly number[] => tasks.map((task) => task.slot);
  switch (member) {
    case 'newTasks':
      return expectSame(made.length, value === 'as for a fresh job' ? FRESH.maxConcurrent : value, member);
    case 'restartCalls':
      return expectSame(created.length - made.length, value, member);
    case 'uniqueSlots':
      return expectSame(new Set(slots(created)).size === created.length, value, member);
    case 'slotsMayRepeat':
      return passed;
    case 'desired':
      return expectSame([...new Set(made.map((task) => nameOfState(task.desiredState)))], [value], member);
    case 'jobIteration':
      return expectSame([...new Set(made.map((task) => task.jobIteration?.index))], [value], member);
    case 'oldIterationDesired':
      return expectSame([...new Set(now.map((task) => nameOfState(task.desiredState)))], [value], member);
    case 'oldIterationTasks':
      return allOf(
        expectSame(now.length, before.length, 'tasks of the old iteration'),
        expectSame(value, 'stay COMPLETE with desired COMPLETE', member),
        expectSame(
          now.every(
            ({ status, desiredState }) => status?.state === desiredState && desiredState === TaskState.COMPLETE,
          ),
          true,
          member,
        ),
      );
    // More tasks than the job has completions: nothing is made, and what is beyond the last slot has to go.
    case 'error':
      return expectSame(
        slots(now.filter((task) => task.desiredState === TaskState.REMOVE)),
        slots(before.filter((task) => task.slot >= 20)),
        'slots to go',
      );
    default:
      return failed(`the handler does not know what to expect of ${member}`);
  }
}

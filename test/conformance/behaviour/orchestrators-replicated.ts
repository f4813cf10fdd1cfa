/** The replicated cases of orchestrators.json. */
import { NodeSpec_Availability } from '../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import { NodeStatus_State, TaskState } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aNode, aService, aTask, type RestartGiven } from '../../support/builders.ts';
import { SwarmWorld } from '../../support/swarm-world.ts';
import { allOf, expectSame, refuseUnknownMembers, type CaseResult, textOf } from './case.ts';
import { expectObserved, expectUnchanged, sceneOf, type Scene } from './observed.ts';
import { nameOfState, nodeIn, stateNamed, taskOf, type CaseTask } from './orchestrator-states.ts';

type Given = Readonly<Record<string, unknown>>;

const KNOWN = [
  'newLeader',
  'tasks',
  'task',
  'slots',
  'replicas',
  'deleted',
  'node',
  'nodes',
  'event',
  'tasksOnNode',
  'restart',
  'delayMs',
];

export async function playReplicated(given: Given, expected: Given): Promise<CaseResult> {
  refuseUnknownMembers(given, KNOWN, 'member of given');
  const world = new SwarmWorld({ loops: ['orchestrator'] });
  try {
    const scene = await play(world, given);
    if (expected['promotedToRunningAfterDelay'] !== undefined)
      return allOf(await expectPromotion(scene, Number(given['delayMs'])), expectSame(Object.keys(expected).length, 1));
    const untouched = (slot: number) => expectUnchanged(scene, (task) => task.slot === slot);
    return expectObserved(scene, expected, (member, value) => {
      const slot = /^slot(\d+)$/.exec(member)?.[1];
      if (slot === undefined) return undefined;
      return value === 'untouched' ? untouched(Number(slot)) : expectSlot(scene, Number(slot), value as Given);
    });
  } finally {
    await world.end();
  }
}

async function play(world: SwarmWorld, given: Given): Promise<Scene> {
  if (given['nodes'] !== undefined) return drain(world, given['nodes'] as readonly CaseNode[]);
  if (given['event'] !== undefined) return nodeEvent(world, textOf(given['event']), Number(given['tasksOnNode'] ?? 1));
  if (given['deleted'] !== undefined) return deletedByHand(world, Number(given['replicas']));
  if (given['slots'] !== undefined) return endedSlots(world, given);
  return firstPass(world, given);
}

/** What the store holds, and then a leader's first pass. */
async function firstPass(world: SwarmWorld, given: Given): Promise<Scene> {
  const tasks = (given['tasks'] ?? (given['task'] ? [given['task']] : [])) as readonly CaseTask[];
  const restart = restartOf(given);
  const service = aService({ replicas: Number(given['replicas'] ?? tasks.length), ...(restart && { restart }) });
  const nodeIds = new Set(tasks.map((task) => task.node ?? 'node1'));
  await world.create({
    nodes: [...nodeIds].map((id) => nodeIn(id, given['node'] as string | undefined)),
    services: [service],
    tasks: tasks.map((task, i) => taskOf(service, task, { slot: i + 1, nodeId: 'node1' })),
  });
  const scene = sceneOf(world);
  await world.lead();
  return scene;
}

const restartOf = (given: Given): RestartGiven | undefined => {
  if (given['restart'] === undefined && given['delayMs'] === undefined) return undefined;
  return {
    ...(given['restart'] !== undefined && { condition: given['restart'] as 'none' }),
    ...(given['delayMs'] !== undefined && { delayMs: Number(given['delayMs']) }),
  };
};

/** Slots known by the state of their newest task; what ended has been asked to stop. */
async function endedSlots(world: SwarmWorld, given: Given): Promise<Scene> {
  const slots = given['slots'] as readonly { readonly slot: number; readonly newest: string }[];
  return firstPass(world, {
    ...given,
    tasks: slots.map(({ slot, newest }) => ({
      slot,
      state: newest,
      desired: stateNamed(newest) > TaskState.RUNNING ? 'SHUTDOWN' : 'RUNNING',
    })),
  });
}

interface CaseNode {
  readonly id: string;
  readonly tasks: number;
  readonly availability?: string;
}

/** Tasks run on nodes, and then the nodes take on the availability of the case. */
async function drain(world: SwarmWorld, nodes: readonly CaseNode[]): Promise<Scene> {
  const service = aService({ replicas: nodes.reduce((sum, node) => sum + node.tasks, 0) });
  let slot = 0;
  await world.create({
    nodes: nodes.map(({ id }) => aNode(id)),
    services: [service],
    tasks: nodes.flatMap(({ id, tasks }) =>
      Array.from({ length: tasks }, () => aTask(service, { id: `${id}-${++slot}`, slot, nodeId: id })),
    ),
  });
  await world.lead();
  const scene = sceneOf(world);
  for (const { id, availability } of nodes) {
    if (availability !== undefined)
      await world.changeNode(id, (node) => ({ ...node, spec: nodeIn(id, availability).spec }));
  }
  return scene;
}

async function runningService(world: SwarmWorld, replicas: number): Promise<Scene> {
  await drain(world, [{ id: 'node1', tasks: replicas }]);
  return sceneOf(world);
}

async function deletedByHand(world: SwarmWorld, replicas: number): Promise<Scene> {
  const scene = await runningService(world, replicas);
  await world.store.update((tx) => tx.task.delete(scene.before[0]?.id ?? ''));
  await world.settle();
  return scene;
}

async function nodeEvent(world: SwarmWorld, event: string, tasks: number): Promise<Scene> {
  const scene = await runningService(world, tasks);
  if (/delete|remove/i.test(event) && /service/i.test(event)) {
    await world.store.update((tx) => tx.service.delete('s1'));
  } else if (/delete|remove/i.test(event)) await world.store.update((tx) => tx.node.delete('node1'));
  else {
    const state = /UNKNOWN|DISCONNECTED|DOWN|READY/.exec(event)?.[0] as keyof typeof NodeStatus_State | undefined;
    const availability = /pause|drain|active/i.exec(event)?.[0].toUpperCase() as 'PAUSE' | undefined;
    if (!state && !availability) throw new Error(`the handler does not know the event "${event}"`);
    await world.changeNode('node1', (node) => ({
      ...node,
      ...(state && node.status && { status: { ...node.status, state: NodeStatus_State[state] } }),
      ...(availability && node.spec && { spec: { ...node.spec, availability: NodeSpec_Availability[availability] } }),
    }));
  }
  await world.settle();
  return scene;
}

/** The task is wanted RUNNING when its delay is over, and not a moment before. */
async function expectPromotion(scene: Scene, delayMs: number): Promise<CaseResult> {
  const desired = (): string =>
    nameOfState(scene.world.store.read.task.get(scene.before[0]?.id ?? '')?.desiredState ?? TaskState.NEW);
  await scene.world.advance(delayMs - 1);
  const early = desired();
  await scene.world.advance(1);
  return expectSame([early, desired()], ['READY', 'RUNNING'], 'desired state before and after the delay');
}

function expectSlot(scene: Scene, slot: number, value: Given): CaseResult {
  const read = scene.world.store.read.task;
  const old = scene.before.find((task) => task.slot === slot);
  const [made] = scene.world.created(scene.since).filter((task) => task.slot === slot);
  return expectSame(
    {
      oldDesired: nameOfState(read.get(old?.id ?? '')?.desiredState ?? TaskState.NEW),
      ...(made && { new: { state: nameOfState(made.status?.state ?? 0), desired: nameOfState(made.desiredState) } }),
    },
    value,
    `slot ${slot}`,
  );
}

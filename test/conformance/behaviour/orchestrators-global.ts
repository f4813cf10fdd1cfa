/** The global cases of orchestrators.json. */
import type { Node, Service } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeSpec_Availability } from '../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import { NodeStatus_State, TaskState } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aNode, aService, aTask, type RestartGiven } from '../../support/builders.ts';
import { SwarmWorld } from '../../support/swarm-world.ts';
import { expectSame, refuseUnknownMembers, type CaseResult } from './case.ts';
import { expectObserved, sceneOf, type Scene } from './observed.ts';
import { nodeIn } from './orchestrator-states.ts';

type Given = Readonly<Record<string, unknown>>;

const KNOWN = ['nodes', 'services', 'event', 'restart', 'newLeader', 'task', 'node', 'constraints'];

export async function playGlobal(given: Given, expected: Given): Promise<CaseResult> {
  refuseUnknownMembers(given, KNOWN, 'member of given');
  const world = new SwarmWorld({
    loops: ['orchestrator', 'reaper'],
    // Agents stop what they are asked to; nothing else moves by itself.
    script: () => ({ stuckAt: TaskState.NEW }),
  });
  try {
    const scene = given['newLeader'] ? await firstPass(world, given) : await play(world, given);
    // Deletions wait for the reaper.
    if (expected['taskDeleted'] !== undefined) await world.advance(1000);
    const created = world.created(scene.since);
    return expectObserved(scene, expected, (member, value) => {
      if (member === 'newTaskOn')
        return expectSame(
          created.map((task) => task.nodeId),
          [value === 'the new node' ? 'node2' : value],
          member,
        );
      if (member === 'tasksOn') return expectSame(created.map((task) => task.nodeId).sort(), value, member);
      return undefined;
    });
  } finally {
    await world.end();
  }
}

/** A task runs on node1, as an earlier leader left it; then a new leader takes its first pass. */
async function firstPass(world: SwarmWorld, given: Given): Promise<Scene> {
  const service = aService({ global: true });
  const isOfGoneService = given['task'] !== undefined;
  const condition = given['node'];
  await world.create({
    nodes: condition === null ? [] : [nodeIn('node1', condition as string | undefined)],
    services: isOfGoneService ? [] : [service],
    tasks: [aTask(service, { id: 'task1', nodeId: 'node1' })],
  });
  const scene = sceneOf(world);
  await world.lead();
  return scene;
}

async function play(world: SwarmWorld, given: Given): Promise<Scene> {
  const restart = given['restart'] === undefined ? undefined : ({ condition: given['restart'] } as RestartGiven);
  const constraints = given['constraints'] as readonly string[] | undefined;
  const service = aService({ global: true, ...(restart && { restart }), ...(constraints && { constraints }) });
  const event = given['event'] as string | undefined;
  const nodes = nodesOf(given['nodes']);
  if (event === undefined) {
    await world.create({ nodes });
    await world.lead();
    const scene = sceneOf(world);
    const count = Number(given['services'] ?? 1);
    await world.create({ services: Array.from({ length: count }, (_, i) => serviceNamed(service, `s${i + 1}`)) });
    return scene;
  }
  await world.create({
    nodes,
    services: [service],
    tasks: nodes.map((node) => aTask(service, { id: `task-${node.id}`, nodeId: node.id })),
  });
  await world.lead();
  const scene = sceneOf(world);
  await happen(world, event);
  return scene;
}

const serviceNamed = (service: Service, id: string): Service => ({
  ...service,
  id,
  spec: { ...service.spec!, annotations: { name: id, labels: {}, indices: [] } },
});

function nodesOf(given: unknown): readonly Node[] {
  if (Array.isArray(given)) {
    const list = given as readonly { readonly id: string; readonly labels?: Readonly<Record<string, string>> }[];
    return list.map(({ id, labels }) => aNode(id, labels ? { labels } : {}));
  }
  return Array.from({ length: Number(given ?? 1) }, (_, i) => aNode(`node${i + 1}`));
}

/** Lets the event of a case happen on node1 or task-node1. */
async function happen(world: SwarmWorld, event: string): Promise<void> {
  const inState = (state: NodeStatus_State) =>
    world.changeNode('node1', (node) => ({ ...node, status: { ...node.status!, state } }));
  const available = (availability: NodeSpec_Availability) =>
    world.changeNode('node1', (node) => ({ ...node, spec: { ...node.spec!, availability } }));
  const { ACTIVE, PAUSE, DRAIN } = NodeSpec_Availability;
  switch (event) {
    case 'node joins':
      return world.create({ nodes: [aNode('node2')] });
    case 'node removed':
      await world.store.update((tx) => tx.node.delete('node1'));
      return world.settle();
    case 'availability drain':
      return available(DRAIN);
    case 'drain, then active':
      await available(DRAIN);
      return available(ACTIVE);
    case 'availability pause':
      return available(PAUSE);
    case 'node DOWN':
      return inState(NodeStatus_State.DOWN);
    case 'node UNKNOWN':
    case 'node state UNKNOWN':
      return inState(NodeStatus_State.UNKNOWN);
    case 'node DISCONNECTED':
      return inState(NodeStatus_State.DISCONNECTED);
    case 'node READY after DOWN':
      await inState(NodeStatus_State.DOWN);
      return inState(NodeStatus_State.READY);
    case 'second service':
      return world.create({ services: [aService({ id: 's2', global: true })] });
    case 'service deleted':
    case 'service removed':
      await world.store.update((tx) => tx.service.delete('s1'));
      return world.settle();
    case 'task object deleted':
      await world.store.update((tx) => tx.task.delete('task-node1'));
      return world.settle();
    default: {
      const state = /^task (\w+)$/.exec(event)?.[1];
      if (state === undefined || !(state in TaskState))
        throw new Error(`the handler does not know the event "${event}"`);
      return world.report('task-node1', TaskState[state as keyof typeof TaskState]);
    }
  }
}

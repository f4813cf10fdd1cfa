/**
 * How fast tasks get their nodes, in the shapes of SwarmKit's own scheduler benchmark.
 * `npm run bench:scheduler -- [--only NAME]`: for each shape the time of the whole loop (real store, every change encoded,
 * each entry committing at once) and of the decisions alone.
 */
import { parseArgs } from 'node:util';
import { systemClock } from '../src/common/clock.ts';
import { silentLogger } from '../src/common/log.ts';
import { seededRandom } from '../src/common/random.ts';
import { LABEL_STRATEGY, type Strategy } from '../src/common/service-labels.ts';
import { ClusterView } from '../src/manager/scheduler/cluster-view.ts';
import { PendingTasks } from '../src/manager/scheduler/pending-tasks.ts';
import { decideRound } from '../src/manager/scheduler/round.ts';
import { Scheduler } from '../src/manager/scheduler/scheduler.ts';
import { Store } from '../src/manager/store/store.ts';
import { NetworkAttachment, Node, Service, Task } from '../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { ContainerSpec, TaskSpec } from '../src/proto/generated/docker/swarmkit/v1/specs.ts';
import {
  NodeDescription,
  NodeStatus_State,
  Placement,
  TaskState,
  type PluginDescription,
} from '../src/proto/generated/docker/swarmkit/v1/types.ts';
import { shareSpecs } from '../src/proto/shared-messages.ts';
import { report, type Figure, type Findings } from './support/report.ts';

interface Shape {
  readonly name: string;
  readonly nodes: number;
  readonly tasks: number;
  /** Over which the tasks are shared out evenly. */
  readonly services: number;
  /** Only every third node has the network plugin and the label the tasks ask for. */
  readonly isConstrained?: boolean;
  /** Tasks spread over the values of a label first; there are a hundred of them. */
  readonly isSpreadOverRacks?: boolean;
  readonly strategy?: Strategy;
  /** What the whole loop may take, in ms. */
  readonly limitMs: number;
}

const SHAPES: readonly Shape[] = [
  { name: '1k nodes, 1k tasks', nodes: 1000, tasks: 1000, services: 1, limitMs: 300 },
  { name: '1k nodes, 10k tasks', nodes: 1000, tasks: 10_000, services: 1, limitMs: 500 },
  { name: '1k nodes, 10k tasks, 1k services', nodes: 1000, tasks: 10_000, services: 1000, limitMs: 1000 },
  { name: '1k nodes, 10k tasks, binpack', nodes: 1000, tasks: 10_000, services: 1, strategy: 'binpack', limitMs: 500 },
  { name: '1k nodes, 100k tasks', nodes: 1000, tasks: 100_000, services: 1, limitMs: 2000 },
  {
    name: '1k nodes, 100k tasks, constrained',
    nodes: 1000,
    tasks: 100_000,
    services: 1,
    isConstrained: true,
    limitMs: 4600,
  },
  {
    name: '5k nodes, 100k tasks, constrained',
    nodes: 5000,
    tasks: 100_000,
    services: 1,
    isConstrained: true,
    limitMs: 4600,
  },
  { name: '5k nodes, 10k tasks, 10k services', nodes: 5000, tasks: 10_000, services: 10_000, limitMs: 2000 },
  { name: '100k nodes, 1k tasks', nodes: 100_000, tasks: 1000, services: 1, limitMs: 1100 },
  { name: '100k nodes, 1k tasks, 1k services', nodes: 100_000, tasks: 1000, services: 1000, limitMs: 1100 },
  {
    name: '100k nodes, 1k tasks, 1k services, random',
    nodes: 100_000,
    tasks: 1000,
    services: 1000,
    strategy: 'random',
    limitMs: 1100,
  },
  {
    name: '100k nodes, 1k tasks, 1k services, spread over racks',
    nodes: 100_000,
    tasks: 1000,
    services: 1000,
    isSpreadOverRacks: true,
    limitMs: 1100,
  },
  { name: '100k nodes, 100k tasks', nodes: 100_000, tasks: 100_000, services: 1, limitMs: 30_000 },
];

interface Result {
  readonly name: string;
  readonly loopMs: number;
  readonly decisionsMs: number;
  /** Growth while the loop ran. */
  readonly heapMb: number;
  readonly limitMs: number;
}

/** A store whose entries commit at once. */
function instantStore(): Store {
  let index = 0;
  let requests = 0;
  const store = new Store({
    clock: systemClock,
    newRequestId: () => String(++requests),
    proposer: {
      propose: (data) => {
        const own = ++index;
        queueMicrotask(() => store.applyEntry(own, data));
        return own;
      },
    },
  });
  return store;
}

async function filledStore(shape: Shape): Promise<Store> {
  const store = instantStore();
  const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);
  const id = (kind: string, i: number): string => `${kind}${String(i).padStart(7, '0')}`;
  await store.batch(range(shape.nodes), (tx, i) => tx.node.create(nodeOf(shape, id('node', i), i)));
  const labels: Record<string, string> = shape.strategy ? { [LABEL_STRATEGY]: shape.strategy } : {};
  await store.batch(range(shape.services), (tx, i) =>
    tx.service.create(
      Service.fromPartial({
        id: id('service', i),
        specVersion: { index: 1 },
        spec: {
          annotations: { name: id('service', i), labels },
        },
      }),
    ),
  );
  // As in a manager, the tasks of a service share its spec.
  const specs = range(shape.services).map((i) => taskSpecOf(shape, id('service', i)));
  await store.batch(range(shape.tasks), (tx, i) => {
    const of = i % shape.services;
    tx.task.create(taskOf(shape, id('task', i), id('service', of), specs[of] as TaskSpec, i));
  });
  return store;
}

function nodeOf(shape: Shape, id: string, i: number): Node {
  const labels: Record<string, string> = {
    ...(shape.isConstrained && { zone: `z${i % 3}` }),
    ...(shape.isSpreadOverRacks && { rack: `r${i % 100}` }),
  };
  const node = Node.fromPartial({
    id,
    status: { state: NodeStatus_State.READY, addr: '10.0.0.1' },
    spec: { annotations: { name: id, labels } },
  });
  const plugins: readonly PluginDescription[] = [
    { type: 'Volume', name: 'local' },
    { type: 'Network', name: i % 3 === 0 ? 'overlay' : 'bridge' },
    { type: 'Log', name: 'json-file' },
  ];
  return {
    ...node,
    description: {
      ...NodeDescription.fromPartial({
        hostname: id,
        platform: { os: 'linux', architecture: 'x86_64' },
        resources: { nanoCpus: 64e9, memoryBytes: 256e9 },
      }),
      engine: { engineVersion: '20.10.24', labels: {}, plugins },
    },
  };
}

function taskSpecOf(shape: Shape, hostname: string): TaskSpec {
  const spec: TaskSpec = {
    ...TaskSpec.fromPartial({ resources: { reservations: { nanoCpus: 1e7, memoryBytes: 1e6 } } }),
    runtime: { $case: 'container', value: ContainerSpec.fromPartial({ image: 'nginx:alpine', hostname }) },
  };
  if (shape.isSpreadOverRacks) {
    const preferences = [{ Preference: { $case: 'spread', value: { spreadDescriptor: 'node.labels.rack' } } }] as const;
    return { ...spec, placement: { ...Placement.fromPartial({}), preferences: [...preferences] } };
  }
  if (!shape.isConstrained) return spec;
  return { ...spec, placement: { ...Placement.fromPartial({}), constraints: ['node.labels.zone==z0'] } };
}

function taskOf(shape: Shape, id: string, serviceId: string, spec: TaskSpec, i: number): Task {
  const task = Task.fromPartial({
    id,
    serviceId,
    slot: i + 1,
    specVersion: { index: 1 },
    desiredState: TaskState.RUNNING,
    annotations: { name: id },
    serviceAnnotations: { name: serviceId },
    status: { state: TaskState.PENDING, message: 'pending task scheduling' },
  });
  if (!shape.isConstrained) return { ...task, spec };
  const networks = [NetworkAttachment.fromPartial({ network: { id: 'net', driverState: { name: 'overlay' } } })];
  return { ...task, spec, networks };
}

/** From the start of the loop until the last task has its node. */
async function timeLoop(store: Store, tasks: number): Promise<number> {
  const abort = new AbortController();
  const watch = store.watch({ kinds: ['task'], signal: abort.signal });
  const scheduler = new Scheduler({ store, clock: systemClock, random: seededRandom(1), log: silentLogger });
  const start = performance.now();
  const ended = scheduler.run(abort.signal);
  let assigned = 0;
  for await (const commits of watch) {
    for (const { changes } of commits) assigned += changes.length;
    if (assigned >= tasks) break;
  }
  const loopMs = performance.now() - start;
  abort.abort();
  await ended;
  const unplaced = store.read.task.all().filter((task) => task.nodeId === '').length;
  if (unplaced > 0) throw new Error(`${unplaced} of ${tasks} tasks have no node`);
  return loopMs;
}

function timeDecisions(store: Store): number {
  const start = performance.now();
  const view = ClusterView.of(store.read, 0);
  const pending = new PendingTasks();
  for (const task of store.read.task.all()) pending.set(task);
  const random = seededRandom(1);
  while (pending.hasReady) decideRound({ view, pending, reader: store.read, nowMs: 0, random, limit: 2000 });
  return performance.now() - start;
}

const heapMb = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20;
};

async function measure(shape: Shape): Promise<Result> {
  const store = await filledStore(shape);
  const decisionsMs = timeDecisions(store);
  const before = heapMb();
  const loopMs = await timeLoop(store, shape.tasks);
  const after = heapMb();
  return {
    name: shape.name,
    loopMs,
    decisionsMs,
    heapMb: after - before,
    limitMs: shape.limitMs,
  };
}

shareSpecs();
const { values } = parseArgs({ options: { only: { type: 'string' } } });

async function measureAll(): Promise<Findings> {
  const results: Result[] = [];
  for (const shape of SHAPES.filter(({ name }) => values.only === undefined || name === values.only)) {
    results.push(await measure(shape));
  }
  return {
    figures: results.flatMap(({ name, loopMs, decisionsMs, heapMb: growth, limitMs }): readonly Figure[] => [
      { what: name, value: loopMs / 1000, unit: 's', limit: limitMs / 1000 },
      { what: `${name}: decisions alone`, value: decisionsMs / 1000, unit: 's' },
      { what: `${name}: memory gained`, value: growth, unit: 'MB' },
    ]),
    notes: [
      'The whole loop with the real store: every change is encoded, each log entry commits at once. One run of each shape, one after the other in one process.',
    ],
  };
}

await report('scheduler', 'Scheduler alone: tasks waiting until the last has its node', measureAll);

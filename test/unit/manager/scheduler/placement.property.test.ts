import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../src/common/random.ts';
import { genericListOf } from '../../../../src/manager/placement/generic-resource.ts';
import { ClusterView } from '../../../../src/manager/scheduler/cluster-view.ts';
import { PendingTasks } from '../../../../src/manager/scheduler/pending-tasks.ts';
import { decideRound } from '../../../../src/manager/scheduler/round.ts';
import type { Node, Task } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { localStore } from '../../../support/local-store.ts';
import { aNode, aService, aTask, type NodeOptions, type ServiceOptions } from './builders.ts';
import { couldTake, isActive, overuse } from './oracle.ts';

const KINDS = ['apple', 'gpu'];

const nodeOptions: fc.Arbitrary<NodeOptions> = fc.record({
  isReady: fc.integer({ min: 0, max: 5 }).map((n) => n > 0),
  isDrained: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
  nanoCpus: fc.integer({ min: 0, max: 8 }).map((n) => n * 1e9),
  memoryBytes: fc.integer({ min: 0, max: 10 }),
  generic: fc.record({
    apple: fc.integer({ min: 0, max: 4 }),
    gpu: fc.subarray(['g1', 'g2', 'g3']),
  }),
  labels: fc.record({ zone: fc.constantFrom('z1', 'z2', 'z3'), rack: fc.constantFrom('r1', 'r2') }),
});

const serviceOptions: fc.Arbitrary<ServiceOptions> = fc.record(
  {
    nanoCpus: fc.integer({ min: 0, max: 3 }).map((n) => n * 1e9),
    memoryBytes: fc.integer({ min: 0, max: 3 }),
    generic: fc.oneof(
      fc.constant({}),
      fc.constant({ apple: 1 }),
      fc.constant({ gpu: 2 }),
      fc.constant({ gpu: 1, apple: 1 }),
    ),
    constraints: fc.constantFrom([], [], ['node.labels.zone==z1'], ['node.labels.zone==z2', 'node.labels.rack==r1']),
    maxReplicas: fc.constantFrom(0, 0, 1, 2),
    hostPorts: fc.constantFrom<number[]>([], [], [80], [80, 443]),
  },
  { requiredKeys: [] },
);

interface Scene {
  readonly nodes: readonly Node[];
  readonly services: readonly { readonly options: ServiceOptions; readonly count: number }[];
}

const scene = (services: fc.Arbitrary<ServiceOptions>): fc.Arbitrary<Scene> =>
  fc.record({
    nodes: fc.array(nodeOptions, { maxLength: 9 }).map((list) => list.map((options, i) => aNode(`n${i}`, options))),
    services: fc.array(fc.record({ options: services, count: fc.integer({ min: 1, max: 6 }) }), { maxLength: 6 }),
  });

interface Step {
  readonly task: Task;
  readonly node: Node;
  /** All tasks before this step. */
  readonly before: readonly Task[];
}

/** Lets the scheduler decide everything and returns its steps one by one, and the tasks as they are in the end. */
async function decideAll({ nodes, services }: Scene, limit = 3): Promise<{ steps: Step[]; tasks: readonly Task[] }> {
  const { store } = localStore();
  await store.update((tx) => {
    for (const node of nodes) tx.node.create(node);
    for (const [i, { options }] of services.entries()) tx.service.create(aService(`s${i}`, options));
    for (const [i, { options, count }] of services.entries()) {
      for (let k = 0; k < count; k++) tx.task.create(aTask(`s${i}-${k}`, `s${i}`, { ...options, slot: k + 1 }));
    }
  });
  const view = ClusterView.of(store.read, 0);
  const pending = new PendingTasks();
  for (const task of store.read.task.all()) pending.set(task);
  const current = new Map(store.read.task.all().map((task) => [task.id, task]));
  const steps: Step[] = [];
  const random = seededRandom(3);
  while (pending.hasReady) {
    for (const decision of decideRound({ view, pending, reader: store.read, nowMs: 0, random, limit })) {
      if (decision.kind !== 'assign') continue;
      steps.push({ task: decision.task, node: decision.node, before: [...current.values()] });
      current.set(decision.task.id, {
        ...decision.task,
        nodeId: decision.node.id,
        assignedGenericResources: genericListOf(decision.hold.generic),
        status: decision.task.status && { ...decision.task.status, state: TaskState.ASSIGNED },
      });
    }
  }
  return { steps, tasks: [...current.values()] };
}

const count = (tasks: readonly Task[], nodeId: string, serviceId?: string): number =>
  tasks.filter((t) => t.nodeId === nodeId && isActive(t) && (serviceId === undefined || t.serviceId === serviceId))
    .length;

const fullness = (tasks: readonly Task[], node: Node): number => {
  const share = (total: number, used: number): number => (total > 0 ? used / total : 0);
  const own = tasks.filter((task) => task.nodeId === node.id && isActive(task));
  const sumOf = (pick: (task: Task) => number): number => own.reduce((total, task) => total + pick(task), 0);
  return Math.max(
    share(
      node.description?.resources?.nanoCpus ?? 0,
      sumOf((t) => t.spec?.resources?.reservations?.nanoCpus ?? 0),
    ),
    share(
      node.description?.resources?.memoryBytes ?? 0,
      sumOf((t) => t.spec?.resources?.reservations?.memoryBytes ?? 0),
    ),
  );
};

/** The best node by several keys, lowest first, then by id. */
const best = (nodes: readonly Node[], keys: (node: Node) => readonly number[]): Node | undefined =>
  [...nodes].sort((a, b) => {
    const [x, y] = [keys(a), keys(b)];
    const i = x.findIndex((value, k) => value !== y[k]);
    return i < 0 ? (a.id < b.id ? -1 : 1) : (x[i] as number) - (y[i] as number);
  })[0];

describe('placement', () => {
  it('never violates a filter, never gives anything twice, and leaves no task waiting that fits somewhere', async () => {
    await fc.assert(
      fc.asyncProperty(scene(serviceOptions), fc.integer({ min: 1, max: 20 }), async (given, limit) => {
        const { steps, tasks } = await decideAll(given, limit);
        for (const { task, node, before } of steps) expect(couldTake(node, task, before, KINDS)).toBe(true);
        for (const node of given.nodes) expect(overuse(node, tasks, KINDS)).toBeUndefined();
        for (const waiting of tasks.filter((task) => task.nodeId === '')) {
          expect(given.nodes.filter((node) => couldTake(node, waiting, tasks, KINDS))).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('spreads exactly as Docker ranks: fewest tasks of the service, then fewest tasks', async () => {
    await fc.assert(
      fc.asyncProperty(scene(serviceOptions), async (given) => {
        const { steps } = await decideAll(given);
        for (const { task, node, before } of steps) {
          const fitting = given.nodes.filter((candidate) => couldTake(candidate, task, before, KINDS));
          const expected = best(fitting, ({ id }) => [count(before, id, task.serviceId), count(before, id)]);
          expect(node.id).toBe(expected?.id);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('packs: always the fullest node that fits', async () => {
    const packed = serviceOptions.map((options) => ({ ...options, labels: { 'swarmd.strategy': 'binpack' } }));
    await fc.assert(
      fc.asyncProperty(scene(packed), async (given) => {
        const { steps } = await decideAll(given);
        for (const { task, node, before } of steps) {
          const fitting = given.nodes.filter((candidate) => couldTake(candidate, task, before, KINDS));
          const expected = best(fitting, (candidate) => [
            -Math.round(fullness(before, candidate) * 1e6),
            -count(before, candidate.id),
          ]);
          expect(node.id).toBe(expected?.id);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('fills branches evenly at every level, also when one is full', async () => {
    const preferring = serviceOptions.map((options) => ({
      ...options,
      preferences: ['node.labels.zone', 'node.labels.rack'],
    }));
    const label = (node: Node, key: string): string => node.spec?.annotations?.labels[key] ?? '';
    await fc.assert(
      fc.asyncProperty(scene(preferring), async (given) => {
        const { steps } = await decideAll(given);
        for (const { task, node, before } of steps) {
          let level = given.nodes;
          for (const key of ['zone', 'rack']) {
            const tasksIn = (value: string): number =>
              level
                .filter((member) => label(member, key) === value)
                .reduce((sum, member) => sum + count(before, member.id, task.serviceId), 0);
            const withRoom = level.filter((member) => couldTake(member, task, before, KINDS));
            const open = [...new Set(withRoom.map((member) => label(member, key)))].sort();
            const lowest = [...open].sort((a, b) => tasksIn(a) - tasksIn(b) || (a < b ? -1 : 1))[0];
            expect(label(node, key)).toBe(lowest);
            level = level.filter((member) => label(member, key) === lowest);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is a function of the state: the same scene gives the same places', async () => {
    const random = serviceOptions.map((options) => ({ ...options, labels: { 'swarmd.strategy': 'random' } }));
    await fc.assert(
      fc.asyncProperty(scene(fc.oneof(serviceOptions, random)), async (given) => {
        const places = async () => (await decideAll(given)).steps.map(({ task, node }) => [task.id, node.id]);
        expect(await places()).toEqual(await places());
      }),
      { numRuns: 50 },
    );
  });

  it('chooses at random with equal chances', async () => {
    const nodes = Array.from({ length: 10 }, (_, i) => aNode(`n${i}`));
    const options = { labels: { 'swarmd.strategy': 'random' } };
    const { tasks } = await decideAll({ nodes, services: [{ options, count: 5000 }] }, 1000);
    const chiSquare = nodes.reduce((sum, { id }) => sum + (count(tasks, id) - 500) ** 2 / 500, 0);
    // 99.9th percentile for 9 degrees of freedom.
    expect(chiSquare).toBeLessThan(27.88);
  });
});

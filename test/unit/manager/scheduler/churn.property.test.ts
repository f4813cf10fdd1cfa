import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/log.ts';
import { seededRandom } from '../../../../src/common/random.ts';
import { branchings, type CountedBranch } from '../../../../src/manager/scheduler/preferences.ts';
import { ClusterView } from '../../../../src/manager/scheduler/cluster-view.ts';
import { Scheduler } from '../../../../src/manager/scheduler/scheduler.ts';
import { taskGroupOf } from '../../../../src/manager/scheduler/task-group.ts';
import type { Writer } from '../../../../src/manager/store/transaction.ts';
import { genericListOf } from '../../../../src/manager/placement/generic-resource.ts';
import { TaskState } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { localStore } from '../../../support/local-store.ts';
import { aNode, aService, aTask, type NodeOptions, type ServiceOptions } from './builders.ts';
import { couldTake, overuse } from './oracle.ts';

const KINDS = ['apple', 'gpu'];

const SERVICES: Readonly<Record<string, ServiceOptions>> = {
  memory: { memoryBytes: 3 },
  packed: { memoryBytes: 4, labels: { 'swarmd.strategy': 'binpack' } },
  port: { hostPorts: [80] },
  single: { maxReplicas: 1, memoryBytes: 1 },
  gpu: { generic: { gpu: 1 } },
  apple: { generic: { apple: 2 }, constraints: ['node.labels.zone==z1'] },
};
const NAMES = Object.keys(SERVICES);

type Operation =
  | { readonly kind: 'create'; readonly service: number; readonly node: number }
  | { readonly kind: 'end' | 'fail' | 'stop' | 'delete' | 'run'; readonly task: number }
  | { readonly kind: 'node'; readonly node: number; readonly options: NodeOptions }
  | { readonly kind: 'remove-node'; readonly node: number }
  | { readonly kind: 'wait'; readonly ms: number }
  /** From now on entries commit late, or at once. */
  | { readonly kind: 'commits'; readonly areLate: boolean };

const nodeOptions: fc.Arbitrary<NodeOptions> = fc.record({
  isReady: fc.integer({ min: 0, max: 3 }).map((n) => n > 0),
  isDrained: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
  memoryBytes: fc.constant(8),
  generic: fc.constant({ apple: 3, gpu: ['g1', 'g2'] }),
  labels: fc.record({ zone: fc.constantFrom('z1', 'z2') }),
});

const operation = (given: fc.Arbitrary<NodeOptions>): fc.Arbitrary<Operation> =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('create' as const),
        service: fc.nat(NAMES.length - 1),
        // Now and then a task whose node is given.
        node: fc.integer({ min: -12, max: 3 }),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constantFrom('end' as const, 'fail' as const, 'stop' as const, 'delete' as const, 'run' as const),
        task: fc.nat(),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('node' as const), node: fc.nat(3), options: given }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove-node' as const), node: fc.nat(3) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(3) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('commits' as const), areLate: fc.boolean() }) },
  );

/** What frees room. */
const ending = fc.record({
  kind: fc.constantFrom('end' as const, 'fail' as const, 'stop' as const),
  task: fc.nat(),
});

let created = 0;

function apply(tx: Writer, op: Exclude<Operation, { kind: 'wait' | 'commits' }>): void {
  if (op.kind === 'create') {
    const name = NAMES[op.service] as string;
    const id = `t${String(++created).padStart(6, '0')}`;
    const isGiven = op.node >= 0;
    tx.task.create(
      aTask(id, name, { ...SERVICES[name], slot: isGiven ? 0 : created, nodeId: isGiven ? `n${op.node}` : '' }),
    );
    return;
  }
  if (op.kind === 'node') {
    const id = `n${op.node}`;
    const known = tx.node.get(id);
    if (known) tx.node.update({ ...aNode(id, op.options), meta: known.meta });
    else tx.node.create(aNode(id, op.options));
    return;
  }
  if (op.kind === 'remove-node') {
    if (tx.node.get(`n${op.node}`)) tx.node.delete(`n${op.node}`);
    return;
  }
  const tasks = [...tx.task.all()].sort((a, b) => (a.id < b.id ? -1 : 1));
  const task = tasks[op.task % Math.max(1, tasks.length)];
  if (!task?.status) return;
  const isOnNode = task.status.state >= TaskState.ASSIGNED && task.status.state <= TaskState.RUNNING;
  if (op.kind === 'delete') tx.task.delete(task.id);
  else if (op.kind === 'stop') tx.task.update({ ...task, desiredState: TaskState.SHUTDOWN });
  else if (isOnNode) {
    const state = { end: TaskState.COMPLETE, fail: TaskState.FAILED, run: TaskState.RUNNING }[op.kind];
    tx.task.update({ ...task, status: { ...task.status, state } });
  }
}

const start = (nodes: readonly NodeOptions[]) => (tx: Writer) => {
  for (const [i, options] of nodes.entries()) tx.node.create(aNode(`n${i}`, options));
  for (const name of NAMES) tx.service.create(aService(name, SERVICES[name]));
};

describe('scheduler under churn', () => {
  it('gives nothing twice and leaves no task waiting that fits, whatever happens meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(nodeOptions, { minLength: 1, maxLength: 3 }),
        fc.array(operation(nodeOptions), { maxLength: 60 }),
        fc.array(ending, { maxLength: 6 }),
        async (nodes, operations, endings) => {
          const clock = new FakeClock();
          const local = localStore(clock);
          const { store } = local;
          await store.update(start(nodes));
          const abort = new AbortController();
          const scheduler = new Scheduler({ store, clock, random: seededRandom(1), log: silentLogger });
          const ended = scheduler.run(abort.signal);
          const commitsOn = (areLate: boolean): void => {
            local.autoCommit = !areLate;
            if (!areLate) local.commit();
          };
          for (const op of operations) {
            if (op.kind === 'wait') await clock.advance(op.ms);
            else if (op.kind === 'commits') commitsOn(op.areLate);
            else void store.update((tx) => apply(tx, op));
          }
          commitsOn(false);
          await clock.advance(20);
          for (const op of endings) await store.update((tx) => apply(tx, op));
          await clock.advance(20);
          abort.abort();
          await ended;
          const tasks = store.read.task.all();
          for (const node of store.read.node.all()) expect(overuse(node, tasks, KINDS)).toBeUndefined();
          const waiting = tasks.filter(
            (task) => task.status?.state === TaskState.PENDING && task.desiredState <= TaskState.COMPLETE,
          );
          for (const task of waiting) {
            const nodesFor = store.read.node
              .all()
              .filter((node) => task.nodeId === '' || task.nodeId === node.id)
              .filter((node) => couldTake(node, task, tasks, KINDS));
            expect(nodesFor).toEqual([]);
            if (task.nodeId === '') expect(task.status?.err).toMatch(/^no suitable node/);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('keeps its accounts as if they were made up afresh', async () => {
    const changing: fc.Arbitrary<NodeOptions> = fc.record({
      memoryBytes: fc.integer({ min: 0, max: 10 }),
      generic: fc.constantFrom<NonNullable<NodeOptions['generic']>>({}, { gpu: ['g2', 'g3'] }, { gpu: 2, apple: 1 }),
      labels: fc.constantFrom<NonNullable<NodeOptions['labels']>>({}, { zone: 'z1' }, { zone: 'z2', rack: 'r1' }),
    });
    const levels = branchings(
      ['node.labels.zone', 'node.labels.rack'].map((spreadDescriptor) => ({
        Preference: { $case: 'spread', value: { spreadDescriptor } },
      })),
    );
    const branchesOf = (view: ClusterView, service: string) => {
      const shown = ({ value, tasks, branches, pool }: CountedBranch): unknown => [
        value,
        tasks,
        branches.map(shown),
        pool.byId().map((node) => node.id),
      ];
      return shown(view.treeBy(levels).countedFor(service, view.historyOf({ ...taskGroupOf(aTask('x', service)) }, 0)));
    };
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation(changing), { maxLength: 80 }),
        fc.infiniteStream(fc.nat(3)),
        async (operations, choices) => {
          const { store } = localStore();
          await store.update(start([{ generic: { gpu: ['g1', 'g2'], apple: 4 } }, {}]));
          const [view, watch] = store.readAndWatch((reader) => ClusterView.of(reader, 0));
          view.treeBy(levels);
          const order = view.all.orderBy((node) => node.activeTasks);
          for (const op of operations) {
            if (op.kind === 'wait' || op.kind === 'commits') continue;
            await store.update((tx) => {
              apply(tx, op);
              // Plays the scheduler's part: some new task goes to some node, with whatever that node has.
              for (const task of tx.task.all()) {
                if (task.status?.state !== TaskState.PENDING) continue;
                const nodeId = task.nodeId || `n${choices.next().value}`;
                const assignedGenericResources = genericListOf(new Map([['gpu', ['g2']]]));
                tx.task.update({
                  ...task,
                  nodeId,
                  assignedGenericResources,
                  status: { ...task.status, state: TaskState.ASSIGNED },
                });
              }
            });
            for (const { changes } of watch.take()) {
              for (const change of changes) {
                if (change.kind === 'node') {
                  if (change.action === 'delete') view.removeNode(change.object.id);
                  else view.setNode(change.object);
                } else if (change.kind === 'task') {
                  if (change.action === 'delete') view.removeTask(change.object.id);
                  else view.setTask(change.object, 0);
                }
              }
            }
            const fresh = ClusterView.of(store.read, 0);
            expect(view.account()).toEqual(fresh.account());
            const { sorted, ranks, changed } = order.settle();
            const settled = sorted
              .map((node, i) => [node.id, ranks[i], node] as const)
              .filter(([, , n]) => !changed.has(n));
            expect(settled.map(([id, rank]) => [id, rank])).toEqual(
              settled.map(([id]) => [id, view.nodes.get(id)?.activeTasks]),
            );
            const inOrder = [...settled].sort(([a, x], [b, y]) => (x ?? 0) - (y ?? 0) || (a < b ? -1 : 1));
            expect(settled.map(([id]) => id)).toEqual(inOrder.map(([id]) => id));
            const present = [
              ...settled.map(([id]) => id),
              ...[...changed].filter((n) => order.has(n)).map((n) => n.id),
            ];
            expect(present.sort()).toEqual([...view.nodes.keys()].sort());
            for (const name of NAMES) {
              const group = taskGroupOf(aTask('x', name));
              const ids = (from: ClusterView) => [...from.historyOf({ ...group, key: '' }, 0)].map((n) => n.id).sort();
              expect(ids(view)).toEqual(ids(fresh));
              expect(branchesOf(view, name)).toEqual(branchesOf(fresh, name));
            }
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});

/** scheduler.json: plays placement scenarios against the real scheduler loop on a real store. */
import { ClusterView } from '../../../src/manager/scheduler/cluster-view.ts';
import { branchings, type CountedBranch } from '../../../src/manager/scheduler/preferences.ts';
import { TaskState } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { allOf, expectSame, failed, passed, refuseUnknownMembers, type CaseHandler, type CaseResult } from './case.ts';
import { Scene, statusOf, type Setup } from './scheduler-scene.ts';
import { named, nodeOf } from './scheduler-setup.ts';

export const scheduler: CaseHandler = async (testCase) => {
  const scene = new Scene(testCase['setup'] as Setup);
  const expected = testCase['expect'] as Readonly<Record<string, unknown>>;
  await scene.play();
  const results: CaseResult[] = [];
  for (const [member, value] of Object.entries(expected)) {
    const check = CHECKS[member];
    if (!check) throw new Error(`the handler does not know expect.${member}`);
    results.push(await check(scene, value as never));
  }
  scene.end();
  return allOf(...results);
};

type Check<T> = (scene: Scene, expected: T) => CaseResult | Promise<CaseResult>;

const sorted = (counts: Iterable<number>): readonly number[] => [...counts].sort((a, b) => a - b);

const nonZero = (counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));

const CHECKS: Readonly<Record<string, Check<never>>> = {
  perNode: (scene, expected: Readonly<Record<string, number>>) =>
    expectSame(nonZero(scene.perNode()), nonZero(expected), 'tasks per node'),
  perNodeNew: (scene, expected: Readonly<Record<string, number>>) =>
    expectSame(nonZero(scene.perNode(undefined, true)), nonZero(expected), 'new tasks per node'),
  perNodeSorted: (scene, expected: readonly number[]) => {
    const counts = sorted(Object.values(scene.perNode()));
    const isComplete = expected.length === counts.length;
    return expectSame(
      isComplete ? counts : counts.filter((count) => count > 0),
      sorted(expected),
      'sorted tasks per node',
    );
  },
  perService: (scene, expected: Readonly<Record<string, readonly number[]>>) =>
    allOf(
      ...Object.entries(expected).map(([service, counts]) =>
        expectSame(sorted(Object.values(nonZero(scene.perNode(service)))), sorted(counts), `tasks of ${service}`),
      ),
    ),
  groups: (scene, expected: readonly Group[]) => allOf(...expected.map((group) => checkGroup(scene, group))),
  assigned: (scene, expected: Readonly<Record<string, Assigned>>) =>
    allOf(...Object.entries(expected).map(([service, where]) => checkAssigned(scene, service, where))),
  assignedTask: (scene, expected: Readonly<Record<string, string>>) =>
    allOf(
      ...Object.entries(expected).map(([id, node]) =>
        expectSame(scene.store.read.task.get(id)?.nodeId, node, `node of ${id}`),
      ),
    ),
  order: (scene, expected: readonly string[]) => {
    const fits = expected.every((choices, i) => choices.split('|').includes(scene.order[i] ?? ''));
    return fits ? passed : failed(`order: expected ${expected.join(', ')}, actual ${scene.order.join(', ')}`);
  },
  pendingError: (scene, expected: string) => {
    const errors = [...new Set(scene.pending().map((task) => task.status?.err ?? ''))];
    return expectSame(errors, [expected], 'errors of pending tasks');
  },
  pendingCount: (scene, expected: number) => expectSame(scene.pending().length, expected, 'pending tasks'),
  /** The task of the deleted service must stay as it is, even when a node for it comes up. */
  unassignedQueue: async (scene, expected: number) => {
    const before = scene.pending().length;
    const [first] = scene.setup.nodes;
    await scene.store.update((tx) => {
      tx.node.create(nodeOf({ ...first, id: 'fits', platform: { os: 'linux', arch: 'amd64' } }));
    });
    await scene.settle();
    return expectSame(before - scene.pending().length, expected, 'tasks still tried after their service was deleted');
  },
  taskState: (scene, expected: string) => {
    const states = scene
      .tasks()
      .filter((task) => task.nodeId === '')
      .map((task) => task.status?.state);
    return expectSame(states, [named(TaskState, expected)], 'state of the task');
  },
  afterRunningTaskState: async (scene, expected: string) => {
    await scene.store.update((tx) => {
      for (const task of tx.task.all()) {
        if (task.status?.state === TaskState.RUNNING) {
          tx.task.update({ ...task, status: statusOf(named(TaskState, expected)) });
        }
      }
    });
    await scene.settle();
    return passed;
  },
  assignedAfter: (scene, expected: Readonly<Record<string, string>>) =>
    allOf(...Object.entries(expected).map(([service, allOn]) => checkAssigned(scene, service, { allOn }))),
  tree: (scene, expected: unknown) => {
    const view = ClusterView.of(scene.store.read, scene.clock.now());
    const levels = branchings(
      (scene.setup.prefs ?? []).map((spreadDescriptor) => ({
        Preference: { $case: 'spread', value: { spreadDescriptor } },
      })),
    );
    const [service = ''] = Object.keys(Object.values(scene.setup.running ?? {})[0] ?? {});
    return expectSame(countsOf(view.treeBy(levels).countedFor(service, view.nodes.values())), expected, 'tree');
  },
};

const countsOf = (branch: CountedBranch): unknown =>
  branch.branches.length === 0
    ? branch.tasks
    : {
        total: branch.tasks,
        ...Object.fromEntries(branch.branches.map((child) => [child.value, countsOf(child)])),
      };

interface Group {
  readonly nodes: readonly string[];
  readonly in?: readonly number[];
  readonly maxDiff?: number;
}

function checkGroup(scene: Scene, group: Group): CaseResult {
  refuseUnknownMembers({ ...group }, ['nodes', 'in', 'maxDiff'], 'member of expect.groups');
  const perNode = scene.perNode();
  const counts = group.nodes.map((id) => perNode[id] ?? 0);
  const sum = counts.reduce((a, b) => a + b, 0);
  if (group.in && !group.in.includes(sum)) {
    return failed(`tasks on ${group.nodes.join(', ')}: expected one of ${group.in.join(', ')}, actual ${sum}`);
  }
  const difference = Math.max(...counts) - Math.min(...counts);
  if (group.maxDiff !== undefined && difference > group.maxDiff) {
    return failed(`spread on ${group.nodes.join(', ')}: expected at most ${group.maxDiff}, actual ${difference}`);
  }
  return passed;
}

interface Assigned {
  readonly allOn?: string;
  readonly oneOf?: readonly string[];
  readonly oneEachOn?: readonly string[];
  readonly atLeastOneOn?: readonly string[];
  readonly countOn?: Readonly<Record<string, number>>;
}

function checkAssigned(scene: Scene, serviceId: string, where: Assigned): CaseResult {
  refuseUnknownMembers({ ...where }, ['allOn', 'oneOf', 'oneEachOn', 'atLeastOneOn', 'countOn'], 'expect.assigned');
  const counts = nonZero(scene.perNode(serviceId, true));
  const used = Object.keys(counts);
  const waiting = scene.pending().filter((task) => task.serviceId === serviceId).length;
  const actual = `${serviceId}: actual ${JSON.stringify(counts)}, ${waiting} waiting`;
  const holds =
    waiting === 0 &&
    used.length > 0 &&
    (where.allOn === undefined || used.every((id) => id === where.allOn)) &&
    (where.oneOf === undefined || used.every((id) => where.oneOf?.includes(id))) &&
    (where.oneEachOn === undefined || where.oneEachOn.every((id) => counts[id] === 1)) &&
    (where.atLeastOneOn === undefined || where.atLeastOneOn.some((id) => (counts[id] ?? 0) > 0)) &&
    Object.entries(where.countOn ?? {}).every(([id, count]) => (counts[id] ?? 0) === count);
  return holds ? passed : failed(`${actual}, expected ${JSON.stringify(where)}`);
}

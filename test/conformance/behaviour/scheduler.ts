/** scheduler.json: plays placement scenarios against the real scheduler loop on a real store. */
import { FakeClock } from '../../../src/common/clock.ts';
import { silentLogger } from '../../../src/common/log.ts';
import { seededRandom } from '../../../src/common/random.ts';
import { parseDurationMs } from '../../../src/common/time.ts';
import { ClusterView } from '../../../src/manager/scheduler/cluster-view.ts';
import { branchings, preferenceTree, type Branch } from '../../../src/manager/scheduler/preferences.ts';
import { Scheduler } from '../../../src/manager/scheduler/scheduler.ts';
import type { Store } from '../../../src/manager/store/store.ts';
import { genericListOf } from '../../../src/manager/placement/generic-resource.ts';
import type { Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { localStore } from '../../support/local-store.ts';
import { allOf, expectSame, failed, passed, refuseUnknownMembers, type CaseHandler, type CaseResult } from './case.ts';
import {
  hostPortOf,
  named,
  nodeOf,
  serviceOf,
  taskOf,
  type Amounts,
  type CaseNode,
  type CaseService,
} from './scheduler-setup.ts';

/** node → service → number of tasks */
type Counts = Readonly<Record<string, Readonly<Record<string, number>>>>;

interface Failures {
  readonly repeat?: number;
  /** Service of the failing tasks. */
  readonly task: string;
  readonly specVersion?: number;
  readonly failsOn: string;
  readonly preassigned?: boolean;
  /** Minutes ago, or a duration. */
  readonly age?: number | string;
}

interface Then {
  readonly addNodes?: readonly CaseNode[];
  readonly updateNodes?: readonly CaseNode[];
  readonly removeNodes?: readonly string[];
  readonly deleteService?: string;
}

interface Setup {
  readonly nodes: readonly CaseNode[];
  readonly running?: Counts;
  readonly dead?: Counts;
  readonly runningHostPorts?: Readonly<Record<string, readonly string[]>>;
  readonly preassigned?: Readonly<Record<string, readonly string[]>>;
  readonly services?: readonly CaseService[];
  readonly events?: readonly Failures[];
  readonly prefs?: readonly string[];
  readonly then?: Then;
}

const SETUP_MEMBERS = [
  'nodes',
  'running',
  'dead',
  'runningHostPorts',
  'preassigned',
  'services',
  'events',
  'prefs',
  'then',
];

/** Long enough for every round that has something to do. */
const SETTLE_MS = 2000;

export const scheduler: CaseHandler = async (testCase) => {
  const setup = testCase['setup'] as Setup;
  refuseUnknownMembers({ ...setup }, SETUP_MEMBERS, 'member of setup');
  const scene = new Scene(setup);
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

/** One case in motion. */
class Scene {
  readonly setup: Setup;
  readonly clock = new FakeClock();
  readonly store: Store;
  readonly services: ReadonlyMap<string, CaseService>;
  /** Ids of tasks in the order in which they got a node from the scheduler. */
  readonly order: string[] = [];
  readonly #abort = new AbortController();
  readonly #watch;
  readonly #before = new Set<string>();
  #failure: unknown;

  constructor(setup: Setup) {
    this.setup = setup;
    this.store = localStore(this.clock).store;
    this.services = new Map((setup.services ?? []).map((service) => [service.id, service]));
    this.#watch = this.store.watch({ kinds: ['task'], signal: this.#abort.signal });
  }

  async play(): Promise<void> {
    await this.#build();
    this.#watch.take();
    const loop = new Scheduler({ store: this.store, clock: this.clock, random: seededRandom(1), log: silentLogger });
    void loop.run(this.#abort.signal).catch((error: unknown) => (this.#failure = error));
    for (const event of this.setup.events ?? []) await this.#fail(event);
    await this.#addPending();
    await this.settle();
    if (this.setup.then) await this.#change(this.setup.then);
    for (const { changes } of this.#watch.take()) {
      for (const change of changes) {
        if (change.kind !== 'task' || change.action !== 'update') continue;
        const isAssigned = change.object.status?.state === TaskState.ASSIGNED;
        if (isAssigned && change.old.status?.state === TaskState.PENDING) this.order.push(change.object.id);
      }
    }
  }

  async settle(): Promise<void> {
    await this.clock.advance(SETTLE_MS);
    if (this.#failure !== undefined) throw this.#failure;
  }

  end(): void {
    this.#abort.abort();
  }

  tasks(): readonly Task[] {
    return this.store.read.task.all();
  }

  pending(): readonly Task[] {
    return this.tasks().filter((task) => task.status?.state === TaskState.PENDING);
  }

  /** Tasks that use their node, per node. */
  perNode(serviceId?: string, onlyNew = false): Readonly<Record<string, number>> {
    const counts = Object.fromEntries(this.setup.nodes.map(({ id }) => [id, 0]));
    for (const task of this.tasks()) {
      const state = task.status?.state ?? 0;
      if (state < TaskState.ASSIGNED || state > TaskState.RUNNING) continue;
      const isMeant = serviceId === undefined ? this.services.has(task.serviceId) : task.serviceId === serviceId;
      if (!isMeant || (onlyNew && this.#before.has(task.id))) continue;
      counts[task.nodeId] = (counts[task.nodeId] ?? 0) + 1;
    }
    return counts;
  }

  async #build(): Promise<void> {
    const { nodes, running = {}, dead = {}, runningHostPorts = {} } = this.setup;
    const given = [...this.services.values()];
    const tasks = [...this.#placed(running, TaskState.RUNNING), ...this.#placed(dead, TaskState.SHUTDOWN)].map(
      (task) => {
        const ports = task.status?.state === TaskState.RUNNING ? runningHostPorts[task.nodeId] : undefined;
        return ports ? { ...task, endpoint: { spec: undefined, ports: ports.map(hostPortOf), virtualIps: [] } } : task;
      },
    );
    for (const task of tasks) this.#before.add(task.id);
    await this.store.update((tx) => {
      for (const node of nodes) tx.node.create(nodeOf(node));
      for (const service of given) tx.service.create(serviceOf(service));
      for (const task of tasks) tx.task.create(task);
    });
  }

  #placed(counts: Counts, state: TaskState): readonly Task[] {
    return Object.entries(counts).flatMap(([nodeId, perService]) =>
      Object.entries(perService).flatMap(([serviceId, count]) =>
        Array.from({ length: count }, () => this.#placedTask(serviceId, nodeId, state)),
      ),
    );
  }

  #placedTask(serviceId: string, nodeId: string, state: TaskState): Task {
    const service = this.services.get(serviceId) ?? { id: serviceId };
    return taskOf(
      { ...service, desired: state > TaskState.RUNNING ? 'SHUTDOWN' : 'RUNNING' },
      {
        nodeId,
        status: statusOf(state),
        assignedGenericResources: genericListOf(this.#handedOut(service, nodeId)),
      },
    );
  }

  /** Counted generic resources of a running task; sets are handed out name by name as the task was placed. */
  #handedOut({ reserve = {} }: CaseService, nodeId: string): ReadonlyMap<string, number> {
    const { cpu: _cpu, mem: _mem, ...generic } = reserve;
    const there: Amounts = this.setup.nodes.find(({ id }) => id === nodeId)?.res ?? {};
    return new Map(
      Object.entries(generic).flatMap(([kind, amount]) =>
        typeof there[kind] === 'number' ? [[kind, Number(amount)] as const] : [],
      ),
    );
  }

  async #addPending(): Promise<void> {
    const { preassigned = {} } = this.setup;
    await this.store.update((tx) => {
      for (const service of this.services.values()) {
        for (let i = 0; i < (service.pending ?? 0); i++) {
          const id = service.tasks?.[i];
          tx.task.create(taskOf(service, id === undefined ? {} : { id }));
        }
      }
      for (const [nodeId, ids] of Object.entries(preassigned)) {
        for (const id of ids) tx.task.create(taskOf({ id: 'preassigned' }, { id, nodeId, slot: 0 }));
      }
    });
  }

  /** Lets tasks fail on a node, one after the other. */
  async #fail(event: Failures): Promise<void> {
    refuseUnknownMembers({ ...event }, ['repeat', 'task', 'specVersion', 'failsOn', 'preassigned', 'age'], 'event');
    const service = {
      id: event.task,
      specVersion: event.specVersion ?? this.services.get(event.task)?.specVersion ?? 1,
    };
    for (let i = 0; i < (event.repeat ?? 1); i++) {
      const placement = event.preassigned
        ? { nodeId: event.failsOn, slot: 0 }
        : { nodeId: event.failsOn, status: statusOf(TaskState.RUNNING) };
      const { id } = taskOf(service);
      await this.store.update((tx) => tx.task.create(taskOf(service, { id, ...placement })));
      await this.settle();
      await this.store.update((tx) => {
        const task = tx.task.get(id) as Task;
        tx.task.update({ ...task, desiredState: TaskState.SHUTDOWN, status: statusOf(TaskState.FAILED) });
      });
      await this.settle();
    }
    if (event.age === undefined) return;
    await this.clock.advance(typeof event.age === 'number' ? event.age * 60_000 : parseDurationMs(event.age));
  }

  async #change(then: Then): Promise<void> {
    refuseUnknownMembers({ ...then }, ['addNodes', 'updateNodes', 'removeNodes', 'deleteService'], 'setup.then');
    await this.store.update((tx) => {
      for (const node of then.addNodes ?? []) tx.node.create(nodeOf(node));
      for (const node of then.updateNodes ?? []) {
        tx.node.update({ ...nodeOf(node), meta: tx.node.get(node.id)?.meta });
      }
      for (const id of then.removeNodes ?? []) tx.node.delete(id);
      if (then.deleteService !== undefined) tx.service.delete(then.deleteService);
    });
    await this.settle();
  }
}

const statusOf = (state: TaskState) => ({ state, message: '', err: '', appliedBy: '' });

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
    return expectSame(countsOf(preferenceTree(view.nodes.values(), service, levels)), expected, 'tree');
  },
};

const countsOf = (branch: Branch): unknown =>
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

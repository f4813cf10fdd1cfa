/** One scheduler case in motion: the real loop on a real store, with a clock that moves by hand. */
import { FakeClock } from '../../../src/common/clock.ts';
import { silentLogger } from '../../../src/common/log.ts';
import { seededRandom } from '../../../src/common/random.ts';
import { parseDurationMs } from '../../../src/common/time.ts';
import { claimGeneric, genericListOf, type GenericPool } from '../../../src/manager/placement/generic-resource.ts';
import { Scheduler } from '../../../src/manager/scheduler/scheduler.ts';
import type { Store } from '../../../src/manager/store/store.ts';
import type { Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { localStore } from '../../support/local-store.ts';
import { refuseUnknownMembers } from './case.ts';
import { hostPortOf, nodeOf, serviceOf, taskOf, type CaseNode, type CaseService } from './scheduler-setup.ts';

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

export interface Setup {
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

export class Scene {
  readonly setup: Setup;
  readonly clock = new FakeClock();
  readonly store: Store;
  readonly services: ReadonlyMap<string, CaseService>;
  /** Ids of tasks in the order in which they got a node from the scheduler. */
  readonly order: string[] = [];
  readonly #abort = new AbortController();
  readonly #watch;
  readonly #before = new Set<string>();
  readonly #genericLeft = new Map<string, GenericPool>();
  #failure: unknown;

  constructor(setup: Setup) {
    refuseUnknownMembers({ ...setup }, SETUP_MEMBERS, 'member of setup');
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
        assignedGenericResources: state > TaskState.RUNNING ? [] : genericListOf(this.#handedOut(service, nodeId)),
      },
    );
  }

  /** What a running task holds of the node's generic resources. */
  #handedOut({ reserve = {} }: CaseService, nodeId: string): GenericPool {
    const { cpu: _cpu, mem: _mem, ...wish } = reserve;
    const { cpu: _cpus, mem: _bytes, ...total } = this.setup.nodes.find(({ id }) => id === nodeId)?.res ?? {};
    const left = this.#genericLeft.get(nodeId) ?? new Map(Object.entries(total));
    const { available, assigned } = claimGeneric(left, new Map(Object.entries(wish)));
    this.#genericLeft.set(nodeId, available);
    return assigned;
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

export const statusOf = (state: TaskState) => ({ state, message: '', err: '', appliedBy: '' });

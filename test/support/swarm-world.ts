/**
 * A small world around the leader's loops: a store, a fake clock, leaders that come and go, and pretend workers that
 * place tasks on nodes and move them through their states as a script says.
 */
import { FakeClock, forwardClock } from '../../src/common/clock.ts';
import { countingIds } from '../../src/common/ids.ts';
import { silentLogger } from '../../src/common/log.ts';
import { seededRandom } from '../../src/common/random.ts';
import { timestampOfMs } from '../../src/common/time.ts';
import { ConstraintEnforcer } from '../../src/manager/orchestrator/constraint-enforcer.ts';
import type { LoopOptions } from '../../src/manager/orchestrator/leader-loop.ts';
import { Orchestrator } from '../../src/manager/orchestrator/orchestrator.ts';
import { TaskReaper } from '../../src/manager/orchestrator/task-reaper.ts';
import type { Change } from '../../src/manager/store/change.ts';
import type { Store } from '../../src/manager/store/store.ts';
import type { Reader } from '../../src/manager/store/transaction.ts';
import { Cluster, Task, type Node, type Service } from '../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import type { ServiceSpec } from '../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import {
  NodeStatus_State,
  TaskState,
  UpdateStatus_UpdateState as UpdateState,
} from '../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { localStore } from './local-store.ts';

/** What becomes of a task. */
export interface TaskScript {
  /** State it never gets beyond. */
  readonly stuckAt?: TaskState;
  /** Time to get ready, in ms. @default 0 */
  readonly prepareMs?: number;
  /** How it ends by itself. */
  readonly ends?: { readonly state: TaskState; readonly afterMs: number };
  /** State it ends in instead of running. */
  readonly endsBeforeRunning?: TaskState;
  /** Time to stop when asked, in ms; Infinity never stops. @default 0 */
  readonly stopMs?: number;
}

export type Script = (task: Task) => TaskScript;

export interface WorldOptions {
  readonly loops?: readonly ('orchestrator' | 'reaper' | 'enforcer')[];
  /** Without one no task moves by itself. */
  readonly script?: Script;
  readonly historyLimit?: number;
  readonly seed?: number;
}

export class SwarmWorld {
  readonly clock = new FakeClock();
  readonly store: Store;
  /** Every change since the world began. */
  readonly changes: Change[] = [];
  script: Script | undefined;
  /** Called for every commit, with its changes, in order. */
  onCommit: ((changes: readonly Change[]) => void) | undefined;
  readonly #options: WorldOptions;
  readonly #newId = countingIds('t');
  #leader: AbortController | undefined;
  #leaderRuns: Promise<unknown> = Promise.resolve();
  readonly #world = new AbortController();
  #terms = 0;

  constructor(options: WorldOptions = {}) {
    this.#options = options;
    this.script = options.script;
    this.store = localStore(this.clock).store;
    const watch = this.store.watch({ signal: this.#world.signal });
    const workers = new Workers(this);
    void (async () => {
      for await (const commits of watch) {
        for (const { changes } of commits) {
          this.onCommit?.(changes);
          for (const change of changes) {
            this.changes.push(change);
            if (change.kind === 'task' && change.action !== 'delete') workers.look(change.object.id);
            if (change.kind === 'node') for (const task of this.tasks()) workers.look(task.id);
          }
        }
      }
    })();
  }

  /** Creates the cluster object and the given ones. */
  async create(objects: {
    readonly nodes?: readonly Node[];
    readonly services?: readonly Service[];
    readonly tasks?: readonly Task[];
  }): Promise<void> {
    await this.store.batch(
      [...(objects.nodes ?? []), ...(objects.services ?? []), ...(objects.tasks ?? [])],
      (tx, object) => {
        if (!tx.cluster.byName('default')) tx.cluster.create(this.#cluster());
        if (objects.nodes?.includes(object as Node)) tx.node.create(object as Node);
        else if (objects.services?.includes(object as Service)) tx.service.create(object as Service);
        else tx.task.create(object as Task);
      },
    );
    await this.settle();
  }

  #cluster(): Cluster {
    return Cluster.fromPartial({
      id: 'cluster',
      spec: {
        annotations: { name: 'default' },
        orchestration: { taskHistoryRetentionLimit: this.#options.historyLimit ?? 5 },
      },
    });
  }

  /** Starts the loops of a new leader; an old one is stopped first. */
  async lead(): Promise<void> {
    await this.depose();
    this.#leader = new AbortController();
    const { signal } = this.#leader;
    const options: LoopOptions = {
      store: this.store,
      // Each leader is a manager of its own, with its own view of the time.
      clock: forwardClock(this.clock),
      random: seededRandom((this.#options.seed ?? 1) + this.#terms++),
      newId: this.#newId,
      log: silentLogger,
    };
    const loops = this.#options.loops ?? ['orchestrator', 'reaper', 'enforcer'];
    this.#leaderRuns = Promise.all([
      loops.includes('orchestrator') ? new Orchestrator(options).run(signal) : undefined,
      loops.includes('reaper') ? new TaskReaper(options).run(signal) : undefined,
      loops.includes('enforcer') ? new ConstraintEnforcer(options).run(signal) : undefined,
    ]);
    await this.settle();
  }

  async depose(): Promise<void> {
    this.#leader?.abort();
    await this.#leaderRuns;
  }

  /** Stops everything. */
  async end(): Promise<void> {
    await this.depose();
    this.#world.abort();
  }

  async settle(): Promise<void> {
    await this.clock.advance(0);
    await this.clock.advance(0);
  }

  advance(ms: number): Promise<void> {
    return this.clock.advance(ms);
  }

  tasks(): readonly Task[] {
    return this.store.read.task.all();
  }

  service(id = 's1'): Service {
    const service = this.store.read.service.get(id);
    if (!service) throw new Error(`no service ${id}`);
    return service;
  }

  /** Tasks that were created since change number `since`. */
  created(since = 0): readonly Task[] {
    return this.changes
      .slice(since)
      .filter((change) => change.action === 'create' && change.kind === 'task')
      .map((change) => change.object as Task);
  }

  /** What the control side does when a user changes a service. */
  async changeService(change: (spec: ServiceSpec) => ServiceSpec, id = 's1'): Promise<void> {
    await this.store.update((tx) => {
      const service = tx.service.get(id) as Service;
      tx.service.update({
        ...service,
        previousSpec: service.spec,
        previousSpecVersion: service.specVersion,
        spec: change(service.spec as ServiceSpec),
        specVersion: { index: service.meta?.version?.index ?? 0 },
        updateStatus: undefined,
        jobStatus: service.jobStatus && {
          ...service.jobStatus,
          jobIteration: { index: (service.jobStatus.jobIteration?.index ?? 0) + 1 },
        },
      });
    });
    await this.settle();
  }

  /** What the control side does when a user asks for a rollback. */
  async rollBack(): Promise<void> {
    await this.store.update((tx) => {
      const service = tx.service.get('s1') as Service;
      tx.service.update({
        ...service,
        spec: service.previousSpec,
        specVersion: service.previousSpecVersion,
        previousSpec: service.spec,
        previousSpecVersion: service.specVersion,
        updateStatus: {
          state: UpdateState.ROLLBACK_STARTED,
          message: 'manually requested rollback',
          startedAt: timestampOfMs(this.clock.now()),
          completedAt: undefined,
        },
      });
    });
    await this.settle();
  }

  async changeNode(id: string, change: (node: Node) => Node): Promise<void> {
    await this.store.update((tx) => tx.node.update(change(tx.node.get(id) as Node)));
    await this.settle();
  }

  /** Reports a state of a task, as the dispatcher would store it. */
  async report(taskId: string, state: TaskState): Promise<void> {
    await this.store.update((tx) => {
      const task = tx.task.get(taskId);
      if (task) tx.task.update(withState(task, state, this.clock.now()));
    });
    await this.settle();
  }
}

/** A task whose status says a state since `nowMs`. */
export const withState = (task: Task, state: TaskState, nowMs: number): Task => ({
  ...task,
  status: {
    ...(task.status ?? Task.fromPartial({ status: {} }).status!),
    state,
    timestamp: timestampOfMs(nowMs),
    appliedAt: timestampOfMs(nowMs),
  },
});

/** Stands for allocator, scheduler, dispatcher and agents. */
class Workers {
  readonly #world: SwarmWorld;
  readonly #planned = new Set<string>();

  constructor(world: SwarmWorld) {
    this.#world = world;
  }

  /** Plans the next state of a task. */
  look(taskId: string): void {
    const next = this.#next(taskId);
    if (!next) return;
    const key = `${taskId} ${next.state}`;
    if (this.#planned.has(key)) return;
    this.#planned.add(key);
    const step = (): void => {
      this.#planned.delete(key);
      void this.#take(taskId, next.state);
    };
    if (next.afterMs > 0) this.#world.clock.setTimer(next.afterMs, step);
    else queueMicrotask(step);
  }

  async #take(taskId: string, state: TaskState): Promise<void> {
    await this.#world.store.update((tx) => {
      const task = tx.task.get(taskId);
      if (!task || this.#next(taskId, task)?.state !== state) return;
      const nodeId = task.nodeId || (state === TaskState.READY ? this.#freeNode(tx) : '');
      tx.task.update(withState({ ...task, nodeId: nodeId ?? '' }, state, this.#world.clock.now()));
    });
  }

  #next(
    taskId: string,
    task: Task | undefined = this.#world.store.read.task.get(taskId),
  ): { readonly state: TaskState; readonly afterMs: number } | undefined {
    const script = task && this.#world.script?.(task);
    if (!task || !script) return undefined;
    const state = task.status?.state ?? TaskState.NEW;
    if (state > TaskState.RUNNING) return undefined;
    if (task.nodeId !== '' && !this.#isUp(task.nodeId)) return undefined;
    if (task.desiredState > TaskState.COMPLETE) {
      const { stopMs = 0 } = script;
      return state >= TaskState.ASSIGNED && stopMs < Infinity
        ? { state: TaskState.SHUTDOWN, afterMs: stopMs }
        : undefined;
    }
    const next = this.#forward(task, state, script);
    return next && next.state > (script.stuckAt ?? Infinity) ? undefined : next;
  }

  #forward(task: Task, state: TaskState, script: TaskScript): { state: TaskState; afterMs: number } | undefined {
    if (state < TaskState.READY) {
      if (task.nodeId === '' && this.#freeNode() === undefined) return undefined;
      return { state: TaskState.READY, afterMs: script.prepareMs ?? 0 };
    }
    if (state < TaskState.RUNNING) {
      if (task.desiredState < TaskState.RUNNING) return undefined;
      return { state: script.endsBeforeRunning ?? TaskState.RUNNING, afterMs: 0 };
    }
    return script.ends;
  }

  #isUp(nodeId: string): boolean {
    return this.#world.store.read.node.get(nodeId)?.status?.state === NodeStatus_State.READY;
  }

  /** The usable node with the fewest live tasks. */
  #freeNode(reader: Reader = this.#world.store.read): string | undefined {
    const { node, task } = reader;
    const load = (id: string): number =>
      task.by('node', id).filter((t) => (t.status?.state ?? 0) <= TaskState.RUNNING).length;
    return node
      .all()
      .filter((n) => this.#isUp(n.id) && (n.spec?.availability ?? 0) === 0)
      .sort((a, b) => load(a.id) - load(b.id) || (a.id < b.id ? -1 : 1))[0]?.id;
  }
}

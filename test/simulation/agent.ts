/**
 * A pretend agent over the real dispatcher: it registers with whichever manager takes it, beats, follows its assignments, and moves its
 * containers through their states. Containers outlive sessions, leaders and the agent itself.
 */
import { Metadata } from '@grpc/grpc-js';
import { sleep } from '../../src/common/clock.ts';
import type { Random } from '../../src/common/random.ts';
import type { CallContext } from '../../src/common/rpc.ts';
import { msOfDuration } from '../../src/common/time.ts';
import type { Task } from '../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState, TaskStatus } from '../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { nextStep } from './behaviour.ts';
import type { Violate } from './checks/check.ts';
import type { World } from './checks/world.ts';
import type { SimulatedManager } from './manager.ts';
import { describeNode } from './node-descriptions.ts';
import type { Timeline } from './timeline.ts';
import { Told } from './told.ts';

const RECONNECT_MS = 300;

interface Container {
  state: TaskState;
  wanted: TaskState;
  /** What it will become, once that is planned. */
  next: TaskState | undefined;
}

export interface AgentSurroundings {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly managers: readonly SimulatedManager[];
  readonly world: World;
  readonly violate: Violate;
}

export class SimulatedAgent {
  readonly nodeId: string;
  readonly containers = new Map<string, Container>();
  /** What it was told in its latest session. */
  told: Told | undefined;
  readonly #around: AgentSurroundings;
  /** States the managers have not confirmed yet. */
  readonly #unconfirmed = new Map<string, TaskState>();
  readonly #end = new AbortController();
  #session: { readonly manager: SimulatedManager; readonly id: string; readonly context: CallContext } | undefined;
  #hangUp = new AbortController();
  #isCutOff = false;
  #isReporting = false;

  constructor(nodeId: string, around: AgentSurroundings) {
    this.nodeId = nodeId;
    this.#around = around;
  }

  start(): void {
    void this.#run();
  }

  stop(): void {
    this.#end.abort();
    this.#hangUp.abort();
  }

  /** Nothing it says arrives, and nothing reaches it; no connection is closed. */
  cutOff(): void {
    this.#isCutOff = true;
  }

  /** Its connections are dead by now; it makes new ones. */
  mend(): void {
    if (!this.#isCutOff) return;
    this.#isCutOff = false;
    this.#hangUp.abort();
  }

  /** The agent's process is started anew; containers go on. */
  restart(): void {
    this.#hangUp.abort();
  }

  async #run(): Promise<void> {
    const { timeline, random, managers } = this.#around;
    while (!this.#end.signal.aborted) {
      const up = managers.filter(({ isUp }) => isUp);
      const manager = up[Math.floor(random() * up.length)];
      if (manager !== undefined && !this.#isCutOff) await this.#attend(manager).catch(() => undefined);
      await sleep(timeline, RECONNECT_MS * random(), this.#end.signal).catch(() => undefined);
    }
  }

  /** One session, from registration to its end. */
  async #attend(manager: SimulatedManager): Promise<void> {
    this.#hangUp = new AbortController();
    const signal = AbortSignal.any([this.#hangUp.signal, manager.signal]);
    const context: CallContext = {
      caller: { nodeId: this.nodeId, role: 'worker', clusterId: 'cluster', address: '192.0.2.7:4444' },
      signal,
      metadata: new Metadata(),
    };
    const description = describeNode(this.nodeId, Number(this.nodeId.slice(1)));
    const messages = manager.dispatcher.methods.session.handle({ sessionId: '', description }, context);
    try {
      for await (const { sessionId } of messages) {
        if (this.#session?.id === sessionId || signal.aborted) continue;
        this.#session = { manager, id: sessionId, context };
        // What an earlier manager took may never have been stored.
        for (const [id, { state }] of this.containers) this.#unconfirmed.set(id, state);
        void this.#beat(manager, sessionId, context).catch(() => this.#hangUp.abort());
        void this.#follow(manager, sessionId, context).catch(() => this.#hangUp.abort());
        void this.#report();
      }
    } finally {
      this.#session = undefined;
      this.#hangUp.abort();
    }
  }

  async #beat(manager: SimulatedManager, sessionId: string, context: CallContext): Promise<void> {
    const { timeline, random } = this.#around;
    while (!context.signal.aborted) {
      if (!this.#isCutOff) {
        const { period } = await manager.dispatcher.methods.heartbeat.handle({ sessionId }, context);
        await sleep(timeline, msOfDuration(period ?? { seconds: 5, nanos: 0 }), context.signal);
      } else await sleep(timeline, 1_000 * random(), context.signal);
    }
  }

  async #follow(manager: SimulatedManager, sessionId: string, context: CallContext): Promise<void> {
    const { world, violate } = this.#around;
    const request = { sessionId, wantsPeers: false };
    const told = new Told(this.nodeId, world, violate);
    for await (const message of manager.dispatcher.methods.assignments.handle(request, context)) {
      if (this.#isCutOff) return;
      this.told = told;
      told.take(message);
      this.#assigned(told.tasks);
    }
  }

  #assigned(tasks: ReadonlyMap<string, Task>): void {
    for (const id of this.containers.keys()) if (!tasks.has(id)) this.containers.delete(id);
    for (const task of tasks.values()) {
      let container = this.containers.get(task.id);
      if (container === undefined) {
        container = { state: task.status?.state ?? TaskState.ASSIGNED, wanted: task.desiredState, next: undefined };
        this.containers.set(task.id, container);
      }
      container.wanted = task.desiredState;
      this.#plan(task, container);
    }
  }

  /** Plans the next step of a container; each one takes its time. */
  #plan(task: Task, container: Container): void {
    const { timeline, random } = this.#around;
    const step = nextStep(task, container.state, container.wanted);
    if (step === undefined || container.next === step.state) return;
    container.next = step.state;
    timeline.setTimer(step.meanMs * 2 * random(), () => {
      if (container.next !== step.state || this.containers.get(task.id) !== container) return;
      container.next = undefined;
      container.state = step.state;
      this.#unconfirmed.set(task.id, step.state);
      void this.#report();
      this.#plan(task, container);
    });
  }

  /** Tells what is new, until it is confirmed. */
  async #report(): Promise<void> {
    const session = this.#session;
    if (session === undefined || this.#isReporting || this.#isCutOff || this.#unconfirmed.size === 0) return;
    this.#isReporting = true;
    const { manager, id, context } = session;
    const sent = [...this.#unconfirmed];
    const updates = sent.map(([taskId, state]) => ({ taskId, status: TaskStatus.fromPartial({ state }) }));
    try {
      await manager.dispatcher.methods.updateTaskStatus.handle({ sessionId: id, updates }, context);
      for (const [taskId, state] of sent) if (this.#unconfirmed.get(taskId) === state) this.#unconfirmed.delete(taskId);
      this.#isReporting = false;
      void this.#report();
    } catch {
      // The session is over, or the change met an election: what is not confirmed is told to whoever comes next.
      this.#isReporting = false;
      this.#hangUp.abort();
    }
  }
}

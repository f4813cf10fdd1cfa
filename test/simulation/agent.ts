/**
 * A pretend agent over the real dispatcher: it registers with whichever manager takes it, beats, follows its assignments, and moves its
 * containers through their states. Containers outlive sessions, leaders and the agent itself.
 */
import { Metadata } from '@grpc/grpc-js';
import { sleep } from '../../src/common/clock.ts';
import type { Random } from '../../src/common/random.ts';
import { authorize, type CallContext } from '../../src/common/rpc.ts';
import { msOfDuration } from '../../src/common/time.ts';
import type { NodeRoleName } from '../../src/identity/certificate.ts';
import type { SessionMessage } from '../../src/proto/generated/docker/swarmkit/v1/dispatcher.ts';
import type { Task } from '../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeSpec_Availability as Availability } from '../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import {
  IssuanceStatus_State,
  NodeRole,
  TaskState,
  TaskStatus,
} from '../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { nextStep } from './behaviour.ts';
import type { Calls, Party } from './calls.ts';
import type { Violate } from './checks/check.ts';
import type { World } from './checks/world.ts';
import { enroll, renew } from './enrolment.ts';
import type { SimulatedIdentity } from './identity.ts';
import type { SimulatedManager } from './manager.ts';
import { describeNode } from './node-descriptions.ts';
import type { Timeline } from './timeline.ts';
import { Told } from './told.ts';

const RECONNECT_MS = 300;
const RENEW_AGAIN_MS = 1_000;

interface Container {
  state: TaskState;
  wanted: TaskState;
  /** What it will become, once that is planned. */
  next: TaskState | undefined;
}

export interface AgentSurroundings {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly calls: Calls;
  readonly managers: () => readonly SimulatedManager[];
  /** A join token, as people print it on a manager and bring it along; undefined while there is nobody to ask. */
  readonly token: (role: NodeRoleName) => string | undefined;
  readonly world: World;
  readonly violate: Violate;
}

export class SimulatedAgent implements Party {
  /** The how manieth node it is. */
  readonly number: number;
  readonly identity: SimulatedIdentity;
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
  #isDown = false;
  #wasManager = false;
  #isRenewing = false;
  readonly #joinsAs: NodeRoleName;

  /** @param joinsAs the kind of token it comes with */
  constructor(number: number, identity: SimulatedIdentity, joinsAs: NodeRoleName, around: AgentSurroundings) {
    this.number = number;
    this.identity = identity;
    this.#joinsAs = joinsAs;
    this.#around = around;
    // Managers are to see the certificate in use.
    identity.onChange(() => {
      this.#wasManager ||= identity.current?.role === 'manager';
      this.#hangUp.abort();
    });
  }

  get name(): string {
    return `agent ${this.number}`;
  }

  /** Empty until it has joined. */
  get nodeId(): string {
    return this.identity.nodeId;
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

  get isDown(): boolean {
    return this.#isDown;
  }

  /** It has been a manager, and is one no more. */
  get wasManager(): boolean {
    return this.#wasManager && this.identity.current?.role === 'worker';
  }

  /** Gets a certificate of what the managers say this node is. */
  renewNow(): void {
    if (this.#isRenewing) return;
    this.#isRenewing = true;
    void this.#renew().finally(() => {
      this.#isRenewing = false;
    });
  }

  /** Its process ends with that of the manager on its node; containers go on. */
  crash(): void {
    this.#isDown = true;
    this.#hangUp.abort();
  }

  startAgain(): void {
    this.#isDown = false;
  }

  /** The agent's process is started anew; containers go on. */
  restart(): void {
    this.#hangUp.abort();
  }

  async #run(): Promise<void> {
    const { timeline, random, managers } = this.#around;
    while (!this.#end.signal.aborted) {
      const up = managers().filter(({ isUp }) => isUp);
      const manager = up[Math.floor(random() * up.length)];
      if (manager !== undefined && !this.#isCutOff && !this.#isDown) {
        const visit = this.identity.current === undefined ? this.#join(manager) : this.#attend(manager);
        await visit.catch(() => undefined);
      }
      await sleep(timeline, RECONNECT_MS * random(), this.#end.signal).catch(() => undefined);
    }
  }

  /** Becomes a node of the swarm. */
  async #join(manager: SimulatedManager): Promise<void> {
    const { calls, timeline, token, violate } = this.#around;
    const shown = token(this.#joinsAs);
    if (shown === undefined) return;
    const availability = this.#joinsAs === 'manager' ? Availability.DRAIN : Availability.ACTIVE;
    await enroll({ calls, timeline, manager }, this, shown, availability);
    const { role, nodeId } = this.identity.current ?? {};
    if (role !== this.#joinsAs) violate(43, `node ${nodeId} came as ${this.#joinsAs} and was made ${role}`);
  }

  /** One session, from registration to its end. */
  async #attend(manager: SimulatedManager): Promise<void> {
    const { calls, world, violate } = this.#around;
    this.#hangUp = new AbortController();
    const signal = AbortSignal.any([this.#hangUp.signal, manager.signal]);
    const caller = calls.identify(this, manager);
    const { session } = manager.dispatcher.methods;
    authorize('session', session.access, caller);
    const context: CallContext = { caller, signal, metadata: new Metadata() };
    const description = describeNode(this.number, this.identity);
    const isGone = world.wasRemoved(this.nodeId);
    const messages = session.handle({ sessionId: '', description }, context);
    try {
      for await (const message of messages) {
        const { sessionId } = message;
        if (signal.aborted) continue;
        if (this.#isCutOff) continue;
        // A follower that is behind may still tell it who leads, and no more.
        if (isGone && manager.isLeader) violate(43, `node ${this.nodeId} was removed and is in session again`);
        this.#hear(message);
        if (this.#session?.id === sessionId) continue;
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

  /** What the managers say of the swarm and of this node, taken as `daemon/member.ts` does. */
  #hear({ node, RootCA }: SessionMessage): void {
    if (!node) return;
    const root = RootCA.toString('utf8');
    if (root !== '') this.identity.trust(root);
    const role = node.role === NodeRole.MANAGER ? 'manager' : 'worker';
    if (role !== this.identity.current?.role || node.certificate?.status?.state === IssuanceStatus_State.ROTATE)
      this.renewNow();
  }

  async #renew(): Promise<void> {
    const { calls, timeline, random, managers } = this.#around;
    while (!this.#end.signal.aborted && !this.#isDown) {
      const up = managers().filter(({ isUp }) => isUp);
      const manager = up[Math.floor(random() * up.length)];
      if (manager !== undefined && !this.#isCutOff) {
        const isRenewed = await renew({ calls, timeline, manager }, this).then(
          () => true,
          () => false,
        );
        if (isRenewed) return;
      }
      await sleep(timeline, RENEW_AGAIN_MS).catch(() => undefined);
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

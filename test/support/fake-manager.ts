/** A manager on loopback, without TLS, that tests steer by hand and that remembers what agents told it. */
import { Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';
import { SwarmError } from '../../src/common/errors.ts';
import { silentLogger } from '../../src/common/log.ts';
import { durationOfMs } from '../../src/common/time.ts';
import {
  AssignmentChange_AssignmentAction as Action,
  AssignmentsMessage,
  AssignmentsMessage_Type as Type,
  DispatcherService,
  type SessionMessage,
  type AssignmentsRequest,
  type DispatcherServer,
  type SessionRequest,
} from '../../src/proto/generated/docker/swarmkit/v1/dispatcher.ts';
import {
  LogBrokerService,
  SubscriptionMessage,
  type ListenSubscriptionsRequest,
  type LogBrokerServer,
  type LogMessage,
  type LogSelector,
  type LogSubscriptionOptions,
} from '../../src/proto/generated/docker/swarmkit/v1/logbroker.ts';
import { Node, type Config, type Secret, type Task } from '../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import type { TaskStatus } from '../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { serviceError } from './service-error.ts';

export type Assigned =
  | { readonly $case: 'task'; readonly value: Task }
  | { readonly $case: 'secret'; readonly value: Secret }
  | { readonly $case: 'config'; readonly value: Config };

export interface FakeManagerOptions {
  readonly heartbeatMs?: number;
  /** Port to listen on; 0 for any. */
  readonly port?: number;
}

export interface Subscription {
  /** Lines published so far, as text without newline. */
  readonly lines: readonly LogMessage[];
  readonly isClosed: boolean;
  close(): void;
}

export class FakeManager {
  readonly address: string;
  /** What each Session call said, in order. */
  readonly registrations: SessionRequest[] = [];
  /** Every status accepted, per task, in order. */
  readonly statuses = new Map<string, TaskStatus[]>();
  /** How many statuses each UpdateTaskStatus call brought. */
  readonly batches: number[] = [];
  heartbeats = 0;
  /** Thrown at the next calls of a kind as long as it is set. */
  readonly refuse: { session?: SwarmError; heartbeat?: SwarmError; status?: SwarmError } = {};
  /** Addresses named in session messages; none by default, which leaves the agent's list alone. */
  managers: readonly string[] = [];
  /** Whether a new assignment stream begins with what is wanted; a manager without that must not answer. */
  hasLoaded = true;
  heartbeatMs: number;

  readonly #server: Server;
  readonly #wanted = new Map<string, Assigned>();
  readonly #sessions = new Map<string, ServerWritableStream<SessionRequest, SessionMessage>>();
  readonly #streams = new Map<ServerWritableStream<AssignmentsRequest, AssignmentsMessage>, number>();
  readonly #listeners = new Set<ServerWritableStream<ListenSubscriptionsRequest, SubscriptionMessage>>();
  readonly #subscriptions = new Map<string, { lines: LogMessage[]; isClosed: boolean; message: SubscriptionMessage }>();
  #sessionCount = 0;

  private constructor(server: Server, port: number, options: FakeManagerOptions) {
    this.#server = server;
    this.address = `127.0.0.1:${port}`;
    this.heartbeatMs = options.heartbeatMs ?? 200;
  }

  static async start(options: FakeManagerOptions = {}): Promise<FakeManager> {
    const server = new Server();
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${options.port ?? 0}`, ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    const manager = new FakeManager(server, port, options);
    server.addService(DispatcherService, manager.#dispatcher());
    server.addService(LogBrokerService, manager.#logBroker());
    return manager;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  /** Assigns or changes objects; agents that listen get one INCREMENTAL message. */
  assign(...items: readonly Assigned[]): void {
    for (const item of items) this.#wanted.set(item.value.id, item);
    this.#send(items.map((item) => ({ assignment: { item }, action: Action.UPDATE })));
  }

  withdraw(...ids: readonly string[]): void {
    const changes = ids.flatMap((id) => {
      const item = this.#wanted.get(id);
      this.#wanted.delete(id);
      return item ? [{ assignment: { item }, action: Action.REMOVE }] : [];
    });
    this.#send(changes);
  }

  /** Forgets what is wanted without telling anybody, like a change made while the agent is away. */
  forget(...ids: readonly string[]): void {
    for (const id of ids) this.#wanted.delete(id);
  }

  /** Changes what is wanted without telling anybody. */
  want(...items: readonly Assigned[]): void {
    for (const item of items) this.#wanted.set(item.value.id, item);
  }

  /** Sends a message as it is. */
  sendAssignments(message: Partial<AssignmentsMessage>): void {
    for (const stream of this.#streams.keys()) stream.write(AssignmentsMessage.fromPartial(message));
  }

  /** Tells every agent the present list of managers. */
  tellManagers(): void {
    for (const [id, stream] of this.#sessions) stream.write(this.#sessionMessage(id));
  }

  /** Ends every session the way a manager that loses leadership does. */
  endSessions(): void {
    for (const stream of this.#sessions.values()) stream.emit('error', error('unavailable', 'not the leader'));
    this.#sessions.clear();
  }

  subscribe(id: string, selector: Partial<LogSelector>, options: Partial<LogSubscriptionOptions> = {}): Subscription {
    const message = SubscriptionMessage.fromPartial({ id, selector, options });
    const kept = { lines: [], isClosed: false, message };
    this.#subscriptions.set(id, kept);
    for (const listener of this.#listeners) listener.write(message);
    return {
      get lines() {
        return kept.lines;
      },
      get isClosed() {
        return kept.isClosed;
      },
      close: () => {
        for (const listener of this.#listeners) listener.write(SubscriptionMessage.fromPartial({ id, close: true }));
      },
    };
  }

  lastStatus(taskId: string): TaskStatus | undefined {
    return this.statuses.get(taskId)?.at(-1);
  }

  states(taskId: string): readonly number[] {
    return (this.statuses.get(taskId) ?? []).map((status) => status.state);
  }

  /** Cuts every connection and stops listening. */
  async stop(): Promise<void> {
    this.#server.forceShutdown();
    await new Promise((resolve) => setImmediate(resolve));
  }

  #send(changes: readonly AssignmentsMessage['changes'][number][]): void {
    if (changes.length === 0) return;
    for (const [stream, position] of this.#streams) {
      this.#streams.set(stream, position + 1);
      stream.write({
        type: Type.INCREMENTAL,
        appliesTo: String(position),
        resultsIn: String(position + 1),
        changes,
      });
    }
  }

  #sessionMessage(id: string): SessionMessage {
    return {
      sessionId: id,
      node: Node.fromPartial({ id: 'node1' }),
      managers: this.managers.map((addr) => ({ peer: { nodeId: addr, addr }, weight: 10 })),
      networkBootstrapKeys: [],
      RootCA: Buffer.alloc(0),
    };
  }

  #dispatcher(): DispatcherServer {
    const knows = (id: string): SwarmError | undefined =>
      this.#sessions.has(id) ? undefined : new SwarmError('invalidArgument', 'session invalid');
    return {
      session: (call) => {
        this.registrations.push(call.request);
        const refused = this.refuse.session;
        if (refused) return void call.emit('error', serviceError(refused, 'session', silentLogger));
        const id = `session${++this.#sessionCount}`;
        // All agents here are the same node: at most one session of a node is valid.
        this.#sessions.clear();
        this.#sessions.set(id, call);
        const gone = (): void => void this.#sessions.delete(id);
        call.on('cancelled', gone).on('close', gone);
        call.write(this.#sessionMessage(id));
      },
      heartbeat: (call, done) => {
        const refused = this.refuse.heartbeat ?? knows(call.request.sessionId);
        if (refused) return done(serviceError(refused, 'heartbeat', silentLogger));
        this.heartbeats++;
        done(null, { period: durationOfMs(this.heartbeatMs) });
      },
      updateTaskStatus: (call, done) => {
        const refused = this.refuse.status ?? knows(call.request.sessionId);
        if (refused) return done(serviceError(refused, 'updateTaskStatus', silentLogger));
        this.batches.push(call.request.updates.length);
        for (const { taskId, status } of call.request.updates) {
          if (status) this.statuses.set(taskId, [...(this.statuses.get(taskId) ?? []), status]);
        }
        done(null, {});
      },
      updateVolumeStatus: (_call, done) => done(null, {}),
      tasks: (call) => call.emit('error', error('unimplemented', 'old call')),
      assignments: (call) => {
        if (!this.hasLoaded) return void call.emit('error', error('unavailable', 'still loading'));
        this.#streams.set(call, 1);
        const gone = (): void => void this.#streams.delete(call);
        call.on('cancelled', gone).on('close', gone);
        call.write({
          type: Type.COMPLETE,
          appliesTo: '',
          resultsIn: '1',
          changes: [...this.#wanted.values()].map((item) => ({ assignment: { item }, action: Action.UPDATE })),
        });
      },
    };
  }

  #logBroker(): LogBrokerServer {
    return {
      listenSubscriptions: (call) => {
        this.#listeners.add(call);
        const gone = (): void => void this.#listeners.delete(call);
        call.on('cancelled', gone).on('close', gone);
        for (const { message, isClosed } of this.#subscriptions.values()) if (!isClosed) call.write(message);
      },
      publishLogs: (call, done) => {
        call.on('data', (message: { subscriptionId: string; messages: LogMessage[]; close: boolean }) => {
          const kept = this.#subscriptions.get(message.subscriptionId);
          kept?.lines.push(...message.messages);
          if (kept && message.close) kept.isClosed = true;
        });
        call.on('end', () => done(null, {}));
        call.on('error', () => undefined);
      },
    };
  }
}

const error = (code: 'unavailable' | 'unimplemented', text: string): Error =>
  serviceError(new SwarmError(code, text), '', silentLogger);

/** An agent that does only what the wire asks for: registers, beats when told, and keeps the set of assignments it is sent. */
import type { ClientReadableStream } from '@grpc/grpc-js';
import type { SwarmError } from '../../src/common/errors.ts';
import { rpcError, unary } from '../../src/common/rpc-client.ts';
import { msOfDuration } from '../../src/common/time.ts';
import {
  AssignmentChange_AssignmentAction as Action,
  AssignmentsMessage_Type as Type,
  DispatcherClient,
  type AssignmentsMessage,
  type SessionMessage,
} from '../../src/proto/generated/docker/swarmkit/v1/dispatcher.ts';
import { NodeDescription, TaskStatus, type TaskState } from '../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { eventually } from './eventually.ts';
import { callAs, type RpcRig } from './rpc-rig.ts';

export class FakeAgent {
  readonly nodeId: string;
  readonly client: DispatcherClient;
  readonly sessionMessages: SessionMessage[] = [];
  readonly messages: AssignmentsMessage[] = [];
  /** "kind:id" → object, as the messages say. */
  readonly assigned = new Map<string, unknown>();
  /** Messages that did not build on the one before, and tasks that came before what they need. */
  readonly faults: string[] = [];
  sessionError: SwarmError | undefined;
  assignmentsError: SwarmError | undefined;
  #session: ClientReadableStream<SessionMessage> | undefined;
  #assignments: ClientReadableStream<AssignmentsMessage> | undefined;
  #sequence = '';

  constructor(rig: RpcRig, nodeId: string, via?: string) {
    this.nodeId = nodeId;
    this.client = rig.client(DispatcherClient, via);
  }

  get sessionId(): string {
    return this.sessionMessages.at(-1)?.sessionId ?? '';
  }

  /** Opens a session and waits for its first message. */
  async register(
    oldSessionId = '',
    description = NodeDescription.fromPartial({ hostname: this.nodeId }),
  ): Promise<SessionMessage> {
    const before = this.sessionMessages.length;
    this.sessionError = undefined;
    const stream = this.client.session({ description, sessionId: oldSessionId }, callAs(this.nodeId));
    this.#session = stream;
    stream.on('data', (message: SessionMessage) => this.sessionMessages.push(message));
    stream.on('error', (error) => {
      if (this.#session === stream) this.sessionError = rpcError(error);
    });
    await eventually(() => this.sessionMessages.length > before || this.sessionError !== undefined);
    if (this.sessionMessages.length === before) throw this.sessionError as unknown as SwarmError;
    return this.sessionMessages.at(-1) as SessionMessage;
  }

  /** Opens the stream of assignments and waits for the first message. */
  async open(sessionId = this.sessionId, wantsPeers = false): Promise<void> {
    this.assignmentsError = undefined;
    this.assigned.clear();
    this.messages.length = 0;
    this.#sequence = '';
    const stream = this.client.assignments({ sessionId, wantsPeers }, callAs(this.nodeId));
    this.#assignments = stream;
    // What the stream before still had to say when it ended may come now.
    stream.on('data', (message: AssignmentsMessage) => {
      if (this.#assignments === stream) this.#apply(message);
    });
    stream.on('error', (error) => (this.assignmentsError = rpcError(error)));
    await eventually(() => this.messages.length > 0 || this.assignmentsError !== undefined);
    if (this.assignmentsError) throw this.assignmentsError as SwarmError;
  }

  /** Returns the period told, in ms. */
  async beat(sessionId = this.sessionId): Promise<number> {
    const call = this.client.heartbeat.bind(this.client) as never;
    const { period } = await unary<{ sessionId: string }, { period?: { seconds: number; nanos: number } }>(
      call,
      { sessionId },
      { timeoutMs: 5_000, metadata: callAs(this.nodeId) },
    );
    return period ? msOfDuration(period) : 0;
  }

  async report(taskId: string, state: TaskState, extra: Partial<TaskStatus> = {}): Promise<void> {
    const status = TaskStatus.fromPartial({ state, message: 'reported', ...extra });
    const call = this.client.updateTaskStatus.bind(this.client) as never;
    await unary(
      call,
      { sessionId: this.sessionId, updates: [{ taskId, status }] },
      { timeoutMs: 5_000, metadata: callAs(this.nodeId) },
    );
  }

  /** Stops reading assignments, as an agent that hangs. */
  pause(): void {
    this.#assignments?.pause();
  }

  resume(): void {
    this.#assignments?.resume();
  }

  /** Closes the session stream, keeping the connection. */
  closeSession(): void {
    this.#session?.cancel();
  }

  /** Is gone at once, as if killed. */
  kill(): void {
    this.client.close();
    this.#session?.cancel();
    this.#assignments?.cancel();
  }

  /** Ids of one kind it holds, sorted. */
  held(kind: 'task' | 'secret' | 'config' | 'volume' | 'peer'): readonly string[] {
    return [...this.assigned.keys()]
      .filter((key) => key.startsWith(`${kind}:`))
      .map((key) => key.slice(kind.length + 1))
      .sort();
  }

  #apply(message: AssignmentsMessage): void {
    if (message.appliesTo !== this.#sequence) this.faults.push(`message applies to "${message.appliesTo}"`);
    if ((message.type === Type.COMPLETE) !== (this.messages.length === 0)) this.faults.push('wrong type');
    this.#sequence = message.resultsIn;
    this.messages.push(message);
    for (const { assignment, action } of message.changes) {
      const item = assignment?.item;
      if (!item) continue;
      const key = `${item.$case}:${item.value.id}`;
      if (action === Action.REMOVE) this.assigned.delete(key);
      else this.assigned.set(key, item.value);
    }
  }
}

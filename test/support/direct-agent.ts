/** An agent that calls the dispatcher's handlers without a wire, for tests that move time by hand. */
import { Metadata } from '@grpc/grpc-js';
import { WILL_RETURN } from '../../src/common/farewell.ts';
import { toSwarmError, type SwarmError } from '../../src/common/errors.ts';
import type { CallContext } from '../../src/common/rpc.ts';
import { msOfDuration } from '../../src/common/time.ts';
import type { Dispatcher } from '../../src/manager/dispatcher/dispatcher.ts';
import type { HeartbeatResponse, SessionMessage } from '../../src/proto/generated/docker/swarmkit/v1/dispatcher.ts';
import { NodeDescription, TaskStatus, type TaskState } from '../../src/proto/generated/docker/swarmkit/v1/types.ts';

export class DirectAgent {
  readonly nodeId: string;
  readonly messages: SessionMessage[] = [];
  sessionError: SwarmError | undefined;
  readonly #dispatcher: Dispatcher;
  readonly #metadata = new Metadata();
  #gone = new AbortController();

  constructor(dispatcher: Dispatcher, nodeId: string, userAgent = 'grpc-node-js/1.14.4') {
    this.#dispatcher = dispatcher;
    this.nodeId = nodeId;
    this.#metadata.set('user-agent', userAgent);
  }

  get sessionId(): string {
    return this.messages.at(-1)?.sessionId ?? '';
  }

  get context(): CallContext {
    return {
      caller: { nodeId: this.nodeId, role: 'worker', clusterId: 'cluster', address: '192.0.2.7:4444' },
      signal: this.#gone.signal,
      metadata: this.#metadata,
    };
  }

  /** Opens a session and goes on reading it. */
  register(sessionId = ''): void {
    this.#gone = new AbortController();
    this.sessionError = undefined;
    const read = async (): Promise<void> => {
      const request = { sessionId, description: NodeDescription.fromPartial({ hostname: this.nodeId }) };
      for await (const message of this.#dispatcher.methods.session.handle(request, this.context))
        this.messages.push(message);
    };
    read().catch((error: unknown) => (this.sessionError = toSwarmError(error)));
  }

  /** Returns the period told, in ms. */
  async beat(sessionId = this.sessionId): Promise<number> {
    const response: HeartbeatResponse = await this.#dispatcher.methods.heartbeat.handle({ sessionId }, this.context);
    return response.period ? msOfDuration(response.period) : 0;
  }

  async report(taskId: string, state: TaskState): Promise<void> {
    const updates = [{ taskId, status: TaskStatus.fromPartial({ state, message: 'reported' }) }];
    await this.#dispatcher.methods.updateTaskStatus.handle({ sessionId: this.sessionId, updates }, this.context);
  }

  /** The connection breaks. */
  disconnect(): void {
    this.#gone.abort();
  }

  /** Ends the session in good order, saying that it comes back. */
  async hangUp(): Promise<void> {
    const metadata = this.#metadata.clone();
    metadata.set(WILL_RETURN, '1');
    await this.#dispatcher.methods.heartbeat.handle({ sessionId: this.sessionId }, { ...this.context, metadata });
    this.#gone.abort();
  }
}

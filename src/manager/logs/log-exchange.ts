/** Brings clients that read logs and agents that have them together, for one term of leadership. */
import { isSwarmError, SwarmError } from '../../common/errors.ts';
import type { CallContext } from '../../common/rpc.ts';
import type {
  LogMessage,
  PublishLogsMessage,
  SubscribeLogsMessage,
  SubscribeLogsRequest,
  SubscriptionMessage,
} from '../../proto/generated/docker/swarmkit/v1/logbroker.ts';
import type { Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeStatus_State as NodeState } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Reader } from '../store/transaction.ts';
import { LineQueue } from './line-queue.ts';
import { LogSubscription } from './log-subscription.ts';
import type { LogBrokerOptions, LogBrokerSettings } from './options.ts';
import { select, selects } from './selection.ts';
import { SubscriptionListener } from './subscription-listener.ts';

const over = (): SwarmError =>
  new SwarmError('unavailable', 'this manager stopped leading the cluster: ask the new leader for the logs');

export class LogExchange {
  readonly #options: LogBrokerOptions;
  readonly #settings: LogBrokerSettings;
  readonly #reader: Reader;
  readonly #listeners = new Map<string, SubscriptionListener>();
  readonly #subscriptions = new Map<string, LogSubscription>();
  readonly #following = new Set<LogSubscription>();

  constructor(options: LogBrokerOptions, settings: LogBrokerSettings) {
    this.#options = options;
    this.#settings = settings;
    this.#reader = options.store.read;
  }

  get load(): { readonly listeners: number; readonly subscriptions: number } {
    return { listeners: this.#listeners.size, subscriptions: this.#subscriptions.size };
  }

  /** Works until the signal aborts, then ends everything. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) await this.#followTasks(signal);
    } finally {
      for (const { stream } of this.#listeners.values()) stream.end(over());
      for (const subscription of this.#subscriptions.values()) subscription.lines.end(over());
    }
  }

  /** Lines until all there are have come; following, until the client leaves. */
  async *subscribe(request: SubscribeLogsRequest, signal: AbortSignal): AsyncGenerator<SubscribeLogsMessage> {
    validate(request);
    const { lineLimitBytes, batchBytes } = this.#settings;
    const subscription = new LogSubscription(this.#options.newId(), request, new LineQueue(lineLimitBytes, batchBytes));
    const onGone = (): void => subscription.lines.close();
    signal.addEventListener('abort', onGone, { once: true });
    if (signal.aborted) onGone();
    const cancelGrace = this.#open(subscription);
    try {
      for await (const messages of subscription.lines.read()) yield { messages };
    } finally {
      signal.removeEventListener('abort', onGone);
      cancelGrace();
      this.#close(subscription);
    }
  }

  /** Subscriptions for a node, from the first to the last moment it listens. */
  async *listen({ caller, signal }: CallContext): AsyncGenerator<SubscriptionMessage> {
    const { nodeId } = caller;
    const listener = new SubscriptionListener(signal);
    this.#listeners.get(nodeId)?.stream.end(new SwarmError('aborted', `node ${nodeId} listens anew`));
    this.#listeners.set(nodeId, listener);
    for (const subscription of this.#subscriptions.values()) {
      if (subscription.expects(nodeId)) listener.open(subscription.opening(nodeId));
    }
    try {
      yield* listener.messages();
    } finally {
      listener.stream.close();
      if (this.#listeners.get(nodeId) === listener) {
        this.#listeners.delete(nodeId);
        for (const subscription of this.#subscriptions.values()) {
          subscription.done(nodeId, `node ${nodeId} disconnected unexpectedly`);
        }
      }
    }
  }

  /** Takes the lines of one node for one subscription, at the pace of the client. */
  async publish(messages: AsyncIterable<PublishLogsMessage>, { caller, signal }: CallContext): Promise<void> {
    const { nodeId } = caller;
    let subscription: LogSubscription | undefined;
    let isComplete = false;
    try {
      for await (const message of messages) {
        subscription ??= this.#subscriptions.get(message.subscriptionId);
        if (!subscription || subscription.id !== message.subscriptionId || !subscription.expects(nodeId)) {
          throw unknownSubscription(message.subscriptionId);
        }
        for (const line of message.messages) this.#checkOrigin(line, nodeId);
        await subscription.take(nodeId, message.messages, signal);
        if (subscription.lines.isClosed) throw unknownSubscription(message.subscriptionId);
        if (message.close) {
          isComplete = true;
          return;
        }
      }
    } finally {
      subscription?.done(nodeId, isComplete ? undefined : `node ${nodeId} disconnected unexpectedly`);
    }
  }

  /** Tells the nodes; returns how to cancel the time given to those that do not listen at the moment. */
  #open(subscription: LogSubscription): () => void {
    this.#subscriptions.set(subscription.id, subscription);
    if (subscription.follows) this.#following.add(subscription);
    const { nodeIds, unplacedTaskIds } = select(this.#reader, subscription.selector);
    for (const taskId of unplacedTaskIds) subscription.miss(`task ${taskId} has not been scheduled`);
    for (const nodeId of nodeIds) this.#include(subscription, nodeId);
    const giveUp = (mayReturn: boolean): void => {
      for (const nodeId of nodeIds) {
        if (!this.#listeners.has(nodeId) && !(mayReturn && this.#mayReturn(nodeId))) {
          subscription.done(nodeId, `node ${nodeId} is not available`);
        }
      }
    };
    giveUp(true);
    subscription.start();
    return this.#options.clock.setTimer(this.#settings.listenerGraceMs, () => giveUp(false));
  }

  #close(subscription: LogSubscription): void {
    subscription.lines.close();
    this.#subscriptions.delete(subscription.id);
    this.#following.delete(subscription);
    for (const nodeId of subscription.nodeIds) this.#listeners.get(nodeId)?.close(subscription.closing());
  }

  #include(subscription: LogSubscription, nodeId: string): void {
    if (subscription.add(nodeId)) this.#listeners.get(nodeId)?.open(subscription.opening(nodeId));
  }

  /** A node whose agent is just changing its session, or has not found a new leader yet. */
  #mayReturn(nodeId: string): boolean {
    const state = this.#reader.node.get(nodeId)?.status?.state;
    return state === NodeState.READY || state === NodeState.UNKNOWN;
  }

  #checkOrigin(line: LogMessage, nodeId: string): void {
    const { nodeId: claimed = '', taskId = '' } = line.context ?? {};
    const task = taskId === '' ? undefined : this.#reader.task.get(taskId);
    if (claimed !== nodeId || (task && task.nodeId !== nodeId)) {
      throw new SwarmError(
        'permissionDenied',
        `node ${nodeId} sent log lines of task ${taskId} on node ${claimed}: publish lines of own tasks only`,
      );
    }
  }

  /** Takes tasks that appear on further nodes into the subscriptions that follow. */
  async #followTasks(signal: AbortSignal): Promise<void> {
    const watch = this.#options.store.watch({ kinds: ['task'], signal });
    for (const subscription of this.#following) {
      for (const nodeId of select(this.#reader, subscription.selector).nodeIds) this.#include(subscription, nodeId);
    }
    try {
      for await (const commits of watch) {
        if (this.#following.size === 0) continue;
        for (const { changes } of commits) {
          for (const change of changes) {
            if (change.kind === 'task' && change.action !== 'delete') this.#sawTask(change.object);
          }
        }
      }
    } catch (error) {
      if (!isSwarmError(error, 'resourceExhausted')) throw error;
      this.#options.log.warn({ err: error }, 'log broker fell behind the store and looks at everything again');
    }
  }

  #sawTask(task: Task): void {
    if (task.nodeId === '') return;
    for (const subscription of this.#following) {
      if (selects(subscription.selector, task)) this.#include(subscription, task.nodeId);
    }
  }
}

function validate({ selector, options }: SubscribeLogsRequest): void {
  if (!selector || selector.serviceIds.length + selector.taskIds.length + selector.nodeIds.length === 0) {
    throw new SwarmError('invalidArgument', 'log selector is empty: name at least one service, task or node');
  }
  if (options && options.tail > 0) {
    throw new SwarmError(
      'invalidArgument',
      `log tail ${options.tail} is positive: 0 asks for all lines, a negative number n for the last -n-1`,
    );
  }
}

const unknownSubscription = (id: string): SwarmError =>
  new SwarmError('notFound', `log subscription "${id}" is not open for this node: nobody reads it any more`);

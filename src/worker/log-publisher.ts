/**
 * Sends task logs to the manager while somebody reads them. The manager subscribes for services, nodes or tasks; each
 * subscription gets one stream of lines, which ends by itself unless it follows.
 */
import type { ClientWritableStream } from '@grpc/grpc-js';
import { errorText, SwarmError } from '../common/errors.ts';
import type { Logger } from '../common/log.ts';
import { msOfTimestamp, timestampOfMs } from '../common/time.ts';
import {
  LogStream,
  type LogBrokerClient,
  type LogMessage,
  type LogSelector,
  type LogSubscriptionOptions,
  type PublishLogsMessage,
  type SubscriptionMessage,
} from '../proto/generated/docker/swarmkit/v1/logbroker.ts';
import { TaskState } from '../proto/generated/docker/swarmkit/v1/types.ts';
import type { LogLine, LogOptions } from './drivers/driver.ts';
import type { TaskPool } from './task-pool.ts';
import type { TaskRunner } from './task-runner.ts';

export interface LogPublisherOptions {
  readonly nodeId: string;
  readonly pool: TaskPool;
  readonly log: Logger;
}

export class LogPublisher {
  readonly #options: LogPublisherOptions;
  readonly #open = new Map<string, AbortController>();

  constructor(options: LogPublisherOptions) {
    this.#options = options;
  }

  /** Begins or ends a subscription. Everything ends with the session's signal. */
  handle(message: SubscriptionMessage, client: LogBrokerClient, session: AbortSignal): void {
    if (message.close) {
      this.#open.get(message.id)?.abort();
      return;
    }
    if (this.#open.has(message.id)) return;
    const stop = new AbortController();
    const onEnd = (): void => stop.abort();
    session.addEventListener('abort', onEnd, { once: true });
    this.#open.set(message.id, stop);
    void this.#publish(message, client, stop.signal).finally(() => {
      session.removeEventListener('abort', onEnd);
      this.#open.delete(message.id);
    });
  }

  /** Never rejects. */
  async #publish(subscription: SubscriptionMessage, client: LogBrokerClient, signal: AbortSignal): Promise<void> {
    const out = new PublishStream(client, subscription.id);
    try {
      const options = logOptionsOf(subscription.options);
      await this.#sendTasks(subscription.selector, options, out, signal);
      await out.send([], true);
    } catch (error) {
      if (!signal.aborted) {
        this.#options.log.warn({ subscription: subscription.id, reason: errorText(error) }, 'publishing logs failed');
      }
    } finally {
      out.end();
    }
  }

  async #sendTasks(
    selector: LogSelector | undefined,
    options: LogOptions,
    out: PublishStream,
    signal: AbortSignal,
  ): Promise<void> {
    const { pool, nodeId } = this.#options;
    const sending = new Map<string, Promise<void>>();
    const consider = (runner: TaskRunner, asked: LogOptions): void => {
      const { id } = runner.task;
      if (sending.has(id) || !hasOutput(runner) || !matches(selector, runner, nodeId)) return;
      sending.set(id, this.#sendTask(runner, asked, out, signal));
    };
    for (const runner of pool.runners) consider(runner, options);
    if (!options.follow) {
      await Promise.all(sending.values());
      return;
    }
    // Tasks that start later belong to a subscription that follows, with all they print: "the last lines" means those of
    // before. It ends only from the other side.
    const stopListening = pool.onChange((runner) => consider(runner, { ...options, tail: undefined }));
    try {
      await aborted(signal);
      await Promise.all(sending.values());
    } finally {
      stopListening();
    }
  }

  /** Never rejects: one task without logs must not cost the others theirs. */
  async #sendTask(runner: TaskRunner, options: LogOptions, out: PublishStream, signal: AbortSignal): Promise<void> {
    const { id: taskId, serviceId } = runner.task;
    const context = { serviceId, nodeId: this.#options.nodeId, taskId };
    try {
      for await (const line of runner.logs(options, signal)) {
        if (signal.aborted) return;
        await out.send([messageOf(line, context)], false);
      }
    } catch (error) {
      if (!signal.aborted)
        this.#options.log.warn({ taskId, reason: errorText(error) }, 'reading the logs of a task failed');
    }
  }
}

/** The client stream of one subscription, with the manager's pace respected. */
class PublishStream {
  readonly #subscriptionId: string;
  readonly #stream: ClientWritableStream<PublishLogsMessage>;
  #failure: Error | undefined;

  constructor(client: LogBrokerClient, subscriptionId: string) {
    this.#subscriptionId = subscriptionId;
    // Docker's managers end this call without an answer, which looks like an error here; the lines are there all the same.
    this.#stream = client.publishLogs(() => undefined);
    this.#stream.on('error', (error) => (this.#failure = error));
  }

  async send(messages: readonly LogMessage[], close: boolean): Promise<void> {
    if (this.#failure) throw this.#failure;
    if (this.#stream.write({ subscriptionId: this.#subscriptionId, messages, close })) return;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        for (const event of ['drain', 'error', 'close']) this.#stream.off(event, go);
        resolve();
      };
      for (const event of ['drain', 'error', 'close']) this.#stream.once(event, go);
    });
  }

  end(): void {
    this.#stream.end();
  }
}

const hasOutput = (runner: TaskRunner): boolean => {
  const { state } = runner.status;
  return state >= TaskState.STARTING && state !== TaskState.REJECTED;
};

const matches = (selector: LogSelector | undefined, runner: TaskRunner, nodeId: string): boolean =>
  selector !== undefined &&
  (selector.taskIds.includes(runner.task.id) ||
    selector.serviceIds.includes(runner.task.serviceId) ||
    selector.nodeIds.includes(nodeId));

/** Throws invalidArgument for a positive tail, as Docker's agents do. */
export function logOptionsOf(options: LogSubscriptionOptions | undefined): LogOptions {
  const streams = options?.streams ?? [];
  const wants = (stream: LogStream): boolean => streams.length === 0 || streams.includes(stream);
  return {
    stdout: wants(LogStream.STDOUT),
    stderr: wants(LogStream.STDERR),
    follow: options?.follow ?? false,
    tail: tailOf(options?.tail ?? 0),
    sinceMs: options?.since ? msOfTimestamp(options.since) : 0,
  };
}

/** On the wire 0 is everything and −n−1 the last n lines. */
function tailOf(tail: number): number | undefined {
  if (tail > 0) {
    throw new SwarmError(
      'invalidArgument',
      `log tail ${tail}: 0 asks for all lines, a negative number n for the last -n-1`,
    );
  }
  return tail === 0 ? undefined : -tail - 1;
}

function messageOf(line: LogLine, context: NonNullable<LogMessage['context']>): LogMessage {
  return {
    context,
    timestamp: timestampOfMs(line.timeMs),
    stream: line.stream === 'stdout' ? LogStream.STDOUT : LogStream.STDERR,
    data: line.isOpen ? Buffer.from(line.data) : Buffer.concat([line.data, NEWLINE]),
    attrs: [...(line.attributes ?? [])],
  };
}

const NEWLINE = Buffer.from('\n');

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

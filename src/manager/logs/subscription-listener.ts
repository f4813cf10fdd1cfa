/** One agent that listens for subscriptions: what it is still to be told, at most one thing per subscription. */
import { ServerStream } from '../../common/server-stream.ts';
import type { SubscriptionMessage } from '../../proto/generated/docker/swarmkit/v1/logbroker.ts';

export class SubscriptionListener {
  readonly stream: ServerStream;
  readonly #waiting = new Map<string, SubscriptionMessage>();
  /** Subscriptions the agent knows of. */
  readonly #told = new Set<string>();

  constructor(signal: AbortSignal) {
    this.stream = new ServerStream(signal);
  }

  open(message: SubscriptionMessage): void {
    this.#waiting.set(message.id, message);
    this.stream.wake();
  }

  /** Tells the end of a subscription, if the agent knows of it. */
  close(message: SubscriptionMessage): void {
    if (!this.#told.has(message.id)) {
      this.#waiting.delete(message.id);
      return;
    }
    this.#waiting.set(message.id, message);
    this.stream.wake();
  }

  async *messages(): AsyncGenerator<SubscriptionMessage> {
    if (!this.stream.isOpen()) return;
    do {
      for (const [id, message] of this.#waiting) {
        this.#waiting.delete(id);
        if (message.close) this.#told.delete(id);
        else this.#told.add(id);
        yield message;
        if (!this.stream.isOpen()) return;
      }
    } while (await this.stream.next());
  }
}

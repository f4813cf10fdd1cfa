import { MessageType } from '../types.ts';
import type { Message } from '../types.ts';

/** Messages to peers, gathered during a turn. Snapshots go a way of their own. */
export class Outbox {
  readonly #send: (messages: readonly Message[]) => void;
  readonly #sendSnapshot: (message: Message) => void;
  #messages: Message[] = [];

  constructor(options: {
    readonly send: (messages: readonly Message[]) => void;
    readonly sendSnapshot: (message: Message) => void;
  }) {
    this.#send = options.send;
    this.#sendSnapshot = options.sendSnapshot;
  }

  add(message: Message): void {
    this.#messages.push(message);
  }

  flush(): void {
    if (this.#messages.length === 0) return;
    const messages = this.#messages;
    this.#messages = [];
    const ordinary = messages.filter((message) => message.type !== MessageType.MsgSnap);
    if (ordinary.length > 0) this.#send(ordinary);
    for (const message of messages) if (message.type === MessageType.MsgSnap) this.#sendSnapshot(message);
  }
}

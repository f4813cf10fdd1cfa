import { MessageType } from '../types.ts';
import type { Message, PeerId } from '../types.ts';

/**
 * Messages to peers, gathered during a turn. Snapshots go a way of their own. What tells a peer nothing but how far the log is committed
 * may wait: the next append to it says the same, and so does a heartbeat. A message costs its receiver as much as the entry it is about.
 */
export class Outbox {
  readonly #send: (messages: readonly Message[]) => void;
  readonly #sendSnapshot: (message: Message) => void;
  readonly #deferNotice: ((task: () => void) => void) | undefined;
  #messages: Message[] = [];
  /** Told later, or by another append. */
  #notices = new Map<PeerId, Message>();
  #isReleaseDue = false;
  /** Peers that got an append since the release was asked for: what they are still to be told is younger than that. */
  #appended = new Set<PeerId>();

  constructor(options: {
    readonly send: (messages: readonly Message[]) => void;
    readonly sendSnapshot: (message: Message) => void;
    readonly deferNotice?: ((task: () => void) => void) | undefined;
  }) {
    this.#send = options.send;
    this.#sendSnapshot = options.sendSnapshot;
    this.#deferNotice = options.deferNotice;
  }

  add(message: Message): void {
    if (message.type === MessageType.MsgApp && this.#deferNotice !== undefined) {
      this.#notices.delete(message.to);
      if (message.entries.length === 0) {
        this.#notices.set(message.to, message);
        this.#releaseLater(this.#deferNotice);
        return;
      }
      this.#appended.add(message.to);
    }
    if (message.type === MessageType.MsgTimeoutNow) this.#release();
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

  /** Forgets what waits. */
  close(): void {
    this.#messages = [];
    this.#notices.clear();
  }

  /** Who is to lead must know first what is committed: with an older idea of the members it might wait for one that is about to stop. */
  #release(): void {
    this.#messages.push(...this.#notices.values());
    this.#notices.clear();
  }

  #releaseLater(deferNotice: (task: () => void) => void): void {
    if (this.#isReleaseDue) return;
    this.#isReleaseDue = true;
    this.#appended.clear();
    deferNotice(() => {
      this.#isReleaseDue = false;
      // While writes follow each other, each tells of the one before it in time.
      const due = [...this.#notices.values()].filter(({ to }) => !this.#appended.has(to));
      for (const { to } of due) this.#notices.delete(to);
      if (this.#notices.size > 0) this.#releaseLater(deferNotice);
      if (due.length > 0) this.#send(due);
    });
  }
}

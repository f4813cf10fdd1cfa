/** Events for the other thread: gathered until the moment its owner chooses, then sent together. */
import { BatchWriter, type Batch, type EventKind } from './batch.ts';

export class Outbox {
  readonly #events = new BatchWriter();
  readonly #soon: (flush: () => void) => void;
  readonly #send: (batch: Batch) => void;
  #isDue = false;

  /** @param soon calls what it is given when everything has been gathered that belongs together */
  constructor(soon: (flush: () => void) => void, send: (batch: Batch) => void) {
    this.#soon = soon;
    this.#send = send;
  }

  /** @param bytes must not change until they are sent */
  data(connection: number, bytes: Uint8Array): void {
    this.#events.addData(connection, bytes);
    this.#flushSoon();
  }

  tell(kind: Exclude<EventKind, typeof EventKind.data>, connection: number, count?: number): void {
    this.#events.add(kind, connection, count);
    this.#flushSoon();
  }

  readonly flush = (): void => {
    this.#isDue = false;
    if (!this.#events.isEmpty) this.#send(this.#events.take());
  };

  #flushSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#soon(this.flush);
  }
}

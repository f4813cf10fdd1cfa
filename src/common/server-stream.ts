/** The life of one stream of messages to a client: it waits for work, and ends when the client leaves or we end it. */
import type { SwarmError } from './errors.ts';
import { Wake } from './wake.ts';

export class ServerStream {
  readonly #signal: AbortSignal;
  readonly #wake = new Wake();
  #ended: SwarmError | undefined;
  /** Called when we end the stream, at once: a client that does not read may keep its reader waiting for long. */
  onEnd: (() => void) | undefined;

  /** @param signal aborts when the client goes away */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#wake.set, { once: true });
  }

  /** There is something to look at. */
  wake(): void {
    this.#wake.set();
  }

  /** Ends the stream from our side; the client sees the error. The first error counts. */
  end(error: SwarmError): void {
    if (this.#ended) return;
    this.#ended = error;
    this.#wake.set();
    this.onEnd?.();
  }

  /** Whether we ended it. */
  get isEnded(): boolean {
    return this.#ended !== undefined;
  }

  /** Waits for work; false when the client has gone. Throws what the stream was ended with. */
  async next(): Promise<boolean> {
    if (!this.#signal.aborted && !this.#ended) await this.#wake.wait();
    return this.isOpen();
  }

  /** False when the client has gone. Throws what the stream was ended with. */
  isOpen(): boolean {
    if (this.#ended) throw this.#ended;
    return !this.#signal.aborted;
  }

  /** Stops listening to the client; call it when the stream is over. */
  close(): void {
    this.#signal.removeEventListener('abort', this.#wake.set);
  }
}

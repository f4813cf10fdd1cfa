/** The life of one server stream to an agent: it waits for work and ends when the agent leaves or we end it. */
import type { SwarmError } from '../../common/errors.ts';
import { Wake } from '../../common/wake.ts';

export class AgentStream {
  readonly #signal: AbortSignal;
  readonly #wake = new Wake();
  #ended: SwarmError | undefined;
  /** Called when we end the stream, at once: an agent that does not read may keep its reader waiting for long. */
  onEnd: (() => void) | undefined;

  /** @param signal aborts when the agent goes away */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#wake.set, { once: true });
  }

  /** There is something to look at. */
  wake(): void {
    this.#wake.set();
  }

  /** Ends the stream from our side; the agent sees the error. The first error counts. */
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

  /** Waits for work; false when the agent has gone. Throws what the stream was ended with. */
  async next(): Promise<boolean> {
    if (!this.#signal.aborted && !this.#ended) await this.#wake.wait();
    return this.isOpen();
  }

  /** False when the agent has gone. Throws what the stream was ended with. */
  isOpen(): boolean {
    if (this.#ended) throw this.#ended;
    return !this.#signal.aborted;
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.#wake.set);
  }
}

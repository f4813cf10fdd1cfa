/** Log lines between the nodes that send and the one client that reads: bounded, so a slow reader slows the senders. */
import type { SwarmError } from '../../common/errors.ts';
import type { LogMessage } from '../../proto/generated/docker/swarmkit/v1/logbroker.ts';
import { Wake } from '../../common/wake.ts';

/** What a line takes besides its text, about. */
const LINE_OVERHEAD_BYTES = 128;

export class LineQueue {
  readonly #limitBytes: number;
  readonly #batchBytes: number;
  readonly #wake = new Wake();
  readonly #senders = new Set<() => void>();
  #lines: LogMessage[] = [];
  #bytes = 0;
  #isClosed = false;
  #end: { readonly error: SwarmError | undefined } | undefined;

  /** Holds about `limitBytes` and hands out about `batchBytes` at a time. */
  constructor(limitBytes: number, batchBytes: number) {
    this.#limitBytes = limitBytes;
    this.#batchBytes = batchBytes;
  }

  /** Whether nobody reads any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Adds lines and resolves when there is room for more, or nobody reads any more, or the sender has gone. */
  async push(lines: readonly LogMessage[], signal: AbortSignal): Promise<void> {
    if (this.#isClosed || this.#end) return;
    this.#lines.push(...lines);
    for (const line of lines) this.#bytes += sizeOf(line);
    this.#wake.set();
    while (this.#bytes > this.#limitBytes && !this.#isClosed && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const go = (): void => {
          this.#senders.delete(go);
          signal.removeEventListener('abort', go);
          resolve();
        };
        this.#senders.add(go);
        signal.addEventListener('abort', go);
      });
    }
  }

  /** No more lines will come; the reader gets what is left and then the error, if any. */
  end(error?: SwarmError): void {
    this.#end ??= { error };
    this.#wake.set();
  }

  /** The reader has gone. */
  close(): void {
    this.#isClosed = true;
    this.#lines = [];
    this.#bytes = 0;
    this.#wake.set();
    this.#release();
  }

  /** Batches of lines until the end. Throws the error the queue was ended with. */
  async *read(): AsyncGenerator<readonly LogMessage[]> {
    for (;;) {
      while (this.#lines.length > 0) yield this.#take();
      if (this.#isClosed) return;
      if (this.#end?.error) throw this.#end.error;
      if (this.#end) return;
      await this.#wake.wait();
    }
  }

  #take(): readonly LogMessage[] {
    let bytes = 0;
    let count = 0;
    for (const line of this.#lines) {
      const size = sizeOf(line);
      if (count > 0 && bytes + size > this.#batchBytes) break;
      bytes += size;
      count++;
    }
    const taken = this.#lines.slice(0, count);
    this.#lines = this.#lines.slice(count);
    this.#bytes -= bytes;
    if (this.#bytes <= this.#limitBytes) this.#release();
    return taken;
  }

  #release(): void {
    for (const go of this.#senders) go();
  }
}

const sizeOf = (line: LogMessage): number => line.data.length + LINE_OVERHEAD_BYTES;

import { Worker } from 'node:worker_threads';
import type { FromWorker, ToWorker, WorkerStart } from './worker-protocol.ts';

/**
 * The compiled worker. Threads can not load TypeScript, so when this module itself is loaded as source (by a test runner) the
 * worker of the last build is taken.
 */
function workerFile(): URL {
  const here = import.meta.url;
  return here.endsWith('.ts') ? new URL('../../dist/log/log-worker.js', here) : new URL('./log-worker.js', here);
}

/** The main thread's end of the log's worker. */
export class WorkerLink {
  readonly #worker: Worker;
  readonly #onFailure: (detail: string) => void;
  #expectExit = false;
  #isClosing = false;

  constructor(start: WorkerStart, onMessage: (message: FromWorker) => void, onFailure: (detail: string) => void) {
    this.#onFailure = onFailure;
    this.#worker = new Worker(workerFile(), { workerData: start, name: 'raft-log', execArgv: [] });
    this.#worker.on('message', onMessage);
    this.#worker.on('error', (error) => this.#fail(error.message));
    this.#worker.on('exit', (code) => {
      // The end of a thread that was told to close may be seen before its last message, and then stands for it.
      if (this.#isClosing && code === 0) {
        this.#expectExit = true;
        onMessage({ kind: 'closed' });
      }
      this.#fail(`its thread ended with code ${String(code)}`);
    });
  }

  send(message: ToWorker, transfer: readonly ArrayBuffer[] = []): void {
    if (message.kind === 'close') this.#isClosing = true;
    this.#worker.postMessage(message, transfer);
  }

  /** Ends the thread once it has closed its files (or at once if it did not get to). */
  async end(): Promise<void> {
    this.#expectExit = true;
    await this.#worker.terminate();
  }

  #fail(detail: string): void {
    if (this.#expectExit) return;
    this.#expectExit = true;
    this.#onFailure(detail);
  }
}

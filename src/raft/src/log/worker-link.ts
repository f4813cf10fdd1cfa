import { MessageChannel, Worker, receiveMessageOnPort } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import type { FromWorker, ToWorker, WorkerData, WorkerStart } from './worker-protocol.ts';

/**
 * The compiled worker. Threads can not load TypeScript, so when this module itself is loaded as source (by a test runner) the
 * worker of the last build is taken.
 */
function workerFile(): URL {
  const here = import.meta.url;
  return here.endsWith('.ts') ? new URL('../../dist/log/log-worker.js', here) : new URL('./log-worker.js', here);
}

/** The worker lets go of each batch once it is written; with little room for new objects it collects them soon. */
const WORKER_YOUNG_MB = 4;

/** The main thread's end of the log's worker. */
export class WorkerLink {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #onMessage: (message: FromWorker) => void;
  readonly #onFailure: (detail: string) => void;
  #expectExit = false;
  #isClosing = false;

  constructor(start: WorkerStart, onMessage: (message: FromWorker) => void, onFailure: (detail: string) => void) {
    this.#onMessage = onMessage;
    this.#onFailure = onFailure;
    const { port1, port2 } = new MessageChannel();
    const workerData: WorkerData = { start, port: port2 };
    this.#worker = new Worker(workerFile(), {
      workerData,
      transferList: [port2],
      name: 'raft-log',
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: WORKER_YOUNG_MB },
    });
    this.#port = port1;
    this.#port.on('message', onMessage);
    this.#worker.on('error', (error) => this.#fail(error.message));
    this.#worker.on('exit', (code) => {
      this.#takeAll();
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
    this.#port.postMessage(message, transfer);
  }

  /** Ends the thread once it has closed its files (or at once if it did not get to). */
  async end(): Promise<void> {
    this.#expectExit = true;
    await this.#worker.terminate();
    this.#port.close();
  }

  #takeAll(): void {
    for (let next = receiveMessageOnPort(this.#port); next !== undefined; next = receiveMessageOnPort(this.#port)) {
      this.#onMessage(next.message as FromWorker);
    }
  }

  #fail(detail: string): void {
    if (this.#expectExit) return;
    this.#expectExit = true;
    this.#onFailure(detail);
  }
}

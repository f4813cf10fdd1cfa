/** This thread's end of the thread that owns the API's sockets. */
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { hearInLongTurns } from '../../common/long-turns.ts';
import { EventKind, eventsOf, LARGE_BATCH_BYTES, type Batch } from './batch.ts';
import { Outbox } from './outbox.ts';
import type { FromThread, ListenRequest, ToThread } from './protocol.ts';
import { RelayedConnection } from './relayed-connection.ts';
import { Room } from './room.ts';

/** It only passes bytes on; with little room for new objects it collects them soon. */
const YOUNG_MB = 2;
/** They are counted from 1 on. */
const NO_CONNECTION = 0;

/** An address cannot be listened on. */
export class ListenError extends Error {
  /** Of the system, as EADDRINUSE. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export class ConnectionRelay {
  readonly #port: MessagePort;
  readonly #stopHearing: () => void;
  /** Resolves when the thread has begun. */
  readonly started: Promise<void>;
  readonly #ended: Promise<void>;
  readonly #accept: (connection: RelayedConnection) => void;
  #settled: { resolve: (port: number) => void; reject: (error: ListenError) => void } | undefined;
  readonly #connections = new Map<number, RelayedConnection>();
  readonly #room = new Room();
  readonly #outbox = new Outbox(atEndOfCallback, (batch) =>
    this.#post({ kind: 'events', batch }, [batch.bytes.buffer]),
  );
  #isTaking = false;

  /** @param accept gets each connection that comes in */
  constructor(accept: (connection: RelayedConnection) => void) {
    this.#accept = accept;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const worker = new Worker(threadFile(), {
      workerData: port2,
      transferList: [port2],
      name: 'api-connections',
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    this.#port.on('message', (message: FromThread) => this.#take(message));
    this.started = new Promise((resolve) => worker.once('online', () => resolve()));
    this.#ended = new Promise((resolve) => worker.once('exit', () => resolve()));
    this.#stopHearing = hearInLongTurns(() => this.#takeWaiting());
  }

  /**
   * Resolves with the port (0 of a unix socket) once connections are accepted. Only one at a time.
   * Throws {@link ListenError}.
   */
  listen(where: ListenRequest): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#settled = { resolve, reject };
      this.#post({ kind: 'listen', where });
    });
  }

  stopListening(): void {
    this.#post({ kind: 'stop listening' });
  }

  /** Resolves when what was written has left, or its readers were waited for long enough. */
  async close(): Promise<void> {
    this.#outbox.flush();
    this.#post({ kind: 'close' });
    await this.#ended;
    this.#stopHearing();
    this.#port.close();
  }

  /** Takes what has come and was not heard of yet, unless it is called from what is being taken: order matters. */
  #takeWaiting(): void {
    if (this.#isTaking) return;
    for (let next = receiveMessageOnPort(this.#port); next !== undefined; next = receiveMessageOnPort(this.#port)) {
      this.#take(next.message as FromThread);
    }
  }

  #take(message: FromThread): void {
    this.#isTaking = true;
    try {
      if (message.kind === 'events') this.#apply(message.batch);
      else if (message.kind === 'listening') this.#settled?.resolve(message.port);
      else this.#settled?.reject(new ListenError(message.code, message.message));
    } finally {
      this.#isTaking = false;
    }
  }

  #apply(batch: Batch): void {
    for (const { kind, connection: id, count, data } of eventsOf(batch)) {
      if (kind === EventKind.open) {
        this.#open(id, count === 1);
        continue;
      }
      const connection = this.#connections.get(id);
      if (connection === undefined) continue;
      if (kind === EventKind.data) connection.receive(data);
      else if (kind === EventKind.end) connection.receiveEnd();
      else if (kind === EventKind.written) connection.wrote(count);
      else if (kind === EventKind.gone) connection.destroy();
    }
    const { length } = batch.bytes;
    if (length >= LARGE_BATCH_BYTES) this.#outbox.tell(EventKind.heard, NO_CONNECTION, length);
  }

  #open(id: number, isLocal: boolean): void {
    const connection = new RelayedConnection(isLocal, this.#room, {
      write: (bytes) => this.#outbox.data(id, bytes),
      end: () => this.#outbox.tell(EventKind.end, id),
      pause: () => this.#outbox.tell(EventKind.pause, id),
      resume: () => this.#outbox.tell(EventKind.resume, id),
      close: () => {
        this.#connections.delete(id);
        this.#outbox.tell(EventKind.gone, id);
      },
    });
    this.#connections.set(id, connection);
    this.#accept(connection);
  }

  #post(message: ToThread, transfer: readonly ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}

/**
 * What one callback of the event loop leads to is told at its end, together: a tick asked for by a microtask comes after all
 * microtasks. Waiting for the end of the turn would be waiting for whatever else is ready to be read.
 */
const atEndOfCallback = (flush: () => void): void => queueMicrotask(() => process.nextTick(flush));

/** The compiled thread. Threads can not load TypeScript, so when this module itself is loaded as source the one of the last build is taken. */
function threadFile(): URL {
  const here = import.meta.url;
  const file = 'connection-thread.js';
  return here.endsWith('.ts') ? new URL(`../../../dist/api/connections/${file}`, here) : new URL(`./${file}`, here);
}

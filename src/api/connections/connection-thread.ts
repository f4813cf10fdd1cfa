/**
 * The thread that owns the API's sockets. It knows nothing of HTTP: bytes go to and from the thread that answers, so that reading
 * requests and writing long answers do not wait for that one's turns, which take tenths of a second when thousands of agents report.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { EventKind, eventsOf, LARGE_BATCH_BYTES, type Batch } from './batch.ts';
import { Outbox } from './outbox.ts';
import type { FromThread, ListenRequest, ToThread } from './protocol.ts';

/** A client that does not read what was written before its connection was given up is waited for this long. */
const LINGER_MS = 2_000;

/** Bytes that left are told in portions of this size: less than the other side lets be under way on any connection. */
const TELL_WRITTEN_BYTES = 32 * 1024;

/** With so many bytes read that were not heard yet, no more are: the other side may be in a long turn. */
const MOST_UNHEARD_BYTES = 4 * 1024 * 1024;

interface Connection {
  readonly socket: Socket;
  /** Whether who answers does not want to read now. */
  isPaused: boolean;
  /** Bytes that left and were not told yet. */
  written: number;
}

class ConnectionThread {
  readonly #send: (message: FromThread, transfer: readonly ArrayBuffer[]) => void;
  readonly #servers: Server[] = [];
  readonly #connections = new Map<number, Connection>();
  /** Connections that are not read until more has been heard. */
  readonly #held = new Set<Connection>();
  readonly #outbox: Outbox;
  /** Bytes of large batches that were not heard yet. */
  #unheard = 0;
  #lastConnection = 0;

  constructor(send: (message: FromThread, transfer: readonly ArrayBuffer[]) => void) {
    this.#send = send;
    // What happens in one turn is told at its end, together.
    this.#outbox = new Outbox(setImmediate, (batch) => this.#sendEvents(batch));
  }

  /** @returns whether more will come */
  take(message: ToThread): boolean {
    if (message.kind === 'events') this.#apply(message.batch);
    else if (message.kind === 'listen') this.#listen(message.where);
    else this.#stopListening();
    if (message.kind === 'close') for (const [id, { socket }] of this.#connections) this.#giveUp(id, socket);
    return message.kind !== 'close';
  }

  #listen({ at, tls }: ListenRequest): void {
    const isLocal = 'path' in at;
    const accept = (socket: Socket): void => this.#accept(socket, isLocal);
    const options = { allowHalfOpen: true, noDelay: true };
    const server =
      tls === undefined
        ? createServer(options, accept)
        : createTlsServer(
            {
              ...options,
              ca: tls.ca,
              cert: tls.certificate,
              key: tls.key,
              requestCert: true,
              rejectUnauthorized: true,
              minVersion: 'TLSv1.2',
              ALPNProtocols: ['http/1.1'],
            },
            accept,
          );
    const refused = ({ code = '', message }: NodeJS.ErrnoException): void =>
      this.#send({ kind: 'refused', code, message }, []);
    server.once('error', refused);
    server.listen(at, () => {
      server.off('error', refused);
      // A connection that could not be accepted is its client's loss alone.
      server.on('error', () => undefined);
      this.#servers.push(server);
      const bound = server.address();
      const port = typeof bound === 'object' && bound ? bound.port : 0;
      this.#send({ kind: 'listening', port }, []);
    });
  }

  #stopListening(): void {
    for (const server of this.#servers.splice(0)) server.close();
  }

  #accept(socket: Socket, isLocal: boolean): void {
    const id = ++this.#lastConnection;
    const connection: Connection = { socket, isPaused: false, written: 0 };
    this.#connections.set(id, connection);
    this.#outbox.tell(EventKind.open, id, isLocal ? 1 : 0);
    socket.on('data', (piece: Buffer) => {
      this.#outbox.data(id, piece);
      if (this.#unheard <= MOST_UNHEARD_BYTES) return;
      socket.pause();
      this.#held.add(connection);
    });
    socket.on('end', () => this.#outbox.tell(EventKind.end, id));
    // What follows an error is 'close'.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#held.delete(connection);
      if (this.#connections.delete(id)) this.#outbox.tell(EventKind.gone, id);
    });
  }

  #apply(batch: Batch): void {
    for (const { kind, connection: id, count, data } of eventsOf(batch)) {
      if (kind === EventKind.heard) this.#heard(count);
      const connection = this.#connections.get(id);
      if (connection === undefined) continue;
      const { socket } = connection;
      if (kind === EventKind.data) socket.write(data, () => this.#wrote(id, connection, data.length));
      else if (kind === EventKind.end) socket.end();
      else if (kind === EventKind.pause) this.#setPaused(connection, true);
      else if (kind === EventKind.resume) this.#setPaused(connection, false);
      else if (kind === EventKind.gone) this.#giveUp(id, socket);
    }
  }

  #setPaused(connection: Connection, isPaused: boolean): void {
    connection.isPaused = isPaused;
    if (isPaused) connection.socket.pause();
    else if (!this.#held.has(connection)) connection.socket.resume();
  }

  #heard(bytes: number): void {
    this.#unheard -= bytes;
    if (this.#unheard > MOST_UNHEARD_BYTES) return;
    for (const { socket, isPaused } of this.#held) if (!isPaused) socket.resume();
    this.#held.clear();
  }

  #wrote(id: number, connection: Connection, bytes: number): void {
    connection.written += bytes;
    if (connection.written < TELL_WRITTEN_BYTES || !this.#connections.has(id)) return;
    this.#outbox.tell(EventKind.written, id, connection.written);
    connection.written = 0;
  }

  #giveUp(id: number, socket: Socket): void {
    this.#connections.delete(id);
    socket.destroySoon();
    const cut = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(cut));
  }

  #sendEvents(batch: Batch): void {
    if (batch.bytes.length >= LARGE_BATCH_BYTES) this.#unheard += batch.bytes.length;
    this.#send({ kind: 'events', batch }, [batch.bytes.buffer]);
  }
}

const port = workerData as MessagePort;
const thread = new ConnectionThread((message, transfer) => port.postMessage(message, transfer));
port.on('message', (message: ToThread) => {
  // With nothing left to hear and all sockets closed, the thread ends by itself.
  if (!thread.take(message)) port.close();
});

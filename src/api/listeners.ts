/** The sockets the API is served on, and how they are opened and closed. */
import { chmod, lstat, unlink } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { SwarmError } from '../common/errors.ts';
import { ConnectionRelay, ListenError } from './connections/connection-relay.ts';
import type { ListenRequest, TlsFiles } from './connections/protocol.ts';
import type { RelayedConnection } from './connections/relayed-connection.ts';
import { isLoopback, type ListenAddress } from './listen-address.ts';

/** Docker clients put whole specs into the query string. */
const MAX_HEADER_BYTES = 1 << 20;
/** How long clients may take, in ms; answers may take any time. */
export interface Patience {
  /** Between two requests. Longer than pooled clients keep a connection, so that they never write to one we just closed. */
  readonly idleMs: number;
  readonly headersMs: number;
  /** For the whole request. */
  readonly requestMs: number;
  /** Those that are too slow are looked for this often. */
  readonly checkMs: number;
}
const PATIENCE: Patience = { idleMs: 90_000, headersMs: 60_000, requestMs: 300_000, checkMs: 10_000 };
/** Owner and group may use the socket. */
const SOCKET_MODE = 0o660;
/** Connections that become idle while the server closes are looked for this often. */
const IDLE_CHECK_MS = 20;

export interface ListenersOptions {
  readonly handler: RequestListener;
  /** For TCP addresses; needed for those that other machines can reach. */
  readonly tls: TlsFiles | undefined;
  /** Default: minutes. */
  readonly patience?: Patience;
}

/** One HTTP server on any number of addresses, whose sockets a thread of its own reads and writes. */
export class Listeners {
  readonly #server: Server;
  readonly #tls: TlsFiles | undefined;
  readonly #connections = new Set<RelayedConnection>();
  /** Made with the first address. */
  #relay: ConnectionRelay | undefined;

  constructor({ handler, tls, patience = PATIENCE }: ListenersOptions) {
    this.#tls = tls;
    this.#server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        keepAliveTimeout: patience.idleMs,
        headersTimeout: patience.headersMs,
        requestTimeout: patience.requestMs,
        connectionsCheckingInterval: patience.checkMs,
      },
      handler,
    );
  }

  /** Called with each request to leave HTTP. */
  onUpgrade(take: (request: IncomingMessage, connection: Duplex, head: Buffer) => void): void {
    this.#server.on('upgrade', take);
  }

  /** Answers a request to leave HTTP as if it were none, as HTTP lets servers do: some clients ask for HTTP/2 with every first one. */
  stay(request: IncomingMessage, connection: Duplex, head: Buffer): void {
    connection.unshift(Buffer.concat([headWithoutUpgrade(request), head]));
    this.#server.emit('connection', connection);
  }

  /**
   * Resolves with the port once connections are accepted (0 for unix sockets).
   * Throws invalidArgument when it would be served to other machines without TLS, unavailable when the address cannot be had.
   */
  async open(address: ListenAddress): Promise<number> {
    if (address.kind === 'unix') {
      await removeStaleSocket(address.path);
      const { started } = this.#startedRelay();
      await started;
      // Bound before anyone else could connect: the mask holds while the file is made.
      const mask = process.umask(0o777 & ~SOCKET_MODE);
      try {
        await this.#listen(address.path, { at: { path: address.path }, tls: undefined });
      } finally {
        process.umask(mask);
      }
      await chmod(address.path, SOCKET_MODE);
      return 0;
    }
    const { host, port } = address;
    if (this.#tls === undefined && !isLoopback(host)) {
      throw new SwarmError(
        'invalidArgument',
        `API address tcp://${host}:${port} can be reached from other machines: give a TLS certificate, key and CA, or listen on 127.0.0.1`,
      );
    }
    return await this.#listen(`${host}:${port}`, { at: { port, host: host || undefined }, tls: this.#tls });
  }

  /** Resolves when all connections are gone; those still open after `graceMs` are cut. */
  async close(graceMs: number): Promise<void> {
    this.#relay?.stopListening();
    const end = performance.now() + graceMs;
    while (this.#connections.size > 0 && performance.now() < end) {
      this.#server.closeIdleConnections();
      await delay(IDLE_CHECK_MS);
    }
    for (const connection of this.#connections) connection.destroy();
    this.#server.close();
    await this.#relay?.close();
  }

  async #listen(name: string, where: ListenRequest): Promise<number> {
    try {
      return await this.#startedRelay().listen(where);
    } catch (error) {
      throw error instanceof ListenError ? refusal(name, error) : error;
    }
  }

  #startedRelay(): ConnectionRelay {
    if (this.#relay === undefined) {
      this.#relay = new ConnectionRelay((connection) => this.#accept(connection));
      // The server looks for slow and idle connections only once it listens, which the relay does in its place.
      this.#server.emit('listening');
    }
    return this.#relay;
  }

  #accept(connection: RelayedConnection): void {
    this.#connections.add(connection);
    connection.once('close', () => this.#connections.delete(connection));
    this.#server.emit('connection', connection);
  }
}

/** Names of headers that are about leaving HTTP. */
const UPGRADE_HEADERS = new Set(['connection', 'http2-settings', 'upgrade']);

function headWithoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = rawHeaders.slice(i, i + 2);
    if (!UPGRADE_HEADERS.has(name.toLowerCase())) text += `${name}: ${value}\r\n`;
  }
  return Buffer.from(`${text}\r\n`, 'latin1');
}

function refusal(name: string, error: ListenError): SwarmError {
  const remedy =
    error.code === 'EADDRINUSE'
      ? 'another program listens there; stop it or choose another address'
      : error.code === 'EACCES'
        ? 'its folder is missing, or this user may not; make the folder, choose another address or run as root'
        : `${error.message}; choose another address`;
  return new SwarmError('unavailable', `cannot listen on ${name}: ${remedy}`, { cause: error });
}

/** Removes a socket nobody listens on any more; leaves everything else alone. */
async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (!found) return;
  if (!found.isSocket()) {
    throw new SwarmError(
      'unavailable',
      `cannot listen on ${path}: a file that is no socket is there; choose another address`,
    );
  }
  if (await answers(path)) {
    throw new SwarmError(
      'unavailable',
      `cannot listen on ${path}: another program listens there; stop it or choose another address`,
    );
  }
  await unlink(path);
}

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

/** The sockets the API is served on, and how they are opened and closed. */
import { chmod, lstat, unlink } from 'node:fs/promises';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect } from 'node:net';
import { SwarmError } from '../common/errors.ts';
import { isLoopback, type ListenAddress } from './listen-address.ts';

/** Docker clients put whole specs into the query string. */
const MAX_HEADER_BYTES = 1 << 20;
/** Longer than pooled clients keep a connection, so that they never write to one we just closed. */
const KEEP_ALIVE_MS = 90_000;
/** A client must send its headers within the first time and its whole request within the second; answers may take any time. */
const HEADERS_TIMEOUT_MS = 60_000;
const REQUEST_TIMEOUT_MS = 300_000;
/** Owner and group may use the socket. */
const SOCKET_MODE = 0o660;

/** Server side of mutual TLS, PEM. Clients need a certificate of `ca`. */
export interface TlsFiles {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

export interface ListenerOptions {
  readonly handler: RequestListener;
  /** Needed for TCP addresses other machines can reach. */
  readonly tls?: TlsFiles | undefined;
}

/** A server that is not listening yet. */
export function createListener(address: ListenAddress, options: ListenerOptions): Server {
  const settings = {
    maxHeaderSize: MAX_HEADER_BYTES,
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: 10_000,
  };
  if (address.kind === 'unix') return createHttpServer(settings, options.handler);
  if (options.tls) {
    const { ca, certificate, key } = options.tls;
    return createHttpsServer(
      { ...settings, ca, cert: certificate, key, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.2' },
      options.handler,
    );
  }
  if (!isLoopback(address.host)) {
    throw new SwarmError(
      'invalidArgument',
      `API address tcp://${address.host}:${address.port} can be reached from other machines: give a TLS certificate, key and CA, or listen on 127.0.0.1`,
    );
  }
  return createHttpServer(settings, options.handler);
}

/** Resolves with the port once connections are accepted (0 for unix sockets). Throws failedPrecondition when the address is taken. */
export async function openListener(server: Server, address: ListenAddress): Promise<number> {
  if (address.kind === 'unix') {
    await removeStaleSocket(address.path);
    // Bound before anyone else could connect: the mask holds while the file is made.
    const mask = process.umask(0o777 & ~SOCKET_MODE);
    try {
      await listening(server, address.path, () => server.listen(address.path));
    } finally {
      process.umask(mask);
    }
    await chmod(address.path, SOCKET_MODE);
    return 0;
  }
  await listening(server, `${address.host}:${address.port}`, () =>
    server.listen(address.port, address.host || undefined),
  );
  const bound = server.address();
  return typeof bound === 'object' && bound ? bound.port : address.port;
}

function listening(server: Server, name: string, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      const remedy =
        error.code === 'EADDRINUSE'
          ? 'another program listens there; stop it or choose another address'
          : error.code === 'EACCES'
            ? 'its folder is missing, or this user may not; make the folder, choose another address or run as root'
            : `${error.message}; choose another address`;
      reject(new SwarmError('failedPrecondition', `cannot listen on ${name}: ${remedy}`, { cause: error }));
    };
    server.once('error', onError);
    server.once('listening', () => {
      server.off('error', onError);
      resolve();
    });
    listen();
  });
}

/** Removes a socket nobody listens on any more; leaves everything else alone. */
async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (!found) return;
  if (!found.isSocket()) {
    throw new SwarmError('failedPrecondition', `cannot listen on ${path}: a file that is no socket is there`);
  }
  if (await answers(path)) {
    throw new SwarmError(
      'failedPrecondition',
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

/** Connections that become idle while the server closes are looked for this often. */
const IDLE_CHECK_MS = 20;

/** Resolves when all connections are gone; those still open after `graceMs` are cut. */
export async function closeListener(server: Server, graceMs: number): Promise<void> {
  const closeIdle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  clearInterval(closeIdle);
  clearTimeout(cut);
}

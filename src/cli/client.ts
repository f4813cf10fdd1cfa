/** The API as the command line uses it: HTTP over a unix socket, TCP or TLS. */
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { WebSocket } from 'ws';
import { SwarmError, type ErrorCode } from '../common/errors.ts';
import { UsageError } from './usage-error.ts';

export interface ClientOptions {
  /** unix:///path.sock, tcp://host:port or https://host:port. */
  readonly host: string;
  readonly tls?: TlsMaterial | undefined;
  /** Where people say the address, for messages. @default '--host' */
  readonly flag?: string;
}

/** PEM texts: the authority that signed the server's certificate, and the certificate to show it. */
export interface TlsMaterial {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** Which of our errors an HTTP status stands for; its exit code follows from the error table. */
const CODE_BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'invalidArgument',
  401: 'unauthenticated',
  403: 'permissionDenied',
  404: 'notFound',
  409: 'alreadyExists',
  413: 'invalidArgument',
  501: 'unimplemented',
  503: 'unavailable',
  504: 'deadlineExceeded',
  507: 'resourceExhausted',
};

/** Docker says with 503, too, what a node may not do in its role or outside of a swarm: waiting does not help. */
const REFUSED_BY_ROLE = /^(This node is (not|already) |You are attempting to leave the swarm )/;

export class ApiClient {
  readonly host: string;
  readonly #flag: string;
  readonly #base: RequestOptions;
  readonly #isTls: boolean;
  readonly #send: typeof httpRequest;

  /** Throws a UsageError when the address cannot be understood. */
  constructor(options: ClientOptions) {
    this.host = options.host;
    this.#flag = options.flag ?? '--host';
    const url = parseHost(options.host, this.#flag);
    this.#isTls = options.tls !== undefined || url.protocol === 'https:';
    this.#send = this.#isTls ? (httpsRequest as typeof httpRequest) : httpRequest;
    const { tls } = options;
    this.#base =
      url.protocol === 'unix:' ? { socketPath: url.pathname } : { host: url.hostname, port: url.port || 2375, ...tls };
  }

  get<T>(path: string, query?: Query): Promise<T> {
    return this.#json('GET', path, query);
  }

  post<T>(path: string, query?: Query, body?: unknown): Promise<T> {
    return this.#json('POST', path, query, body);
  }

  delete<T>(path: string, query?: Query): Promise<T> {
    return this.#json('DELETE', path, query);
  }

  /** The raw body of a stream, until it ends or the signal aborts. */
  async *stream(path: string, query: Query, signal: AbortSignal): AsyncGenerator<Buffer> {
    const response = await this.#open('GET', path, query, undefined, signal);
    try {
      for await (const chunk of response) yield chunk as Buffer;
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** A WebSocket that is open; `onText` gets its messages from the very first. Throws as requests do when the server cannot be reached or refuses. */
  connect(path: string, query: Query, onText: (text: string) => void): Promise<WebSocket> {
    const { socketPath, host, port, ...tls } = this.#base;
    const target = `${path}${queryText(query)}`;
    const url = socketPath
      ? `ws+unix://${socketPath}:${target}`
      : `${this.#isTls ? 'wss' : 'ws'}://${host}:${port}${target}`;
    const socket = new WebSocket(url, tls as object);
    socket.on('message', (data) => onText((data as Buffer).toString('utf8')));
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(socket));
      socket.once('error', (error) => reject(this.#unreachable(error)));
      socket.once('unexpected-response', (_request, response) => {
        textOf(response).then((text) => reject(errorOf(response.statusCode ?? 0, text)), reject);
      });
    });
  }

  async #json<T>(method: string, path: string, query?: Query, body?: unknown): Promise<T> {
    const response = await this.#open(method, path, query, body);
    const text = await textOf(response);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  #open(method: string, path: string, query?: Query, body?: unknown, signal?: AbortSignal): Promise<IncomingMessage> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const headers =
      payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) };
    return new Promise((resolve, reject) => {
      const options: RequestOptions = {
        ...this.#base,
        method,
        path: `${path}${queryText(query)}`,
        headers,
        ...(signal ? { signal } : {}),
      };
      const call = this.#send(options, (response) => {
        const status = response.statusCode ?? 0;
        if (status < 300) return resolve(response);
        textOf(response).then((text) => reject(errorOf(status, text)), reject);
      });
      call.on('error', (error) => reject(signal?.aborted ? error : this.#unreachable(error)));
      call.end(payload);
    });
  }

  #unreachable(error: NodeJS.ErrnoException): SwarmError {
    const why =
      error.code === 'ENOENT'
        ? 'there is no such socket'
        : error.code === 'ECONNREFUSED'
          ? 'nothing listens there'
          : error.message;
    return new SwarmError(
      'unavailable',
      `cannot reach swarmd at ${this.host}: ${why}; start it with "swarmd up", or name another address with ${this.#flag}`,
      {
        cause: error,
      },
    );
  }
}

function parseHost(text: string, flag: string): Pick<URL, 'protocol' | 'pathname' | 'hostname' | 'port'> {
  if (text.startsWith('/')) return { protocol: 'unix:', pathname: text, hostname: '', port: '' };
  if (text.startsWith('unix://'))
    return { protocol: 'unix:', pathname: text.slice('unix://'.length), hostname: '', port: '' };
  try {
    const { protocol, pathname, hostname, port } = new URL(text.replace(/^tcp:/, 'http:'));
    if (protocol === 'http:' || protocol === 'https:') return { protocol, pathname, hostname, port };
  } catch {
    // Told below.
  }
  throw new UsageError(`${flag} "${text}": write unix:///path.sock, tcp://host:port or https://host:port`);
}

function queryText(query: Query | undefined): string {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  return pairs.length === 0
    ? ''
    : `?${new URLSearchParams(pairs.map(([k, v]): [string, string] => [k, String(v)])).toString()}`;
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function errorOf(status: number, text: string): SwarmError {
  let message = text.trim();
  try {
    message = (JSON.parse(text) as { message?: string }).message ?? message;
  } catch {
    // Not JSON: the text itself says it.
  }
  const code = CODE_BY_STATUS[status] ?? 'unknown';
  return new SwarmError(
    code === 'unavailable' && REFUSED_BY_ROLE.test(message) ? 'permissionDenied' : code,
    message.replace(/^rpc error: code = \w+ desc = /, '') || `the server answered ${status}`,
  );
}

/**
 * The container half of the Docker API, passed on to the container engine this node runs its tasks with. The engine may
 * speak an older version than the client, so the version in the path is lowered to what both know.
 */
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import { withoutVersion } from '../api-version.ts';
import { HttpError } from '../http-error.ts';
import type { ApiReply } from '../http/reply.ts';
import type { ApiRequest } from '../http/request.ts';
import type { Router } from '../http/router.ts';

/** Paths that speak of containers, images, volumes and plugins of one machine. */
const CONTAINER_HALF = [
  'auth',
  'build',
  'commit',
  'containers',
  'distribution',
  'exec',
  'images',
  'plugins',
  'session',
  'system/df',
  'volumes',
] as const;

const PATTERN = new RegExp(`^/(${CONTAINER_HALF.join('|')})(/|\\?|$)`);

/** Headers that belong to one connection and are not passed on. */
const HOP_HEADERS = ['connection', 'keep-alive', 'transfer-encoding', 'upgrade'];

/** On whose behalf the engine is asked. */
export type EngineCaller = Pick<ApiRequest, 'apiMinor' | 'signal'>;

export interface EngineAnswer {
  readonly status: number;
  /** Undefined for refusals. */
  readonly json: unknown;
}

interface Sending {
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Buffer | Readable;
  readonly signal: AbortSignal;
}

export class Engine {
  readonly #socketPath: string;
  #minor: Promise<number> | undefined;

  /** @param socketPath unix socket of the engine */
  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /** Whether a request (its address without version) is the engine's to answer. */
  serves(url: string): boolean {
    return PATTERN.test(url);
  }

  /** Routes for the whole container half; bodies are streamed, whatever their size. */
  register(app: Router): void {
    for (const path of CONTAINER_HALF) {
      for (const url of [`/${path}`, `/${path}/*`]) {
        app.stream(url, async (request, reply) => void (await this.pass(request, reply)));
      }
    }
  }

  /** Joins a connection that leaves HTTP (attach, exec) with one to the engine. */
  async splice(request: IncomingMessage, socket: Duplex, head: Buffer, apiMinor: number): Promise<void> {
    const path = await this.#pathFor(request.url ?? '/', apiMinor);
    const engine = connect(this.#socketPath);
    const headers = pairs(request.rawHeaders).map(([name, value]) => `${name}: ${value}\r\n`);
    engine.write(`${request.method} ${path} HTTP/1.1\r\n${headers.join('')}\r\n`);
    if (head.length > 0) engine.write(head);
    engine.on('error', () => socket.destroy());
    socket.on('error', () => engine.destroy());
    engine.pipe(socket);
    socket.pipe(engine);
  }

  /**
   * Passes a request on as it came, its body whole or still to be read, and the answer back; resolves with its status.
   * @param body in place of the one that came
   * @param url in place of the one it came for
   */
  async pass(
    request: ApiRequest,
    reply: ApiReply,
    body: Buffer = request.body,
    url = request.originalUrl,
  ): Promise<number> {
    const answer = await this.#send(request.method, url, request.apiMinor, {
      headers: passedHeaders(request, body),
      body: body.length > 0 ? body : request.raw,
      signal: request.signal,
    });
    const raw = reply.hijack();
    raw.writeHead(answer.statusCode ?? 502, withoutHopHeaders(answer));
    // Logs and attached output may stay silent for long: the client must know at once that it is connected.
    raw.flushHeaders();
    answer.on('error', () => raw.destroy());
    answer.pipe(raw);
    return answer.statusCode ?? 502;
  }

  /** Asks for something of our own; the answer is read whole. */
  async ask(method: string, path: string, { apiMinor, signal }: EngineCaller, body?: object): Promise<EngineAnswer> {
    const sent = body && { headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(body)) };
    const answer = await this.#send(method, path, apiMinor, { ...sent, signal });
    const parts: Buffer[] = [];
    for await (const part of answer) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString('utf8');
    const status = answer.statusCode ?? 502;
    return { status, json: status < 400 && text !== '' ? (JSON.parse(text) as unknown) : undefined };
  }

  /** An answer that goes on, such as events. */
  open(path: string, { apiMinor, signal }: EngineCaller): Promise<IncomingMessage> {
    return this.#send('GET', path, apiMinor, { signal });
  }

  async #send(method: string, url: string, apiMinor: number, sending: Sending): Promise<IncomingMessage> {
    const path = await this.#pathFor(url, apiMinor);
    const { headers = {}, body, signal } = sending;
    return new Promise<IncomingMessage>((resolve, reject) => {
      const passed = httpRequest({ socketPath: this.#socketPath, method, path, headers });
      const leave = (): void => void passed.destroy();
      signal.addEventListener('abort', leave, { once: true });
      passed.once('close', () => signal.removeEventListener('abort', leave));
      passed.once('response', resolve);
      passed.on('error', (error) => reject(unreachable(error)));
      if (body === undefined || Buffer.isBuffer(body)) passed.end(body);
      else body.pipe(passed);
    });
  }

  async #pathFor(originalUrl: string, apiMinor: number): Promise<string> {
    return `/v1.${Math.min(apiMinor, await this.#newestMinor())}${withoutVersion(originalUrl)}`;
  }

  /** Newest version the engine speaks; asked once, and again after a failure. */
  #newestMinor(): Promise<number> {
    this.#minor ??= this.#askVersion().catch((error: unknown) => {
      this.#minor = undefined;
      throw unreachable(error);
    });
    return this.#minor;
  }

  #askVersion(): Promise<number> {
    return new Promise((resolve, reject) => {
      httpRequest({ socketPath: this.#socketPath, path: '/_ping' }, (response) => {
        response.resume();
        const minor = Number(/^1\.(\d+)$/.exec(String(response.headers['api-version']))?.[1] ?? Number.NaN);
        if (Number.isNaN(minor)) reject(new Error('it told no API version'));
        else resolve(minor);
      })
        .once('error', reject)
        .end();
    });
  }
}

/** A body that was read has lost its chunks: its length is told anew. */
function passedHeaders(request: ApiRequest, body: Buffer): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { ...request.headers };
  for (const name of HOP_HEADERS) delete headers[name];
  if (body.length > 0) headers['content-length'] = body.length;
  return headers;
}

const unreachable = (error: unknown): HttpError =>
  new HttpError(
    503,
    `the container engine of this node does not answer (${error instanceof Error ? error.message : String(error)}): see that it runs`,
    { cause: error },
  );

function withoutHopHeaders(answer: IncomingMessage): string[] {
  return pairs(answer.rawHeaders)
    .filter(([name]) => !HOP_HEADERS.includes(name.toLowerCase()))
    .flat();
}

const pairs = (raw: readonly string[]): (readonly [string, string])[] =>
  raw.flatMap((name, i) => (i % 2 === 0 ? [[name, raw[i + 1] ?? ''] as const] : []));

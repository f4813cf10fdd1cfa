/**
 * Clients that send one HTTP request after the other over a unix socket, each on a connection of its own. As lean as can be (no
 * promise per request, bodies are counted and not read), so that on a small machine the server is what is measured.
 */
import { get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Load {
  /** Requests answered. */
  readonly count: number;
  readonly perSecond: number;
  readonly medianMs: number;
}

export interface LoadOptions {
  readonly socketPath: string;
  /** The n-th request, as {@link getRequest} or {@link postRequest} write it. */
  readonly request: (n: number) => string;
  /** Status every answer must have. */
  readonly status: number;
  readonly clients: number;
  readonly durationMs: number;
  /** Ends after this many requests, whatever the time. */
  readonly count?: number;
}

export const getRequest = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

/** @param body JSON of ASCII characters */
export const postRequest = (path: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

/** Keeps `clients` requests in flight for a time. Throws Error when an answer does not have the status. */
export async function httpLoad(options: LoadOptions): Promise<Load> {
  const latencies: number[] = [];
  let next = 0;
  const startedAt = performance.now();
  const end = startedAt + options.durationMs;
  const count = options.count ?? Infinity;
  const clients = Array.from(
    { length: options.clients },
    () =>
      new Promise<void>((resolve, reject) => {
        const socket = connect(options.socketPath);
        const finish = (error?: Error): void => {
          socket.destroy();
          if (error) reject(error);
          else resolve();
        };
        let sentAt = 0;
        const send = (): void => {
          sentAt = performance.now();
          socket.write(options.request(next++), 'latin1');
        };
        onAnswers(socket, (status, head) => {
          const now = performance.now();
          if (status !== options.status) return finish(new Error(`unexpected answer: ${head}`));
          latencies.push(now - sentAt);
          if (now < end && next < count) send();
          else finish();
        });
        socket.once('connect', send);
        socket.once('error', finish);
        socket.once('close', () => finish(new Error('the server closed the connection')));
      }),
  );
  await Promise.all(clients);
  const elapsedMs = performance.now() - startedAt;
  latencies.sort((a, b) => a - b);
  return {
    count: latencies.length,
    perSecond: (latencies.length / elapsedMs) * 1000,
    medianMs: latencies[Math.floor(latencies.length / 2)] ?? Number.NaN,
  };
}

/** Body of a GET as text. */
export const getText = (socketPath: string, path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    get({ socketPath, path }, (response) => resolve(text(response))).once('error', reject);
  });

const HEAD_END = Buffer.from('\r\n\r\n');
const LAST_CHUNK = Buffer.from('0\r\n\r\n');

/** Calls back once per complete answer; there is never more than one under way. */
function onAnswers(socket: Socket, answered: (status: number, start: string) => void): void {
  let start: Buffer | undefined;
  /** Bytes still to come; undefined for an answer in chunks. */
  let missing: number | undefined = 0;
  socket.on('data', (chunk: Buffer) => {
    if (start === undefined || start.indexOf(HEAD_END) < 0) {
      start = start ? Buffer.concat([start, chunk]) : chunk;
      const headEnd = start.indexOf(HEAD_END);
      if (headEnd < 0) return;
      const length = /\r\ncontent-length: *(\d+)/i.exec(start.toString('latin1', 0, headEnd + 2))?.[1];
      missing = length === undefined ? undefined : headEnd + HEAD_END.length + Number(length) - start.length;
    } else if (missing !== undefined) missing -= chunk.length;
    const isComplete = missing === undefined ? chunk.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK) : missing <= 0;
    if (!isComplete) return;
    const first = start;
    start = undefined;
    answered(Number(first.toString('latin1', 9, 12)), first.toString('utf8', 0, 1000));
  });
}

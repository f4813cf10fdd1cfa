/**
 * Clients that send one HTTP request after the other over a unix socket, each on a connection of its own. Leaner than
 * node:http, so that on a small machine the server is what is measured.
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

/**
 * Keeps `clients` requests in flight for `durationMs`.
 * @param body of the n-th request, as JSON text
 * @throws Error when an answer is not `status`
 */
export async function postLoad(options: {
  readonly socketPath: string;
  readonly path: string;
  readonly body: (n: number) => string;
  readonly status: number;
  readonly clients: number;
  readonly durationMs: number;
}): Promise<Load> {
  const { socketPath, path, body, status, clients, durationMs } = options;
  const latencies: number[] = [];
  let next = 0;
  const startedAt = performance.now();
  const client = async (): Promise<void> => {
    const connection = await Connection.open(socketPath);
    try {
      while (performance.now() - startedAt < durationMs) {
        const sentAt = performance.now();
        const answer = await connection.post(path, body(next++));
        if (answer.status !== status) throw new Error(`POST ${path}: ${answer.text}`);
        latencies.push(performance.now() - sentAt);
      }
    } finally {
      connection.close();
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
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

class Connection {
  readonly #socket: Socket;
  #received = '';
  #answer: { resolve(answer: string): void; reject(error: Error): void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => this.#onData(chunk));
    socket.on('error', (error) => this.#answer?.reject(error));
    socket.on('close', () => this.#answer?.reject(new Error('the server closed the connection')));
  }

  static open(path: string): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(path, () => resolve(new Connection(socket)));
      socket.once('error', reject);
    });
  }

  async post(path: string, body: string): Promise<{ readonly status: number; readonly text: string }> {
    const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
    const answer = await new Promise<string>((resolve, reject) => {
      this.#answer = { resolve, reject };
      this.#socket.write(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    });
    return { status: Number(answer.slice(9, 12)), text: answer };
  }

  close(): void {
    this.#answer = undefined;
    this.#socket.destroy();
  }

  /** An answer is complete when its head is and as much of its body as the head says. */
  #onData(chunk: string): void {
    this.#received += chunk;
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = /\r\ncontent-length: *(\d+)/i.exec(this.#received.slice(0, end))?.[1];
    if (length === undefined) {
      this.#answer?.reject(new Error(`the answer has no length: ${this.#received}`));
      return;
    }
    if (this.#received.length < end + 4 + Number(length)) return;
    const answer = this.#received;
    this.#received = '';
    this.#answer?.resolve(answer);
  }
}

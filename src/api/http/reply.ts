/** The answer to one request: status and headers are collected and sent with the body in one go, or taken over as a stream. */
import type { ServerResponse } from 'node:http';

export class ApiReply {
  readonly raw: ServerResponse;
  /** Names (lower case) and values in turn. */
  readonly #headers: string[];
  #status = 200;
  #isTaken = false;

  /** @param headers names and values in turn that every answer has */
  constructor(raw: ServerResponse, headers: readonly string[]) {
    this.raw = raw;
    this.#headers = [...headers];
  }

  /** Whether the answer was sent or begun. */
  get sent(): boolean {
    return this.#isTaken;
  }

  code(status: number): this {
    this.#status = status;
    return this;
  }

  header(name: string, value: string): this {
    for (let i = 0; i < this.#headers.length; i += 2) {
      if (this.#headers[i] !== name) continue;
      this.#headers[i + 1] = value;
      return this;
    }
    this.#headers.push(name, value);
    return this;
  }

  type(contentType: string): this {
    return this.header('content-type', contentType);
  }

  send(body: string | Uint8Array = ''): void {
    this.#isTaken = true;
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    if (this.#status !== 204) this.#headers.push('content-length', String(length));
    this.raw.writeHead(this.#status, this.#headers);
    this.raw.end(body);
  }

  redirect(location: string, status: number): void {
    this.code(status).header('location', location).send();
  }

  /** Begins an answer of unknown length with the headers collected so far; the caller writes and ends it. */
  stream(): ServerResponse {
    const raw = this.hijack();
    raw.writeHead(this.#status, this.#headers);
    raw.flushHeaders();
    return raw;
  }

  /** Leaves the whole answer, head and body, to the caller. */
  hijack(): ServerResponse {
    this.#isTaken = true;
    return this.raw;
  }
}

/**
 * One call as the server sees it, on an HTTP/2 stream: messages come in, messages and one status go out. See "gRPC over HTTP2",
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md.
 */
import { constants, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { Metadata, status } from '@grpc/grpc-js';
import { SwarmError } from '../errors.ts';
import { FrameReader, frameOf } from './frames.ts';

/** How a call ended. */
export interface CallStatus {
  readonly code: status;
  /** What the caller reads; empty when it went well. */
  readonly details: string;
  readonly metadata?: Metadata;
}

export const OK: CallStatus = { code: status.OK, details: '' };

const RESPONSE_HEADERS: OutgoingHttpHeaders = {
  ':status': constants.HTTP_STATUS_OK,
  'content-type': 'application/grpc+proto',
};
const UNFINISHED = 'the last message ends before its length';
/** Milliseconds in the units of a timeout. */
const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };
/** What Node's timers can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export class ServerCall {
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #peer: string;
  readonly #frames: FrameReader;
  #metadata: Metadata | undefined;
  #controller: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #hasHeaders = false;
  #isEnded = false;

  /** @param peer address of the caller, "ip:port" */
  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, peer: string, maxMessageBytes: number) {
    this.#stream = stream;
    this.#headers = headers;
    this.#peer = peer;
    this.#frames = new FrameReader(maxMessageBytes);
    // Who broke the stream knows; all we would do is end the call, which it is.
    stream.on('error', ignore);
    const timeout = headers['grpc-timeout'];
    if (timeout !== undefined) this.#limit(String(timeout));
  }

  get metadata(): Metadata {
    this.#metadata ??= Metadata.fromHttp2Headers(this.#headers);
    return this.#metadata;
  }

  getPeer(): string {
    return this.#peer;
  }

  /** Whether nobody waits for an answer any more. */
  get isGone(): boolean {
    return this.#isEnded || this.#stream.closed || this.#stream.destroyed || this.#stream.aborted;
  }

  /** Aborts when the caller goes away, its deadline passes or the call has ended. Made only for who looks at it: most calls are short. */
  get signal(): AbortSignal {
    if (this.#controller) return this.#controller.signal;
    const controller = new AbortController();
    this.#controller = controller;
    if (this.isGone) this.#abort();
    else this.#stream.on('aborted', () => this.#abort()).on('close', () => this.#abort());
    return controller.signal;
  }

  /** The one message of a call that has one. Throws invalidArgument when there is none or another; never settles when the caller goes away. */
  request(): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      let message: Buffer | undefined;
      const take = (chunk: Buffer): void => {
        try {
          for (const next of this.#frames.read(chunk)) {
            if (message !== undefined)
              throw new SwarmError('invalidArgument', 'this call takes one message, not several');
            message = next;
          }
        } catch (error) {
          // What else comes is not kept.
          this.#stream.off('data', take);
          reject(error as Error);
        }
      };
      this.#stream.on('data', take).on('end', () => {
        if (this.#stream.aborted) return;
        if (this.#frames.isWithin) reject(new SwarmError('invalidArgument', UNFINISHED));
        else if (message !== undefined) resolve(message);
        else reject(new SwarmError('invalidArgument', 'this call takes one message, and none came'));
      });
    });
  }

  /** Messages as they come, no faster than they are taken. Throws when the caller goes away before it has sent all. */
  async *requests(): AsyncGenerator<Buffer, void, undefined> {
    // Who has read enough may still answer.
    for await (const chunk of this.#stream.iterator({ destroyOnReturn: false })) {
      yield* this.#frames.read(chunk as Buffer);
    }
    if (this.#frames.isWithin) throw new SwarmError('invalidArgument', UNFINISHED);
  }

  /** Sends a message. False when the caller reads more slowly than we write: `writable` tells when to go on. */
  send(message: Uint8Array): boolean {
    if (this.isGone) return true;
    if (!this.#hasHeaders) this.#sendHeaders();
    return this.#stream.write(frameOf(message));
  }

  /** Resolves when there is room for more, or the call is over. */
  writable(): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        this.#stream.off('drain', go).off('close', go);
        resolve();
      };
      this.#stream.on('drain', go).on('close', go);
      if (this.#stream.destroyed) go();
    });
  }

  /** Sends the last message and that all went well. */
  answer(message: Uint8Array): void {
    if (this.isGone) return;
    if (!this.#hasHeaders) this.#sendHeaders();
    this.#sendTrailers(OK);
    this.#stream.end(frameOf(message));
    this.#finish();
  }

  /** Ends the call; the first status counts. */
  end(how: CallStatus): void {
    if (this.isGone) return;
    if (this.#hasHeaders) {
      this.#sendTrailers(how);
      this.#stream.end();
    } else {
      this.#stream.respond({ ...RESPONSE_HEADERS, ...trailersOf(how) }, { endStream: true });
    }
    this.#finish();
  }

  #sendHeaders(): void {
    this.#hasHeaders = true;
    this.#stream.respond(RESPONSE_HEADERS, { waitForTrailers: true });
  }

  #sendTrailers(how: CallStatus): void {
    this.#stream.on('wantTrailers', () => {
      if (!this.#stream.closed && !this.#stream.destroyed) this.#stream.sendTrailers(trailersOf(how));
    });
  }

  #finish(): void {
    this.#isEnded = true;
    clearTimeout(this.#timer);
    // What the caller still sends is read, so that it is not kept waiting.
    if (!this.#stream.readableEnded) this.#stream.resume();
  }

  #limit(timeout: string): void {
    const waitMs = Number.parseInt(timeout, 10) * (UNIT_MS[timeout.at(-1) as string] ?? Number.NaN);
    if (Number.isNaN(waitMs)) {
      return this.end({
        code: status.INVALID_ARGUMENT,
        details: `grpc-timeout ${timeout} is not a number with a unit`,
      });
    }
    const late = (): void => {
      this.#abort();
      this.end({ code: status.DEADLINE_EXCEEDED, details: 'the deadline passed' });
    };
    this.#timer = setTimeout(late, Math.min(waitMs, MAX_TIMER_MS));
    this.#stream.on('close', () => clearTimeout(this.#timer));
  }

  #abort(): void {
    this.#controller?.abort(CALLER_GONE);
  }
}

export const CALLER_GONE = new SwarmError('cancelled', 'the caller went away');

function ignore(): void {}

const OK_TRAILERS: OutgoingHttpHeaders = { 'grpc-status': String(status.OK) };

function trailersOf({ code, details, metadata }: CallStatus): OutgoingHttpHeaders {
  if (code === status.OK) return OK_TRAILERS;
  return {
    ...metadata?.toHttp2Headers(),
    'grpc-status': String(code),
    'grpc-message': encodeURI(details.toWellFormed()),
  };
}

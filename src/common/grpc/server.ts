/**
 * A gRPC server on connections it is given. gRPC's own keeps interceptors, records and states for each call, which takes twice the time
 * and memory of a call that does without; nothing else a manager does is done as often.
 */
import {
  constants,
  performServerHandshake,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import { status } from '@grpc/grpc-js';
import { Turns } from '../turns.ts';
import { ServerCall } from './server-call.ts';

/** Time that calls have in each turn of the event loop, in ms. */
const CALLS_MS = 1;

/** Serves the calls of one method: answers or ends each. */
export type CallHandler = (call: ServerCall) => void;

export interface GrpcServerOptions {
  /** Size of the largest message that is taken. */
  readonly maxMessageBytes: number;
  /** How long a connection may be silent until it is asked whether there is somebody, and how long the answer may take, in ms. */
  readonly keepaliveMs?: number;
}

export class GrpcServer {
  /** Of hundreds of calls that come or are answered at once, some are in each turn of the event loop. */
  readonly turns = new Turns(() => performance.now(), CALLS_MS);
  readonly #options: GrpcServerOptions;
  readonly #handlers = new Map<string, CallHandler>();

  constructor(options: GrpcServerOptions) {
    this.#options = options;
  }

  /** @param path of the method, "/package.Service/Method" */
  add(path: string, handler: CallHandler): void {
    this.#handlers.set(path, handler);
  }

  /** Serves a connection until it closes. */
  accept(socket: Socket): void {
    // Who left during the handshake has no calls.
    if (socket.destroyed) return;
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    const session = performServerHandshake(socket, {
      // Node would end connections with more than 10 MB under way; what is under way is limited by what handlers take.
      maxSessionMemory: Number.MAX_SAFE_INTEGER,
      maxSendHeaderBlockLength: Number.MAX_SAFE_INTEGER,
    });
    // A connection that breaks ends its calls, which is all there is to do.
    socket.on('error', () => undefined);
    session.on('error', () => undefined);
    session.on('stream', (stream, headers) => this.#serve(stream, headers, peer));
    if (this.#options.keepaliveMs !== undefined) keepAlive(session, this.#options.keepaliveMs);
  }

  #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, peer: string): void {
    const type = headers['content-type'];
    if (!type?.startsWith('application/grpc')) {
      stream.on('error', () => undefined);
      stream.respond({ ':status': constants.HTTP_STATUS_UNSUPPORTED_MEDIA_TYPE }, { endStream: true });
      return;
    }
    const call = new ServerCall(stream, headers, peer, this.#options.maxMessageBytes);
    const path = headers[':path'] ?? '';
    const handler = this.#handlers.get(path);
    if (call.isGone) return;
    if (handler) handler(call);
    else call.end({ code: status.UNIMPLEMENTED, details: `the server does not know the method ${path}` });
  }
}

/** Ends a connection whose other side does not answer. */
function keepAlive(session: ServerHttp2Session, everyMs: number): void {
  let isAnswered = true;
  const timer = setInterval(() => {
    // What is being closed cannot be asked any more.
    if (session.destroyed) return;
    if (!isAnswered) return session.destroy();
    isAnswered = false;
    session.ping((error) => {
      isAnswered = error === null;
    });
  }, everyMs);
  timer.unref();
  session.on('close', () => clearInterval(timer));
}

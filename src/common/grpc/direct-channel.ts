/**
 * A gRPC channel over one HTTP/2 connection, for thousands of channels in one process: no name resolution, balancing, retries,
 * proxies or reconnecting, each of which gRPC's own channel keeps ready for every call, at five times the memory. A connection
 * that breaks ends its calls; whoever wants another opens another channel.
 */
import { constants, type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2';
import {
  connectivityState,
  Metadata,
  status,
  type ChannelInterface,
  type Deadline,
  type StatusObject,
} from '@grpc/grpc-js';
import { errorText } from '../errors.ts';
import { FrameReader, frameOf } from './frames.ts';

type Call = ReturnType<ChannelInterface['createCall']>;
type Listener = Parameters<Call['start']>[1];
type Status = StatusObject['code'];

export class DirectChannel implements ChannelInterface {
  readonly #target: string;
  readonly #session: ClientHttp2Session;

  /** @param session may still be connecting: calls wait for it */
  constructor(target: string, session: ClientHttp2Session) {
    this.#target = target;
    this.#session = session;
    // Every call tells of it.
    session.on('error', () => undefined);
  }

  createCall(path: string, deadline: Deadline): Call {
    return new DirectCall(this.#session, this.#target, path, Number(deadline));
  }

  close(): void {
    this.#session.destroy();
  }

  getTarget(): string {
    return this.#target;
  }

  getConnectivityState(): connectivityState {
    if (this.#session.destroyed) return connectivityState.SHUTDOWN;
    return this.#session.connecting ? connectivityState.CONNECTING : connectivityState.READY;
  }

  watchConnectivityState(_from: connectivityState, deadline: Date | number, done: (error?: Error) => void): void {
    if (this.#session.destroyed) throw new Error(`the connection to ${this.#target} is closed`);
    const changed = (error?: Error): void => {
      clearTimeout(timer);
      this.#session.off('connect', onConnect).off('close', onClose);
      done(error);
    };
    const onConnect = (): void => changed();
    const onClose = (): void => changed(new Error(`the connection to ${this.#target} closed`));
    const timer = setTimeout(() => changed(new Error('the deadline passed')), Number(deadline) - Date.now());
    this.#session.on('connect', onConnect).on('close', onClose);
  }

  getChannelzRef(): never {
    throw new Error('this channel keeps no records of itself');
  }
}

class DirectCall implements Call {
  readonly #session: ClientHttp2Session;
  readonly #peer: string;
  readonly #path: string;
  readonly #deadlineMs: number;
  readonly #frames = new FrameReader();
  #stream: ClientHttp2Stream | undefined;
  #listener: Listener | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(session: ClientHttp2Session, peer: string, path: string, deadlineMs: number) {
    this.#session = session;
    this.#peer = peer;
    this.#path = path;
    this.#deadlineMs = deadlineMs;
  }

  start(metadata: Metadata, listener: Listener): void {
    this.#listener = listener;
    try {
      this.#stream = this.#open(metadata);
    } catch (error) {
      // The connection is gone already.
      this.cancelWithStatus(status.UNAVAILABLE, error instanceof Error ? error.message : String(error));
    }
  }

  #open(metadata: Metadata): ClientHttp2Stream {
    const leftMs = Math.max(1, Math.ceil(this.#deadlineMs - Date.now()));
    const isLimited = Number.isFinite(leftMs);
    const stream = this.#session.request({
      ...metadata.toHttp2Headers(),
      ':method': 'POST',
      ':path': this.#path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...(isLimited && { 'grpc-timeout': `${leftMs}m` }),
    });
    if (isLimited) {
      const late = (): void => this.cancelWithStatus(status.DEADLINE_EXCEEDED, `no answer within ${leftMs} ms`);
      this.#timer = setTimeout(late, leftMs);
    }
    return stream
      .on('response', (headers) => this.#onHeaders(headers))
      .on('data', (chunk: Buffer) => this.#onData(chunk))
      .on('trailers', (headers) => this.#onTrailers(headers))
      .on('error', (error) => this.#finish(status.UNAVAILABLE, `${this.#peer}: ${error.message}`))
      .on('close', () => this.#finish(status.UNAVAILABLE, `${this.#peer} ended the call without a status`));
  }

  sendMessageWithContext(context: { readonly callback?: (error?: Error | null) => void }, message: Buffer): void {
    this.#stream?.write(frameOf(message), context.callback);
  }

  halfClose(): void {
    this.#stream?.end();
  }

  cancelWithStatus(code: Status, details: string): void {
    this.#stream?.close(constants.NGHTTP2_CANCEL);
    // As with gRPC's own calls, nobody is told before the function that cancels has returned.
    process.nextTick(() => this.#finish(code, details));
  }

  /** Messages are handed on as they come. */
  startRead(): void {}

  getPeer(): string {
    return this.#peer;
  }

  getCallNumber(): number {
    return 0;
  }

  setCredentials(): void {}

  getAuthContext(): null {
    return null;
  }

  #onHeaders(headers: IncomingHttpHeaders): void {
    if (Number(headers[':status']) !== constants.HTTP_STATUS_OK) {
      this.#stream?.close(constants.NGHTTP2_CANCEL);
      return this.#finish(status.UNAVAILABLE, `${this.#peer} answered with HTTP status ${Number(headers[':status'])}`);
    }
    // A call that fails at once has its status here.
    if (headers['grpc-status'] !== undefined) return this.#onTrailers(headers);
    this.#listener?.onReceiveMetadata(Metadata.fromHttp2Headers(headers));
  }

  #onData(chunk: Buffer): void {
    try {
      for (const message of this.#frames.read(chunk)) this.#listener?.onReceiveMessage(message);
    } catch (error) {
      this.cancelWithStatus(status.INTERNAL, `${this.#peer}: ${errorText(error)}`);
    }
  }

  #onTrailers(headers: IncomingHttpHeaders): void {
    const details = decoded(String(headers['grpc-message'] ?? ''));
    this.#finish(Number(headers['grpc-status'] ?? status.UNKNOWN), details, Metadata.fromHttp2Headers(headers));
  }

  /** The first status counts. */
  #finish(code: Status, details: string, metadata = new Metadata()): void {
    const listener = this.#listener;
    this.#listener = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    listener?.onReceiveStatus({ code, details, metadata });
  }
}

/** Percent-encoded in the protocol; shown as it is where a peer did not keep to that. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

import { Duplex } from 'node:stream';

/** What a connection asks of the thread that owns its socket. */
export interface RelayedSocket {
  write(bytes: Uint8Array): void;
  end(): void;
  close(): void;
  pause(): void;
  resume(): void;
  /** Whether more may be written before what was written has left. */
  mayWrite(unwritten: number): boolean;
}

/** One connection whose socket another thread owns, for node:http and whoever takes a connection over from it. */
export class RelayedConnection extends Duplex {
  readonly isLocal: boolean;
  readonly #socket: RelayedSocket;
  #isPaused = false;
  /** Bytes handed over that did not leave yet, as far as known. */
  #unwritten = 0;
  /** Of a write that waits for room. */
  #written: (() => void) | undefined;
  #timeoutMs = 0;
  #timeout: NodeJS.Timeout | undefined;

  /** @param isLocal whether the client came over a unix socket */
  constructor(isLocal: boolean, socket: RelayedSocket) {
    super({ allowHalfOpen: true });
    this.isLocal = isLocal;
    this.#socket = socket;
  }

  get unwritten(): number {
    return this.#unwritten;
  }

  /** Bytes from the client. */
  receive(data: Uint8Array): void {
    this.#timeout?.refresh();
    if (this.push(data) || this.#isPaused) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  /** The client writes no more. */
  receiveEnd(): void {
    this.push(null);
  }

  /** Bytes left, or those of other connections did. */
  wrote(bytes: number): void {
    this.#unwritten -= bytes;
    this.#timeout?.refresh();
    if (this.#written === undefined || !this.#socket.mayWrite(this.#unwritten)) return;
    const written = this.#written;
    this.#written = undefined;
    written();
  }

  /** Emits 'timeout' when nothing was read or written for this long, as sockets do; 0 ends that. */
  setTimeout(ms: number): this {
    if (ms !== this.#timeoutMs) {
      clearTimeout(this.#timeout);
      this.#timeoutMs = ms;
      this.#timeout = ms === 0 ? undefined : setTimeout(() => this.emit('timeout'), ms).unref();
    } else this.#timeout?.refresh();
    return this;
  }

  /** Closes once everything is written. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  override _read(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.#hand(chunk);
    this.#callBack(callback);
  }

  override _writev(chunks: { readonly chunk: Buffer }[], callback: () => void): void {
    for (const { chunk } of chunks) this.#hand(chunk);
    this.#callBack(callback);
  }

  override _final(callback: () => void): void {
    this.#socket.end();
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearTimeout(this.#timeout);
    this.#socket.close();
    callback(error);
  }

  #hand(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#unwritten += bytes.length;
    this.#socket.write(bytes);
  }

  #callBack(written: () => void): void {
    this.#timeout?.refresh();
    if (this.#socket.mayWrite(this.#unwritten)) written();
    else this.#written = written;
  }
}

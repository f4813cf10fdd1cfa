import { Duplex } from 'node:stream';
import type { Room } from './room.ts';

/** What a connection asks of the thread that owns its socket. */
export interface RelayedSocket {
  write(bytes: Uint8Array): void;
  end(): void;
  close(): void;
  pause(): void;
  resume(): void;
}

/** One connection whose socket another thread owns, for node:http and whoever takes a connection over from it. */
export class RelayedConnection extends Duplex {
  readonly isLocal: boolean;
  readonly #room: Room;
  readonly #socket: RelayedSocket;
  #isPaused = false;
  /** Bytes handed over that did not leave yet, as far as known. */
  #unwritten = 0;
  /** Of a write that waits for room. */
  #written: (() => void) | undefined;
  #timeoutMs = 0;
  /** That of the timer, which goes on when there is no timeout. */
  #timerMs = 0;
  #timeout: NodeJS.Timeout | undefined;

  /** @param isLocal whether the client came over a unix socket */
  constructor(isLocal: boolean, room: Room, socket: RelayedSocket) {
    super({ allowHalfOpen: true });
    this.isLocal = isLocal;
    this.#room = room;
    this.#socket = socket;
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

  /** Bytes left. */
  wrote(bytes: number): void {
    this.#timeout?.refresh();
    this.#setUnwritten(this.#unwritten - bytes);
    this.goOn();
    this.#room.wake();
  }

  /** Goes on with a write that waits, if there is room now. */
  goOn(): void {
    if (this.#written === undefined || !this.#room.isFor(this.#unwritten)) return;
    const written = this.#written;
    this.#written = undefined;
    this.#room.leave(this);
    written();
  }

  /** Emits 'timeout' when nothing was read or written for this long, as sockets do; 0 ends that. */
  setTimeout(ms: number): this {
    // Between two requests it is set and ended again: the timer stays for the next time.
    if (ms !== 0 && ms !== this.#timerMs) {
      clearTimeout(this.#timeout);
      this.#timerMs = ms;
      this.#timeout = setTimeout(() => {
        if (this.#timeoutMs !== 0) this.emit('timeout');
      }, ms).unref();
    } else if (ms !== 0) this.#timeout?.refresh();
    this.#timeoutMs = ms;
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
    this.#setUnwritten(0);
    this.#room.leave(this);
    this.#socket.close();
    callback(error);
  }

  #hand(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#setUnwritten(this.#unwritten + bytes.length);
    this.#socket.write(bytes);
  }

  #callBack(written: () => void): void {
    this.#timeout?.refresh();
    if (this.#room.isFor(this.#unwritten)) {
      written();
      return;
    }
    this.#written = written;
    this.#room.wait(this);
  }

  #setUnwritten(bytes: number): void {
    this.#room.changed(this.#unwritten, bytes);
    this.#unwritten = bytes;
  }
}

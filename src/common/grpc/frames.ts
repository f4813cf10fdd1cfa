/** How gRPC puts messages into the bytes of an HTTP/2 stream ("gRPC over HTTP2", Length-Prefixed-Message). */
import { SwarmError } from '../errors.ts';

/** What precedes each message: a byte that says whether it is compressed, and its length. */
const PREFIX_BYTES = 5;

export function frameOf(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

/** Finds the messages in what was received. */
export class FrameReader {
  readonly #maxBytes: number;
  /** Received, of a message that is not complete. */
  #parts: Buffer[] = [];
  #length = 0;

  /** @param maxBytes size of the largest message that is taken */
  constructor(maxBytes: number = Number.POSITIVE_INFINITY) {
    this.#maxBytes = maxBytes;
  }

  /** Whether a message was begun and is not complete. */
  get isWithin(): boolean {
    return this.#length > 0;
  }

  /**
   * The messages that are complete with this chunk. They may share its memory.
   * Throws unimplemented for a compressed message, resourceExhausted for one that is too large.
   */
  read(chunk: Buffer): readonly Buffer[] {
    this.#parts.push(chunk);
    this.#length += chunk.length;
    const messages: Buffer[] = [];
    for (let next = this.#next(); next !== undefined; next = this.#next()) messages.push(next);
    return messages;
  }

  #next(): Buffer | undefined {
    if (this.#length < PREFIX_BYTES) return undefined;
    let [first] = this.#parts as [Buffer];
    if (first.length < PREFIX_BYTES) first = this.#joined();
    if (first[0] !== 0) {
      throw new SwarmError('unimplemented', 'compressed messages are not taken: send them without compression');
    }
    const bytes = first.readUInt32BE(1);
    if (bytes > this.#maxBytes) {
      throw new SwarmError('resourceExhausted', `a message of ${bytes} bytes is larger than ${this.#maxBytes}`);
    }
    const end = PREFIX_BYTES + bytes;
    if (this.#length < end) return undefined;
    const received = this.#joined();
    this.#length -= end;
    this.#parts = this.#length > 0 ? [received.subarray(end)] : [];
    return received.subarray(PREFIX_BYTES, end);
  }

  /** What was received, in one piece. */
  #joined(): Buffer {
    if (this.#parts.length > 1) this.#parts = [Buffer.concat(this.#parts)];
    return this.#parts[0] as Buffer;
  }
}

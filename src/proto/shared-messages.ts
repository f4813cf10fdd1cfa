/** Messages that many others share, as thousands of tasks share one spec, are encoded once and kept in memory once. */
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import { TaskSpec } from './generated/docker/swarmkit/v1/specs.ts';

interface Codec<T extends object> {
  encode(message: T, writer?: BinaryWriter): BinaryWriter;
  decode(input: BinaryReader | Uint8Array, length?: number): T;
}

/** Longer messages are seldom shared, and comparing them costs more. */
const MAX_SHARED_BYTES = 16 * 1024;

/**
 * Makes a generated type keep the bytes of each message as long as the message lives, and decode equal bytes to one and the
 * same message. Its messages must never change.
 */
function share<T extends object>(type: Codec<T>): void {
  const encode = type.encode.bind(type);
  const decode = type.decode.bind(type);
  const encoded = new WeakMap<T, Uint8Array>();
  const decoded = new Map<string, WeakRef<T>>();
  const forget = new FinalizationRegistry<string>((text) => {
    if (!decoded.get(text)?.deref()) decoded.delete(text);
  });
  type.encode = (message, writer = new BinaryWriter()) => {
    let bytes = encoded.get(message);
    if (!bytes) {
      bytes = encode(message).finish();
      encoded.set(message, bytes);
    }
    return writer.raw(bytes);
  };
  type.decode = (input, length) => {
    const bytes = input instanceof BinaryReader && length !== undefined ? peek(input, length) : undefined;
    if (!bytes || bytes.length > MAX_SHARED_BYTES) return decode(input, length);
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    const known = decoded.get(text)?.deref();
    if (known) {
      (input as BinaryReader).pos += bytes.length;
      return known;
    }
    const message = decode(input, length);
    decoded.set(text, new WeakRef(message));
    forget.register(message, text);
    return message;
  };
}

/** The bytes of a message whose length was just read; undefined when that was not written in the usual, shortest form. */
function peek(reader: BinaryReader, length: number): Uint8Array | undefined {
  const { pos } = reader;
  const lengthBytes = Math.max(1, Math.ceil((32 - Math.clz32(length)) / 7));
  try {
    reader.pos = pos - lengthBytes;
    const bytes = reader.bytes();
    return bytes.length === length && reader.pos === pos + length ? bytes : undefined;
  } catch {
    return undefined;
  } finally {
    reader.pos = pos;
  }
}

/** Objects of the store are immutable, and a task carries the spec object of its service. */
export const shareSpecs = (): void => share(TaskSpec);

/** Messages that many others share, as thousands of tasks share one spec, are encoded once. */
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { TaskSpec } from './generated/docker/swarmkit/v1/specs.ts';

interface Encoder<T extends object> {
  encode(message: T, writer?: BinaryWriter): BinaryWriter;
}

/** Makes a generated type keep the bytes of each message as long as the message lives. Its messages must never change. */
function keepEncoded<T extends object>(type: Encoder<T>): void {
  const encode = type.encode.bind(type);
  const kept = new WeakMap<T, Uint8Array>();
  type.encode = (message, writer = new BinaryWriter()) => {
    let bytes = kept.get(message);
    if (!bytes) {
      bytes = encode(message).finish();
      kept.set(message, bytes);
    }
    return writer.raw(bytes);
  };
}

/** Objects of the store are immutable, and a task carries the spec object of its service. */
export const keepEncodedSpecs = (): void => keepEncoded(TaskSpec);

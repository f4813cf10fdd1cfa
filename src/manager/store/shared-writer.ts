/** One growing buffer for all encoding, because a fresh one for every change costs more than the encoding itself. */
import { BinaryWriter } from '@bufbuild/protobuf/wire';

let shared = new BinaryWriter();

/** Bytes of what `write` writes; they are a copy of their own. `write` must not call this function. */
export function encodeWith(write: (writer: BinaryWriter) => void): Uint8Array {
  try {
    write(shared);
    return shared.finish();
  } catch (error) {
    // Half a message may be left in it.
    shared = new BinaryWriter();
    throw error;
  }
}

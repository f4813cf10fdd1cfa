import { CIPHER_OVERHEAD, NONCE_SALT_SIZE, decrypt, encryptInto } from './cipher.ts';
import { writeU64 } from './bytes.ts';
import { FLAG_ENCRYPTED } from './record.ts';
import type { RecordHead } from './record.ts';

/** Binds a record's ciphertext to its segment and its place there, so that records can not be moved or swapped. */
function recordContext(header: Uint8Array, type: number, flags: number, sequence: number): readonly Uint8Array[] {
  const place = new Uint8Array(16);
  place[0] = type;
  place[1] = flags;
  writeU64(new DataView(place.buffer), 8, sequence);
  return [Buffer.concat([header, place])];
}

/** Encrypts the records a writer adds to one segment. */
export class RecordSealer {
  readonly #key: Uint8Array;
  readonly #nonceSalt: Uint8Array;
  #counter = 0;

  /** @param nonceSalt 8 random bytes drawn for this writer alone. */
  constructor(key: Uint8Array, nonceSalt: Uint8Array) {
    if (nonceSalt.length !== NONCE_SALT_SIZE) throw new RangeError('nonce salt must have 8 bytes');
    this.#key = key;
    this.#nonceSalt = nonceSalt;
  }

  static readonly overhead = CIPHER_OVERHEAD;

  seal(target: Uint8Array, plain: Uint8Array, header: Uint8Array, type: number, flags: number, sequence: number): void {
    const context = recordContext(header, type, flags, sequence);
    encryptInto(target, plain, this.#key, this.#nonceSalt, this.#counter++, context);
  }
}

/**
 * The plain payload of a record. Undefined: it is encrypted but does not belong here under this key.
 * A record that is not encrypted is returned as it is.
 */
export function openRecord(
  payload: Uint8Array,
  head: RecordHead,
  header: Uint8Array,
  key: Uint8Array | undefined,
): Uint8Array | undefined {
  if ((head.flags & FLAG_ENCRYPTED) === 0) return payload;
  if (key === undefined) return undefined;
  return decrypt(payload, key, recordContext(header, head.type, head.flags, head.sequence));
}

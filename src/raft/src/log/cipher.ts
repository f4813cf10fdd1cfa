import { createCipheriv, createDecipheriv } from 'node:crypto';

/**
 * AES-256-GCM of records and snapshot chunks. The nonce travels with the ciphertext: 8 bytes drawn for each segment or file
 * (and again whenever one is reopened) and a 4-byte counter, so no nonce repeats even when a torn record is written anew.
 */
const NONCE_SIZE = 12;
const TAG_SIZE = 16;
export const NONCE_SALT_SIZE = 8;
/** Bytes encryption adds. */
export const CIPHER_OVERHEAD = NONCE_SIZE + TAG_SIZE;

/** Encrypts into `target`, which must have room for the plaintext and {@link CIPHER_OVERHEAD}. */
export function encryptInto(
  target: Uint8Array,
  plain: Uint8Array,
  key: Uint8Array,
  nonceSalt: Uint8Array,
  counter: number,
  context: readonly Uint8Array[],
): void {
  const nonce = target.subarray(0, NONCE_SIZE);
  nonce.set(nonceSalt, 0);
  new DataView(nonce.buffer, nonce.byteOffset).setUint32(NONCE_SALT_SIZE, counter);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  for (const part of context) cipher.setAAD(part);
  target.set(cipher.update(plain), NONCE_SIZE);
  cipher.final();
  target.set(cipher.getAuthTag(), NONCE_SIZE + plain.length);
}

/** The plaintext, or undefined if the bytes were not encrypted with this key in this context. */
export function decrypt(sealed: Uint8Array, key: Uint8Array, context: readonly Uint8Array[]): Uint8Array | undefined {
  if (sealed.length < CIPHER_OVERHEAD) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_SIZE));
  for (const part of context) decipher.setAAD(part);
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_SIZE));
  const plain = decipher.update(sealed.subarray(NONCE_SIZE, sealed.length - TAG_SIZE));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return new Uint8Array(plain.buffer, plain.byteOffset, plain.length);
}

/**
 * Object ids: 25 characters of base 36, drawn from 17 random bytes, as SwarmKit's. They sort in no order and never repeat in practice.
 */
import { drawRandomBytes } from './random-bytes.ts';

/** Source of object ids; loops take it as an argument so that tests and simulations can fix it. */
export type IdSource = () => string;

const ID_LENGTH = 25;

/** As many characters of an id are shown by clients. */
const SHOWN_LENGTH = 12;

/**
 * A fresh random id. What clients show of it has a letter and a digit: scripts tell ids from words and from numbers by that,
 * and one in fifty would not have a digit by chance.
 */
export const newId: IdSource = () => {
  for (;;) {
    const id = randomId();
    const shown = id.slice(0, SHOWN_LENGTH);
    if (/[a-z]/.test(shown) && /\d/.test(shown)) return id;
  }
};

function randomId(): string {
  const bytes = drawRandomBytes(17);
  // The top bit makes every number the same length in base 36; its first, nearly constant digit is dropped.
  bytes[0] = (bytes[0] ?? 0) | 0x80;
  return BigInt(`0x${bytes.toString('hex')}`)
    .toString(36)
    .slice(1, 1 + ID_LENGTH);
}

/** Ids "prefix1", "prefix2", … for tests. */
export function countingIds(prefix = 'id'): IdSource {
  let n = 0;
  return () => `${prefix}${++n}`;
}

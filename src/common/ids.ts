/**
 * Object ids: 25 characters of base 36, each as likely as any other, which look like SwarmKit's. They sort in no order and never repeat in practice.
 */
import { drawRandomBytes } from './random-bytes.ts';

/** Source of object ids; loops take it as an argument so that tests and simulations can fix it. */
export type IdSource = () => string;

const ID_LENGTH = 25;
const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyz';
const BASE = DIGITS.length;
/** Bytes below this fall on all digits equally often. */
const FAIR_BYTES = 256 - (256 % BASE);

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
  let id = '';
  while (id.length < ID_LENGTH) {
    // One byte for each character, and some more for those that are not used.
    for (const byte of drawRandomBytes(ID_LENGTH + 1)) {
      if (byte < FAIR_BYTES && id.length < ID_LENGTH) id += DIGITS[byte % BASE];
    }
  }
  return id;
}

/** Ids "prefix1", "prefix2", … for tests. */
export function countingIds(prefix = 'id'): IdSource {
  let n = 0;
  return () => `${prefix}${++n}`;
}

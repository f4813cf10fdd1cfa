/**
 * The JSON of stored objects, kept while they live, as the bytes that are sent: dashboards and command lines ask for the same long lists
 * again and again, and few of their objects have changed in between. Stored objects are never changed in place, so what is kept stays right.
 */
import { stringify } from './stringify.ts';

/** Bytes kept before everything is forgotten and kept anew; those of objects that are gone count until then. */
const MAX_BYTES = 32 * 1024 * 1024;

export class ObjectBytes<T extends object> {
  readonly #write: (object: T, apiMinor: number) => object;
  readonly #maxBytes: number;
  /** By minor version of the API: what an object looks like depends on it. */
  #known = new Map<number, WeakMap<T, Buffer>>();
  #length = 0;

  /** @param write must depend on nothing but its arguments */
  constructor(write: (object: T, apiMinor: number) => object, maxBytes = MAX_BYTES) {
    this.#write = write;
    this.#maxBytes = maxBytes;
  }

  of(object: T, apiMinor: number): Buffer {
    const known = this.#known.get(apiMinor)?.get(object);
    if (known !== undefined) return known;
    const bytes = Buffer.from(stringify(this.#write(object, apiMinor)));
    if (this.#length + bytes.length > this.#maxBytes) {
      this.#known = new Map();
      this.#length = 0;
    }
    this.#length += bytes.length;
    this.#knownFor(apiMinor).set(object, bytes);
    return bytes;
  }

  #knownFor(apiMinor: number): WeakMap<T, Buffer> {
    let known = this.#known.get(apiMinor);
    if (!known) {
      known = new WeakMap();
      this.#known.set(apiMinor, known);
    }
    return known;
  }
}

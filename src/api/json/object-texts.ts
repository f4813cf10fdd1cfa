/**
 * The JSON of stored objects, kept while they live: dashboards and command lines ask for the same long lists again and again, and
 * few of their objects have changed in between. Stored objects are never changed in place, so an object's text stays right.
 */
import { stringify } from './stringify.ts';

/** Characters kept before everything is forgotten and kept anew; texts of objects that are gone count until then. */
const MAX_CHARACTERS = 32 * 1024 * 1024;

export class ObjectTexts<T extends object> {
  readonly #write: (object: T, apiMinor: number) => object;
  readonly #maxCharacters: number;
  /** By minor version of the API: what an object looks like depends on it. */
  #texts = new Map<number, WeakMap<T, string>>();
  #characters = 0;

  /** @param write must depend on nothing but its arguments */
  constructor(write: (object: T, apiMinor: number) => object, maxCharacters = MAX_CHARACTERS) {
    this.#write = write;
    this.#maxCharacters = maxCharacters;
  }

  of(object: T, apiMinor: number): string {
    const known = this.#texts.get(apiMinor)?.get(object);
    if (known !== undefined) return known;
    const text = stringify(this.#write(object, apiMinor));
    if (this.#characters + text.length > this.#maxCharacters) {
      this.#texts = new Map();
      this.#characters = 0;
    }
    this.#characters += text.length;
    this.#textsFor(apiMinor).set(object, text);
    return text;
  }

  #textsFor(apiMinor: number): WeakMap<T, string> {
    let texts = this.#texts.get(apiMinor);
    if (!texts) {
      texts = new WeakMap();
      this.#texts.set(apiMinor, texts);
    }
    return texts;
  }
}

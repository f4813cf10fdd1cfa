/**
 * Reads JSON as Docker does: of a body the first value, ignoring what follows it, of a parameter all. Errors are worded as Go's,
 * because clients print them; nesting is limited so that hostile input cannot exhaust the stack.
 */
import { badRequest } from '../http-error.ts';
import { JsonNumber, type JsonObject, type JsonValue } from './json-value.ts';

/** Deepest nesting accepted; Docker's own documents need less than 20. */
const MAX_DEPTH = 200;

const LITERALS = [
  ['true', true],
  ['false', false],
  ['null', null],
] as const;

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** What a string is made of besides escapes: no control characters, quotation marks or backslashes. */
const PLAIN = /[ !#-[\]-\uffff]*/y;

/** The first value of a body; what follows is ignored. Throws badRequest (400) with the reason. */
export function parseJson(text: string): JsonValue {
  return new Parser(text, 'unexpected EOF').first();
}

/** A text that is one value and nothing else. Throws badRequest (400) with the reason. */
export function parseWholeJson(text: string): JsonValue {
  return new Parser(text, 'unexpected end of JSON input').only();
}

class Parser {
  readonly #text: string;
  readonly #cutShort: string;
  #at = 0;
  #depth = 0;

  /** @param cutShort what is said of a text that ends too early */
  constructor(text: string, cutShort: string) {
    this.#text = text;
    this.#cutShort = cutShort;
  }

  first(): JsonValue {
    this.#skipSpace();
    if (this.#at >= this.#text.length) {
      throw badRequest('got EOF while reading request body: it is empty, and a JSON document is needed');
    }
    return this.#value();
  }

  only(): JsonValue {
    const value = this.#value();
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#unexpected('after top-level value');
    return value;
  }

  #value(): JsonValue {
    this.#skipSpace();
    const c = this.#text[this.#at];
    if (c === '{') return this.#nested(() => this.#object());
    if (c === '[') return this.#nested(() => this.#array());
    if (c === '"') return this.#string();
    if (c === '-' || (c !== undefined && c >= '0' && c <= '9')) return this.#number();
    for (const [word, value] of LITERALS) if (c === word[0]) return this.#literal(word, value);
    throw this.#unexpected('looking for beginning of value');
  }

  #nested<T>(body: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw badRequest(`exceeded max depth: JSON may be nested ${MAX_DEPTH} levels deep`);
    this.#at++;
    const value = body();
    this.#depth--;
    return value;
  }

  #object(): JsonObject {
    const object = new Map<string, JsonValue>();
    this.#skipSpace();
    if (this.#take('}')) return object;
    for (;;) {
      this.#skipSpace();
      if (this.#text[this.#at] !== '"') throw this.#unexpected('looking for beginning of object key string');
      const key = this.#string();
      this.#skipSpace();
      if (!this.#take(':')) throw this.#unexpected('after object key');
      object.set(key, this.#value());
      this.#skipSpace();
      if (this.#take('}')) return object;
      if (!this.#take(',')) throw this.#unexpected('after object key:value pair');
    }
  }

  #array(): JsonValue[] {
    const array: JsonValue[] = [];
    this.#skipSpace();
    if (this.#take(']')) return array;
    for (;;) {
      array.push(this.#value());
      this.#skipSpace();
      if (this.#take(']')) return array;
      if (!this.#take(',')) throw this.#unexpected('after array element');
    }
  }

  #string(): string {
    this.#at++;
    let value = '';
    for (;;) {
      PLAIN.lastIndex = this.#at;
      const plain = PLAIN.exec(this.#text)?.[0] ?? '';
      value += plain;
      this.#at += plain.length;
      if (this.#take('"')) return value.toWellFormed();
      if (!this.#take('\\')) throw this.#unexpected('in string literal');
      value += this.#escape();
    }
  }

  #escape(): string {
    const c = this.#text[this.#at];
    if (c === 'u') {
      const digits = this.#text.slice(this.#at + 1, this.#at + 5);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) {
        this.#at += 1 + (/^[0-9a-fA-F]*/.exec(digits)?.[0].length ?? 0);
        throw this.#unexpected('in \\u hexadecimal character escape');
      }
      this.#at += 5;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const escaped = c === undefined ? undefined : ESCAPES[c];
    if (escaped === undefined) throw this.#unexpected('in string escape code');
    this.#at++;
    return escaped;
  }

  #number(): JsonNumber {
    NUMBER.lastIndex = this.#at;
    const text = NUMBER.exec(this.#text)?.[0];
    if (text === undefined) {
      this.#at++;
      throw this.#unexpected('in numeric literal');
    }
    this.#at += text.length;
    return new JsonNumber(text);
  }

  #literal<T>(word: string, value: T): T {
    for (const expected of word) {
      if (this.#text[this.#at] !== expected) throw this.#unexpected(`in literal ${word} (expecting '${expected}')`);
      this.#at++;
    }
    return value;
  }

  #take(c: string): boolean {
    if (this.#text[this.#at] !== c) return false;
    this.#at++;
    return true;
  }

  #skipSpace(): void {
    for (let c = this.#text[this.#at]; c === ' ' || c === '\n' || c === '\r' || c === '\t'; c = this.#text[this.#at]) {
      this.#at++;
    }
  }

  #unexpected(where: string): Error {
    const c = this.#text.codePointAt(this.#at);
    if (c === undefined) return badRequest(this.#cutShort);
    return badRequest(`invalid character ${quoteCharacter(String.fromCodePoint(c))} ${where}`);
  }
}

function quoteCharacter(c: string): string {
  if (c === "'") return String.raw`'\''`;
  if (c === '"') return `'"'`;
  return `'${JSON.stringify(c).slice(1, -1)}'`;
}

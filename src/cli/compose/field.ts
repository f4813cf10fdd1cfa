/** A value in a compose file together with where it stands, so that every complaint can name file, line, place and remedy. */
import { SwarmError } from '../../common/errors.ts';

export type Path = readonly (string | number)[];

/** What is known about a file beside its values. */
export interface Origin {
  readonly file: string;
  /** Folder that relative paths in it start from. */
  readonly folder: string;
  /** Line (from 1) of what stands at a path; undefined when it stands nowhere. */
  readonly lineOf: (path: Path) => number | undefined;
  /** Hears of what is odd, but no error. */
  readonly warn: (text: string) => void;
}

export class Field {
  readonly origin: Origin;
  readonly path: Path;
  readonly value: unknown;

  constructor(origin: Origin, path: Path, value: unknown) {
    this.origin = origin;
    this.path = path;
    this.value = value;
  }

  /** Something inside this one. */
  at(key: string | number, value: unknown = (this.value as Record<string | number, unknown>)[key]): Field {
    return new Field(this.origin, [...this.path, key], value);
  }

  /** The error that this value is wrong: "compose.yaml:7: services.web.ports[0]: …". `remedy` says what to write. */
  wrong(what: string, remedy?: string): SwarmError {
    return new SwarmError('invalidArgument', this.#told(what, remedy));
  }

  /** Warns of something that does not keep from deploying. */
  warn(what: string, remedy: string): void {
    this.origin.warn(this.#told(what, remedy));
  }

  #told(what: string, remedy?: string): string {
    const line = this.origin.lineOf(this.path);
    const where = `${this.origin.file}${line === undefined ? '' : `:${line}`}`;
    return `${where}: ${pathText(this.path)}: ${what}${remedy ? `; ${remedy}` : ''}`;
  }

  /** As {@link wrong}, for a value of the wrong type. */
  isNot(form: string): SwarmError {
    return this.wrong(`${shown(this.value)} is not ${form}`);
  }

  get isMap(): boolean {
    return typeof this.value === 'object' && this.value !== null && !Array.isArray(this.value);
  }

  get isList(): boolean {
    return Array.isArray(this.value);
  }

  entries(): readonly (readonly [string, Field])[] {
    if (!this.isMap) throw this.isNot('a map of names and values');
    return Object.entries(this.value as object).map(([key, value]) => [key, this.at(key, value)] as const);
  }

  items(): readonly Field[] {
    if (!this.isList) throw this.isNot('a list');
    return (this.value as readonly unknown[]).map((value, i) => this.at(i, value));
  }

  /** A text; numbers and truth values count as what they look like. */
  text(): string {
    if (typeof this.value === 'string') return this.value;
    if (typeof this.value === 'number' || typeof this.value === 'boolean') return String(this.value);
    throw this.isNot('a text');
  }

  wholeNumber(): number {
    const number = typeof this.value === 'string' && this.value !== '' ? Number(this.value) : this.value;
    if (typeof number === 'number' && Number.isSafeInteger(number)) return number;
    throw this.isNot('a whole number');
  }

  /** Of a few words. */
  oneOf<T extends string>(words: readonly T[]): T {
    const text = this.text();
    const found = words.find((word) => word === text);
    if (found === undefined) throw this.wrong(`${shown(this.value)} is not known`, `use ${words.join(', ')}`);
    return found;
  }
}

const pathText = (path: Path): string =>
  path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('');

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

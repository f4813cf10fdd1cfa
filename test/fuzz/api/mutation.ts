/** Ways to spoil a request body at one place. Everything comes from the given random numbers, so a seed repeats a run. */
import type { Random } from '../../../src/common/random.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Path = readonly (string | number)[];

export interface Mutation {
  /** For reports. */
  readonly name: string;
  readonly path: Path;
  /** The body as it is sent; not always JSON. */
  readonly text: string;
  /** The type at the place is one no decoder takes there: the answer must be 400 and name the field. */
  readonly mustName: string | undefined;
}

const pick = <T>(items: readonly T[], random: Random): T => items[Math.floor(random() * items.length)] as T;

const ODD_TEXTS: readonly string[] = [
  '',
  ' ',
  '\u0000',
  '\ud800',
  '\u202egnp',
  'Ａ',
  '𝕬'.repeat(40),
  '../../etc/passwd',
  '{{.Node.ID}}',
  '{{',
  '%00%0a',
  'a'.repeat(8_192),
  '-1',
  '__proto__',
  'bogus',
];
const ODD_NUMBERS: readonly string[] = [
  '-1',
  '0',
  '1.5',
  '1e400',
  '-0',
  '9007199254740993',
  '18446744073709551615',
  '18446744073709551616',
  '9223372036854775807',
  '-9223372036854775808',
  '4294967296',
];
/** Texts of values of each kind. */
const OF_KIND: Readonly<Record<string, readonly string[]>> = {
  null: ['null'],
  boolean: ['true', 'false'],
  number: ['7', ...ODD_NUMBERS],
  string: ['"text"'],
  array: ['[]', '[[]]', '[null]', '[{}]', '[1,"a"]'],
  object: ['{}', '{"":{}}', '{"a":1}', '{"__proto__":"x"}'],
};
const DEPTH = 5_000;
const WAYS = ['kind', 'kind', 'kind', 'null', 'missing', 'odd', 'odd', 'cut', 'twice', 'case'] as const;
/** Share of bodies that are large or deep: they take their time. */
const RARE = 0.02;

const kindOf = (value: Json): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);

/** All places of a document: its own (the empty path) first. */
export function placesOf(value: Json, at: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [at];
  const members = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [at, ...members.flatMap(([key, member]) => placesOf(member as Json, [...at, key]))];
}

export function mutate(body: Json, path: Path, random: Random): Mutation {
  const there = valueAt(body, path);
  const kind = kindOf(there);
  const put = (name: string, text: string, mustName?: string): Mutation => ({
    name,
    path,
    text: withText(body, path, text),
    mustName,
  });
  switch (random() < RARE ? pick(['deep', 'huge'], random) : pick(WAYS, random)) {
    case 'kind': {
      const other = pick(
        Object.keys(OF_KIND).filter((k) => k !== kind && k !== 'null'),
        random,
      );
      const text = pick(OF_KIND[other] ?? ['null'], random);
      return put(`${other} for ${kind}`, text, kind === 'null' ? undefined : lastName(path));
    }
    case 'null':
      return put('null', 'null');
    case 'missing':
      return { name: 'missing', path, text: withText(body, path, undefined), mustName: undefined };
    case 'odd':
      return kind === 'number'
        ? put('odd number', pick(ODD_NUMBERS, random))
        : put('odd text', JSON.stringify(pick(ODD_TEXTS, random)));
    case 'deep':
      return put(
        'deep',
        pick(['['.repeat(DEPTH), '{"a":'.repeat(DEPTH), `${'['.repeat(150)}${']'.repeat(150)}`], random),
      );
    case 'huge':
      return put('huge', JSON.stringify(Array.from({ length: 20_000 }, (_, i) => `K${i}=v`)));
    case 'cut': {
      const whole = JSON.stringify(body);
      return { name: 'cut', path: [], text: whole.slice(0, Math.floor(random() * whole.length)), mustName: undefined };
    }
    case 'twice':
      return { name: 'twice', path, text: JSON.stringify([body, body]), mustName: undefined };
    default:
      return { name: 'other case', path, text: JSON.stringify(body).toLowerCase(), mustName: undefined };
  }
}

const lastName = (path: Path): string | undefined => path.findLast((part) => typeof part === 'string');

const valueAt = (value: Json, path: Path): Json =>
  path.reduce<Json>((found, key) => (found as Record<string | number, Json>)[key] as Json, value);

/** The document as text with `text` (undefined: nothing) in one place. */
function withText(value: Json, [key, ...rest]: Path, text: string | undefined): string {
  if (key === undefined) return text ?? '';
  const inside = (k: string | number, member: Json): string | undefined => {
    if (k !== key) return JSON.stringify(member);
    return rest.length === 0 ? text : withText(member, rest, text);
  };
  if (Array.isArray(value)) {
    return `[${value.flatMap((member, i) => inside(i, member as Json) ?? []).join(',')}]`;
  }
  const members = Object.entries(value as Record<string, Json>).flatMap(([k, member]) => {
    const written = inside(k, member);
    return written === undefined ? [] : [`${JSON.stringify(k)}:${written}`];
  });
  return `{${members.join(',')}}`;
}

/** The functions every Go template has. `and` and `or` are the evaluator's, since they may leave arguments alone. */
import { equals, equalsAny, isLess } from './comparison.ts';
import { sprintf } from './printf.ts';
import { isList, isMap, isTrue, textOf, typeNameOf, type Value } from './values.ts';

export interface GoFunction {
  /** How many arguments it takes; no `most`: as many as are given. */
  readonly least: number;
  readonly most?: number;
  /** Throws an Error whose message follows "error calling NAME: ". */
  readonly call: (args: readonly Value[]) => Value;
}
export type GoFunctions = Readonly<Record<string, GoFunction>>;

/** A function of one string. */
export const ofText = (call: (text: string) => Value): GoFunction => ({
  least: 1,
  most: 1,
  call: ([value]) => call(textOf(value)),
});

const pair = (call: (a: Value, b: Value) => boolean): GoFunction => ({
  least: 2,
  most: 2,
  call: ([a, b]) => call(a, b),
});

export const BUILT_IN: GoFunctions = {
  eq: { least: 1, call: equalsAny },
  ne: pair((a, b) => !equals(a, b)),
  lt: pair(isLess),
  le: pair((a, b) => isLess(a, b) || equals(a, b)),
  gt: pair((a, b) => !isLess(a, b) && !equals(a, b)),
  ge: pair((a, b) => !isLess(a, b)),
  not: { least: 1, most: 1, call: ([value]) => !isTrue(value) },
  len: { least: 1, most: 1, call: ([value]) => lengthOf(value) },
  index: { least: 1, call: ([value, ...keys]) => keys.reduce(item, value) },
  slice: { least: 1, call: slice },
  print: { least: 0, call: print },
  println: { least: 0, call: (args) => `${args.map(textOf).join(' ')}\n` },
  printf: { least: 1, call: ([format, ...values]) => sprintf(textOf(format), values) },
  html: { least: 0, call: (args) => print(args).replace(/[&<>"'\0]/g, (c) => HTML[c] ?? c) },
  js: { least: 0, call: (args) => print(args).replace(/[\\'"<>&=\p{Cc}]/gu, escapedForScripts) },
  urlquery: { least: 0, call: (args) => queryEscaped(print(args)) },
  call: {
    least: 1,
    call: ([value]) => {
      throw new Error(`non-function of type ${typeNameOf(value)}`);
    },
  },
};

function lengthOf(value: Value): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (isList(value)) return value.length;
  if (isMap(value)) return Object.keys(value).length;
  throw new Error(`len of ${value === undefined || value === null ? 'nil pointer' : `type ${typeNameOf(value)}`}`);
}

function item(value: Value, key: Value): Value {
  if (isMap(value)) {
    const name = textOf(key);
    if (Object.hasOwn(value, name)) return value[name];
    return typeNameOf(value) === 'map[string]string' ? '' : undefined;
  }
  if (!isList(value) && typeof value !== 'string') {
    if (value === undefined || value === null) throw new Error('index of untyped nil');
    throw new Error(`can't index item of type ${typeNameOf(value)}`);
  }
  if (typeof key !== 'number' || !Number.isInteger(key))
    throw new Error(`cannot index slice/array with type ${typeNameOf(key)}`);
  const items: readonly Value[] = typeof value === 'string' ? [...Buffer.from(value)] : value;
  if (key < 0 || key >= items.length) throw new Error(`index out of range: ${key}`);
  return items[key];
}

function slice([value, ...bounds]: readonly Value[]): Value {
  if (typeof value !== 'string' && !isList(value)) throw new Error(`can't slice item of type ${typeNameOf(value)}`);
  const whole = typeof value === 'string' ? Buffer.from(value) : value;
  const [from = 0, to = whole.length] = bounds as readonly number[];
  for (const bound of [from, to]) {
    if (!Number.isInteger(bound) || bound < 0 || bound > whole.length) throw new Error(`index out of range: ${bound}`);
  }
  if (from > to) throw new Error(`invalid slice index: ${from} > ${to}`);
  return Buffer.isBuffer(whole) ? whole.subarray(from, to).toString() : (whole as readonly Value[]).slice(from, to);
}

/** fmt.Sprint: a space stands between two arguments when neither is a string. */
function print(args: readonly Value[]): string {
  return args.reduce<string>((text, value, i) => {
    const needsSpace = i > 0 && typeof value !== 'string' && typeof args[i - 1] !== 'string';
    return text + (needsSpace ? ' ' : '') + textOf(value);
  }, '');
}

const HTML: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
  '\0': '\uFFFD',
};

const escapedForScripts = (character: string): string =>
  '\\\'"'.includes(character)
    ? `\\${character}`
    : `\\u${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;

const queryEscaped = (text: string): string =>
  encodeURIComponent(text)
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');

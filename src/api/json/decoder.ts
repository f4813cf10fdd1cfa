/**
 * Turns JSON into typed values by a table of fields. As in Go's decoder: keys match whatever their case, unknown keys
 * are ignored, null means absent, and a value of the wrong type is refused with a message that names the field.
 */
import { badRequest } from '../http-error.ts';
import { exactInteger } from './stringify.ts';
import { isJsonArray, isJsonObject, JsonNumber, kindOfJson, type JsonValue } from './json-value.ts';

/** Where in the document a value stands, for messages. */
interface Place {
  /** Go's name of the innermost struct; empty outside any. */
  readonly struct: string;
  readonly path: readonly string[];
}

/** What a decoder accepts, as JSON Schema says it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export interface Decoder<T> {
  /** Go's name of the type, as clients know it from messages. */
  readonly goType: string;
  readonly schema: JsonSchema;
  /** Value of a null inside a list or map. */
  readonly zero: T;
  decode(value: Exclude<JsonValue, null>, at: Place): T;
}

export type Decoded<D> = D extends Decoder<infer T> ? T : never;
type Fields = Readonly<Record<string, Decoder<unknown>>>;
/** Every field may be absent. */
export type Struct<F extends Fields> = { readonly [K in keyof F]?: Decoded<F[K]> | undefined };

/** Decodes a whole document; a null document gives the zero value. Throws badRequest (400). */
export function decodeJson<T>(decoder: Decoder<T>, value: JsonValue): T {
  return value === null ? decoder.zero : decoder.decode(value, { struct: '', path: [] });
}

function mismatch(found: string, goType: string, at: Place, remedy = ''): Error {
  const target = at.path.length > 0 ? `Go struct field ${at.struct}.${at.path.join('.')}` : 'Go value';
  return badRequest(`json: cannot unmarshal ${found} into ${target} of type ${goType}${remedy}`);
}

const scalar = <T>(
  goType: string,
  schema: JsonSchema,
  zero: T,
  read: (value: JsonValue, at: Place) => T | undefined,
): Decoder<T> => ({
  goType,
  schema,
  zero,
  decode: (value, at) => {
    const result = read(value, at);
    if (result === undefined) throw mismatch(kindOfJson(value), goType, at);
    return result;
  },
});

export const text: Decoder<string> = scalar('string', { type: 'string' }, '', (v) =>
  typeof v === 'string' ? v : undefined,
);
export const flag: Decoder<boolean> = scalar('bool', { type: 'boolean' }, false, (v) =>
  typeof v === 'boolean' ? v : undefined,
);

function integer(goType: string, min: bigint, max: bigint): (value: JsonValue, at: Place) => bigint | undefined {
  return (value, at) => {
    if (!(value instanceof JsonNumber)) return undefined;
    const number = /^-?\d+$/.test(value.text) ? BigInt(value.text) : undefined;
    if (number === undefined || number < min || number > max) throw mismatch(`number ${value.text}`, goType, at);
    return number;
  };
}

/** A whole number of at most `bits` bits; numbers beyond 2^53 are refused, because they cannot be stored exactly. */
function wholeNumber(goType: string, bits: number, isSigned: boolean): Decoder<number> {
  const max = isSigned ? 2n ** BigInt(bits - 1) - 1n : 2n ** BigInt(bits) - 1n;
  const read = integer(goType, isSigned ? -max - 1n : 0n, max);
  const schema = {
    type: 'integer',
    format: `${isSigned ? 'int' : 'uint'}${bits}`,
    ...(isSigned ? {} : { minimum: 0 }),
  };
  return scalar(goType, schema, 0, (value, at) => {
    const exact = read(value, at);
    if (exact === undefined) return undefined;
    const number = exactInteger(exact);
    if (typeof number === 'bigint') {
      throw mismatch(`number ${exact}`, goType, at, `: the largest number accepted here is ${Number.MAX_SAFE_INTEGER}`);
    }
    return number;
  });
}

export const int32: Decoder<number> = wholeNumber('int32', 32, true);
export const int64: Decoder<number> = wholeNumber('int64', 64, true);
export const uint64: Decoder<number> = wholeNumber('uint64', 64, false);
export const uint32: Decoder<number> = wholeNumber('uint32', 32, false);

/** Nanoseconds, exact over the whole int64 range. */
export const nanoseconds: Decoder<bigint> = scalar(
  'time.Duration',
  { type: 'integer', format: 'int64', description: 'nanoseconds' },
  0n,
  integer('time.Duration', -(2n ** 63n), 2n ** 63n - 1n),
);

/** Rounded to float32, as it is stored. */
export const float32: Decoder<number> = scalar('float32', { type: 'number', format: 'float' }, 0, (value, at) => {
  if (!(value instanceof JsonNumber)) return undefined;
  const number = Math.fround(Number(value.text));
  if (!Number.isFinite(number)) throw mismatch(`number ${value.text}`, 'float32', at);
  return number;
});

/** Standard base64. */
export const bytes: Decoder<Buffer> = scalar(
  '[]uint8',
  { type: 'string', format: 'byte' },
  Buffer.alloc(0),
  (value) => {
    if (typeof value !== 'string') return undefined;
    const clean = value.includes('\n') || value.includes('\r') ? value.replaceAll(/[\r\n]/g, '') : value;
    const firstBad = clean.search(/[^A-Za-z0-9+/]/);
    const end = firstBad === -1 ? clean.length : firstBad;
    if (!/^={0,2}$/.test(clean.slice(end)) || clean.length % 4 !== 0) {
      throw badRequest(`illegal base64 data at input byte ${end}`);
    }
    return Buffer.from(clean, 'base64');
  },
);

export const list = <T>(item: Decoder<T>): Decoder<readonly T[]> => ({
  goType: `[]${item.goType}`,
  schema: { type: 'array', items: item.schema },
  zero: [],
  decode: (value, at) => {
    if (!isJsonArray(value)) throw mismatch(kindOfJson(value), `[]${item.goType}`, at);
    return value.map((element) => (element === null ? item.zero : item.decode(element, at)));
  },
});

/** An object whose keys are data (labels, options). */
const mapOf = <T>(item: Decoder<T>): Decoder<Readonly<Record<string, T>>> => ({
  goType: `map[string]${item.goType}`,
  schema: { type: 'object', additionalProperties: item.schema },
  zero: {},
  decode: (value, at) => {
    if (!isJsonObject(value)) throw mismatch(kindOfJson(value), `map[string]${item.goType}`, at);
    if (value.has('__proto__')) throw badRequest(`${at.path.join('.')}: the key "__proto__" is reserved: use another`);
    return Object.fromEntries(
      Array.from(value, ([key, element]) => [key, element === null ? item.zero : item.decode(element, at)]),
    );
  },
});

export const textMap: Decoder<Readonly<Record<string, string>>> = mapOf(text);
export const texts: Decoder<readonly string[]> = list(text);

/** An object with known fields. `goType` is Go's qualified name, for example `swarm.Placement`. */
export function struct<F extends Fields>(goType: string, fields: F): Decoder<Struct<F>> {
  const byKey = new Map(Object.keys(fields).map((name) => [name.toLowerCase(), name]));
  const structName = goType.slice(goType.lastIndexOf('.') + 1);
  const properties = Object.fromEntries(Object.entries(fields).map(([name, { schema }]) => [name, schema]));
  return {
    goType,
    schema: { title: structName, type: 'object', properties },
    zero: {},
    decode: (value, at) => {
      if (!isJsonObject(value)) throw mismatch(kindOfJson(value), goType, at);
      const found: Record<string, unknown> = {};
      for (const [key, member] of value) {
        const name = byKey.get(key.toLowerCase());
        if (name === undefined || member === null) continue;
        found[name] = (fields[name] as Decoder<unknown>).decode(member, {
          struct: structName,
          path: [...at.path, name],
        });
      }
      return found as Struct<F>;
    },
  };
}

/**
 * What may stand in a compose file, as values: a shape reads a field, short forms included, into one form, and knows how
 * what a later file says is put over it.
 */
import { nearest } from './nearest.ts';
import type { Field } from './field.ts';
import type { UnusedFields } from './unused-fields.ts';

export interface Shape<T> {
  /** Throws what the field says of itself when it is wrong. */
  read(this: void, field: Field): T;
  /** Puts `later` over `earlier`. */
  merge(this: void, earlier: T, later: T): T;
  /** What becomes of it below a later file that does not name it; it stays as it is unless this is there. */
  kept?(this: void, earlier: T): T;
}

export type Of<S> = S extends Shape<infer T> ? T : never;

/** A value that a later one replaces. */
export const value = <T>(read: (field: Field) => T): Shape<T> => ({ read, merge: (_, later) => later });

export const text = value((field) => field.text());
export const flag = value((field) => {
  if (typeof field.value === 'boolean') return field.value;
  if (field.value === 'true' || field.value === 'false') return field.value === 'true';
  throw field.isNot('true or false');
});
export const wholeNumber = value((field) => field.wholeNumber());
export const count = value((field) => {
  const number = field.wholeNumber();
  if (number < 0) throw field.wrong(`${number} is less than 0`);
  return number;
});
export const oneOf = <T extends string>(...words: readonly T[]): Shape<T> => value((field) => field.oneOf(words));

/** A list to which later ones are added. */
export const list = <T>(item: (field: Field) => T): Shape<readonly T[]> => ({
  read: (field) => field.items().map(item),
  merge: (earlier, later) => [...earlier, ...later],
});
export const texts = list((field) => field.text());
/** A single text or a list of them. */
export const textOrTexts: Shape<readonly string[]> = {
  ...texts,
  read: (field) => (field.isList ? texts.read(field) : [field.text()]),
};

/** A list in which the entries of a later file replace those of the same key. */
export const keyedList = <T>(
  read: (field: Field) => readonly T[],
  keyOf: (item: T) => string,
): Shape<readonly T[]> => ({
  read: (field) => field.items().flatMap(read),
  merge: (earlier, later) => {
    const replaced = new Set(later.map(keyOf));
    return [...earlier.filter((item) => !replaced.has(keyOf(item))), ...later];
  },
});

export type Dictionary<T> = Readonly<Record<string, T>>;

/** Names given by the writer, each with the same kind of value. */
export function mapOf<T>(shape: Shape<T>): Shape<Dictionary<T>> {
  return {
    read: (field) => Object.fromEntries(field.entries().map(([key, inner]) => [key, shape.read(inner)])),
    merge: (earlier, later) => ({
      ...earlier,
      ...Object.fromEntries(
        Object.entries(later).map(([key, inner]) => {
          const old = Object.hasOwn(earlier, key) ? earlier[key] : undefined;
          return [key, old === undefined ? inner : shape.merge(old, inner)];
        }),
      ),
    }),
  };
}

/** "KEY=value" lines or a map; null stands for a key without a value. */
export const pairs: Shape<Dictionary<string | null>> = {
  read: (field) => {
    if (!field.isList) {
      return Object.fromEntries(
        field.entries().map(([key, inner]) => [key, inner.value === null ? null : inner.text()]),
      );
    }
    return Object.fromEntries(
      field.items().map((item) => {
        const line = item.text();
        const at = line.indexOf('=');
        if (at === 0) throw item.wrong(`"${line}" has no name`, 'write NAME=value');
        return at < 0 ? [line, null] : [line.slice(0, at), line.slice(at + 1)];
      }),
    );
  },
  merge: (earlier, later) => ({ ...earlier, ...later }),
};

/** As {@link pairs}, for places where a key without a value has the empty one. */
export const labels: Shape<Dictionary<string>> = {
  read: (field) => Object.fromEntries(Object.entries(pairs.read(field)).map(([key, inner]) => [key, inner ?? ''])),
  merge: (earlier, later) => ({ ...earlier, ...later }),
};

type Fields = Readonly<Record<string, Shape<unknown>>>;
type Struct<F> = { readonly [K in keyof F]?: Of<F[K]> };

interface StructOptions {
  /** Fields that are known and not acted on. */
  readonly unused?: UnusedFields;
  /** Fields that nobody knows are left out; without it they are refused. */
  readonly isOpen?: boolean;
}

/** Known fields, all of them optional. Fields that begin with "x-" are the writer's own. */
export function struct<const F extends Fields>(
  fields: F,
  { unused = {}, isOpen = false }: StructOptions = {},
): Shape<Struct<F>> {
  const shapes: Fields = fields;
  const passOver = (key: string, field: Field): void => {
    const why = Object.hasOwn(unused, key) ? unused[key] : undefined;
    if (why?.isRefused) throw field.wrong('is not supported', why.instead);
    const remedy = why?.instead ?? nearest(key, Object.keys(shapes));
    if (!why && !isOpen) throw field.wrong('is not known', remedy);
    field.warn('is left out', remedy);
  };
  return {
    read: (field) => {
      const found: Record<string, unknown> = {};
      for (const [key, inner] of field.entries()) {
        if (key.startsWith('x-')) continue;
        const shape = Object.hasOwn(shapes, key) ? shapes[key] : undefined;
        if (!shape) passOver(key, inner);
        else if (inner.value !== null && inner.value !== undefined) found[key] = shape.read(inner);
      }
      return found as Struct<F>;
    },
    merge: (earlier, later) => {
      const merged: Record<string, unknown> = {};
      for (const [key, old] of Object.entries(earlier)) merged[key] = shapes[key]?.kept?.(old) ?? old;
      for (const [key, inner] of Object.entries(later)) {
        const old = merged[key];
        merged[key] = old === undefined ? inner : (shapes[key] as Shape<unknown>).merge(old, inner);
      }
      return merged as Struct<F>;
    },
  };
}

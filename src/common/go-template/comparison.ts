/** eq, ne, lt, le, gt and ge: only values of one kind can be compared. */
import { isList, isMap, GoStruct, typeNameOf, type Value } from './values.ts';

type Basic = string | number | boolean;

/** Whether the first equals one of the others. */
export function equalsAny([first, ...others]: readonly Value[]): boolean {
  if (others.length === 0) throw new Error('missing argument for comparison');
  let found = false;
  for (const other of others) found = equals(first, other) || found;
  return found;
}

export function equals(a: Value, b: Value): boolean {
  if (a === undefined || a === null || b === undefined || b === null) return (a ?? null) === (b ?? null);
  const [left, right] = comparable(a, b);
  return left === right;
}

export function isLess(a: Value, b: Value): boolean {
  const [left, right] = comparable(a, b);
  if (typeof left === 'boolean') throw new Error('invalid type for comparison');
  return left < right;
}

function comparable(a: Value, b: Value): readonly [Basic, Basic] {
  for (const value of [a, b]) {
    if (value instanceof GoStruct || isList(value) || isMap(value) || value === undefined || value === null) {
      throw new Error('invalid type for comparison');
    }
  }
  if (typeNameOf(a) !== typeNameOf(b) && !(typeof a === 'number' && typeof b === 'number')) {
    throw new Error('incompatible types for comparison');
  }
  return [a as Basic, b as Basic];
}

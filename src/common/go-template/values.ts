/** The data of a template and how Go sees it: what is true, what its type is called, how it is printed. */

/** A Go struct: naming a field it does not have is an error. Plain objects are maps. */
export class GoStruct {
  readonly typeName: string;
  readonly fields: Readonly<Record<string, Value>>;

  /** @param typeName as error messages say it, for example `template.Platform`; made up of the fields unless given */
  constructor(fields: Readonly<Record<string, Value>>, typeName?: string) {
    this.fields = fields;
    this.typeName =
      typeName ??
      `struct { ${Object.entries(fields)
        .map(([name, value]) => `${name} ${typeNameOf(value)}`)
        .join('; ')} }`;
  }
}

/** `undefined` is "no value" (a missing key of a map), `null` is nil. */
export type Value = undefined | null | boolean | number | string | GoStruct | readonly Value[] | GoMap;
export interface GoMap {
  readonly [key: string]: Value;
}

export const isList = (value: Value): value is readonly Value[] => Array.isArray(value);
export const isMap = (value: Value): value is GoMap =>
  typeof value === 'object' && value !== null && !isList(value) && !(value instanceof GoStruct);

export function typeNameOf(value: Value): string {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'number':
      return Number.isInteger(value) ? 'int' : 'float64';
    default:
      if (value === undefined || value === null) return 'nil';
      if (value instanceof GoStruct) return value.typeName;
      if (isList(value)) return '[]interface {}';
      return Object.values(value).every((v) => typeof v === 'string') ? 'map[string]string' : 'map[string]interface {}';
  }
}

/** What `if`, `and` and `not` go by: everything but zero, nothing and empty. */
export function isTrue(value: Value): boolean {
  if (value instanceof GoStruct) return true;
  if (isList(value)) return value.length > 0;
  if (isMap(value)) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** As Go's %v prints it. */
export function textOf(value: Value): string {
  if (value === undefined) return '<no value>';
  if (value === null) return '<nil>';
  if (value instanceof GoStruct) return `{${Object.values(value.fields).map(textOf).join(' ')}}`;
  if (isList(value)) return `[${value.map(textOf).join(' ')}]`;
  if (isMap(value)) {
    return `map[${sortedKeys(value)
      .map((key) => `${key}:${textOf(value[key])}`)
      .join(' ')}]`;
  }
  return String(value);
}

/** Go ranges over and prints maps in the order of their keys. */
export const sortedKeys = (map: GoMap): readonly string[] => Object.keys(map).sort();

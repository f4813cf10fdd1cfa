/** JSON as it arrives: numbers keep their text, so that 64-bit integers are exact; objects are Maps, so that any key is just data. */
export type JsonValue = null | boolean | string | JsonNumber | readonly JsonValue[] | JsonObject;
export type JsonObject = ReadonlyMap<string, JsonValue>;

/** A number as written, for example `7776000000000000` or `0.1`. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export const isJsonObject = (value: JsonValue): value is JsonObject => value instanceof Map;
export const isJsonArray = (value: JsonValue): value is readonly JsonValue[] => Array.isArray(value);

/** What a value is called in the messages of Go's decoder. */
export function kindOfJson(value: JsonValue): string {
  if (value === null) return 'null';
  if (value instanceof JsonNumber) return 'number';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  return isJsonArray(value) ? 'array' : 'object';
}

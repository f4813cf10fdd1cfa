/**
 * The `filters` parameter of lists: `{"name":{"x":true}}` (CLI, Go) or `{"name":["x"]}` (docker-py, dockerode).
 * Values of one key are alternatives, keys restrict each other; all labels asked for must be there.
 */
import { badRequest, unclassified } from './http-error.ts';
import { isJsonArray, isJsonObject, type JsonValue } from './json/json-value.ts';
import { parseJson } from './json/parse-json.ts';
import type { EnumWords } from './docker/values.ts';
import { queryText, type Query } from './query.ts';

type Labels = Readonly<Record<string, string>>;

export class Filters {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  get(key: string): readonly string[] {
    return this.#values.get(key) ?? [];
  }

  /** Whether nothing is asked of `key`, or `candidate` is one of the values. */
  allows(key: string, candidate: string): boolean {
    return !this.has(key) || this.get(key).includes(candidate);
  }

  /** Whether nothing is asked of `key`, or one of the values is a beginning of `candidate`. */
  allowsPrefix(key: string, candidate: string): boolean {
    return !this.has(key) || this.get(key).some((value) => candidate.startsWith(value));
  }

  /** The same, whatever the case of letters. */
  allowsPrefixInAnyCase(key: string, candidate: string): boolean {
    const lowered = candidate.toLowerCase();
    return !this.has(key) || this.get(key).some((value) => lowered.startsWith(value.toLowerCase()));
  }

  /** Whether the labels have every `name` or `name=value` asked for under `key`. */
  allowsLabels(key: string, labels: Labels | undefined): boolean {
    return this.get(key).every((wanted) => {
      const cut = wanted.indexOf('=');
      const name = cut === -1 ? wanted : wanted.slice(0, cut);
      const value = labels && Object.hasOwn(labels, name) ? labels[name] : undefined;
      return value !== undefined && (cut === -1 || wanted.length === cut + 1 || value === wanted.slice(cut + 1));
    });
  }

  /** Values of an enumeration; undefined when nothing is asked. Docker tells unknown ones as 500. */
  enumValues<V extends number>(key: string, words: EnumWords<V>): readonly V[] | undefined {
    if (!this.has(key)) return undefined;
    return this.get(key).map((word) => {
      const value = words.find(word.toLowerCase());
      if (value === undefined) throw unclassified(`Invalid ${key} filter: '${word}'`);
      return value;
    });
  }
}

/** Throws badRequest for bad JSON and, unless all are, for keys that are not accepted. */
export function parseFilters(query: Query, accepted?: readonly string[]): Filters {
  const text = queryText(query, 'filters');
  const values = new Map<string, readonly string[]>();
  if (text === '') return new Filters(values);
  const json = parseJson(text);
  if (json === null) return new Filters(values);
  if (!isJsonObject(json)) throw badRequest('invalid filters: write {"key":{"value":true}} or {"key":["value"]}');
  for (const [key, member] of json) {
    if (accepted?.includes(key) === false) throw badRequest(`Invalid filter '${key}'`);
    const found = member === null ? [] : isJsonArray(member) ? member : keysOfFlags(member);
    if (!found?.every((value) => typeof value === 'string')) {
      throw badRequest(
        `invalid filters: the values of '${key}' must be a list of strings or an object with them as keys and true as values`,
      );
    }
    if (found.length > 0) values.set(key, found);
  }
  return new Filters(values);
}

/** The keys of an object whose values are true or false; which of the two says nothing, as in Docker. */
function keysOfFlags(member: JsonValue): readonly string[] | undefined {
  if (!isJsonObject(member)) return undefined;
  return [...member.values()].every((value) => typeof value === 'boolean') ? [...member.keys()] : undefined;
}

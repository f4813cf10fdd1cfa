/** Small values both sides share: enumerations, durations, times, and Docker's rule for leaving out what is empty. */
import type { Duration } from '../../proto/generated/google/protobuf/duration.ts';
import type { Timestamp } from '../../proto/generated/google/protobuf/timestamp.ts';
import type { Version } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Meta } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { badRequest } from '../http-error.ts';
import { exactInteger } from '../json/stringify.ts';

/** The value, or undefined (left out of the JSON) when it is zero, empty or absent. */
export function nonEmpty<T>(value: T): T | undefined {
  if (!value) return undefined;
  if (Array.isArray(value)) return value.length > 0 ? value : undefined;
  if (typeof value === 'object') return Object.keys(value).length > 0 ? value : undefined;
  return value;
}

export const isPresent = <T>(value: T | undefined): value is T => value !== undefined;

/** An enumeration of the wire protocol and its words in the Docker API. */
export interface EnumWords<V extends number> {
  /** Word of a value; the empty string for values this version does not know. */
  word(value: V): string;
  /** Value of a word; undefined when there is none. */
  find(word: string | undefined): V | undefined;
  /** Value of a word; `fallback` when it is absent or empty; throws badRequest with `complaint(word)` when unknown. */
  parse(word: string | undefined, fallback: V, complaint: (word: string) => string): V;
}

/** Words are the names of the constants in lower case, with `separator` for "_", unless `special` says otherwise. */
export function enumWords<V extends number>(
  values: Readonly<Record<string, V | -1>>,
  options: { readonly separator?: string; readonly special?: Readonly<Record<string, string>> } = {},
): EnumWords<V> {
  const wordByValue = new Map<number, string>();
  const valueByWord = new Map<string, V>();
  for (const [name, value] of Object.entries(values)) {
    if (value === -1) continue;
    const word = options.special?.[name] ?? name.toLowerCase().replaceAll('_', options.separator ?? '-');
    wordByValue.set(value, word);
    valueByWord.set(word, value);
  }
  return {
    word: (value) => wordByValue.get(value) ?? '',
    find: (word) => (word === undefined ? undefined : valueByWord.get(word)),
    parse: (word, fallback, complaint) => {
      if (word === undefined || word === '') return fallback;
      const value = valueByWord.get(word);
      if (value === undefined) throw badRequest(complaint(word));
      return value;
    },
  };
}

const NANOS_PER_SECOND = 1_000_000_000n;

/** Exact, as both parts are integers. */
export function durationToProto(nanoseconds: bigint): Duration {
  return { seconds: Number(nanoseconds / NANOS_PER_SECOND), nanos: Number(nanoseconds % NANOS_PER_SECOND) };
}

/** Zero and absent both become "not said". */
export const nonZeroDuration = (nanoseconds: bigint | undefined): Duration | undefined =>
  nanoseconds === undefined || nanoseconds === 0n ? undefined : durationToProto(nanoseconds);

/** Nanoseconds; a bigint when a double could not hold them. */
export const durationToDocker = (duration: Duration): number | bigint =>
  exactInteger(BigInt(duration.seconds) * NANOS_PER_SECOND + BigInt(duration.nanos));

/** Go's zero time, which stands for "never". */
const ZERO_TIME = '0001-01-01T00:00:00Z';

/** RFC 3339 in UTC with as many digits of the second as are needed. */
export function timeToDocker(time: Timestamp | undefined): string {
  if (!time) return ZERO_TIME;
  const fraction = time.nanos === 0 ? '' : `.${String(time.nanos).padStart(9, '0').replace(/0+$/, '')}`;
  return `${new Date(time.seconds * 1000).toISOString().slice(0, 19)}${fraction}Z`;
}

/** Nanoseconds since 1970, exact. */
export const timeToNanos = (time: Timestamp): bigint => BigInt(time.seconds) * NANOS_PER_SECOND + BigInt(time.nanos);

/** "Index 0" is written `{}`. */
export const versionToDocker = (version: Version | undefined): object => ({ Index: nonEmpty(version?.index ?? 0) });

/** Version and times, which every object begins with after its id. */
export const metaToDocker = (meta: Meta | undefined): object => ({
  Version: versionToDocker(meta?.version),
  CreatedAt: timeToDocker(meta?.createdAt),
  UpdatedAt: timeToDocker(meta?.updatedAt),
});

/**
 * Shortest decimal that is this float32 again: what was stored as 0.1 is shown as 0.1 and not as 0.10000000149011612.
 */
export function float32ToDocker(value: number): number {
  for (let digits = 1; digits <= 9; digits++) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === Math.fround(value)) return shorter;
  }
  return value;
}

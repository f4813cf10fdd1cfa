/** `since` and `until`: seconds since 1970 with an optional fraction, or RFC 3339. */
import { unclassified } from '../http-error.ts';
import type { Timestamp } from '../../proto/generated/google/protobuf/timestamp.ts';

/** Throws 500, as Docker does, with Go's words. */
export function parseTimeBound(text: string, complaint = ''): Timestamp | undefined {
  if (text === '') return undefined;
  const unix = /^(-?\d+)(?:\.(\d+))?$/.exec(text);
  if (unix) {
    const nanos = Number((unix[2] ?? '').padEnd(9, '0').slice(0, 9));
    return { seconds: Number(unix[1]), nanos };
  }
  const ms = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw unclassified(`${complaint}strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? '';
  return { seconds: Math.floor(ms / 1000), nanos: Number(fraction.padEnd(9, '0').slice(0, 9)) };
}

/** Conversions between protobuf Timestamp and Duration, milliseconds, and the texts people write. */
import type { Duration } from '../proto/generated/google/protobuf/duration.ts';
import type { Timestamp } from '../proto/generated/google/protobuf/timestamp.ts';
import { SwarmError } from './errors.ts';

export const timestampOfMs = (ms: number): Timestamp => {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.round((ms - seconds * 1000) * 1e6) };
};

export const msOfTimestamp = (t: Timestamp): number => t.seconds * 1000 + t.nanos / 1e6;

/** Negative, zero or positive as `a` is before, equal to or after `b`. */
export const compareTimestamps = (a: Timestamp, b: Timestamp): number => a.seconds - b.seconds || a.nanos - b.nanos;

export const durationOfMs = (ms: number): Duration => {
  const seconds = Math.trunc(ms / 1000);
  return { seconds, nanos: Math.round((ms - seconds * 1000) * 1e6) };
};

export const msOfDuration = (d: Duration): number => d.seconds * 1000 + d.nanos / 1e6;

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Parses Go-style durations such as "1h30m", "250ms", "1.5s"; a bare "0" is allowed. Returns ms; throws invalidArgument naming the text. */
export function parseDurationMs(text: string): number {
  const match = /^([+-])?((?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.exec(text);
  if (text === '0') return 0;
  if (!match) {
    throw new SwarmError(
      'invalidArgument',
      `invalid duration "${text}": write a number with a unit (ns, us, ms, s, m, h), for example 30s or 1h30m`,
    );
  }
  let total = 0;
  for (const [, value, unit] of text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    total += Number(value) * (UNIT_MS[unit ?? ''] ?? 0);
  }
  return match[1] === '-' ? -total : total;
}

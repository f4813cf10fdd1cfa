/**
 * One line of a task's log file, as JSON: `t` time with ns, `s` stream, `l` the text (or `b`, base64, when it is not
 * UTF-8), `o` how far the raw output of that stream was read when the line was written.
 */
import { isUtf8 } from 'node:buffer';
import type { LogLine } from '../driver.ts';

export type StreamName = LogLine['stream'];
export const STREAM_NAMES: readonly StreamName[] = ['stdout', 'stderr'];

/** How far the raw output of each stream was taken over into the log, in bytes. */
export type Offsets = Readonly<Record<StreamName, number>>;

export interface LogRecord {
  readonly line: LogLine;
  readonly offset: number;
}

interface LineJson {
  readonly t: string;
  readonly s: StreamName;
  readonly l?: string;
  readonly b?: string;
  readonly o: number;
}

interface HeaderJson {
  readonly offsets: Offsets;
}

export type ParsedRecord =
  { readonly kind: 'line'; readonly record: LogRecord } | { readonly kind: 'offsets'; readonly offsets: Offsets };

export function encodeLine({ line, offset }: LogRecord): string {
  const text = isUtf8(line.data)
    ? { l: Buffer.from(line.data.buffer, line.data.byteOffset, line.data.byteLength).toString('utf8') }
    : { b: Buffer.from(line.data).toString('base64') };
  const json: LineJson = { t: timeText(line.timeMs), s: line.stream, ...text, o: offset };
  return `${JSON.stringify(json)}\n`;
}

/** A file begins with it, so that the newest file alone tells where to go on. */
export const encodeOffsets = (offsets: Offsets): string => `${JSON.stringify({ offsets } satisfies HeaderJson)}\n`;

/** undefined for a line that cannot be read, as a crash may leave one. */
export function parseRecord(text: string): ParsedRecord | undefined {
  let json: Partial<LineJson & HeaderJson>;
  try {
    json = JSON.parse(text) as Partial<LineJson & HeaderJson>;
  } catch {
    return undefined;
  }
  if (json.offsets) return { kind: 'offsets', offsets: json.offsets };
  if (json.t === undefined || json.s === undefined) return undefined;
  const data = json.b === undefined ? Buffer.from(json.l ?? '', 'utf8') : Buffer.from(json.b, 'base64');
  return { kind: 'line', record: { line: { stream: json.s, timeMs: timeMs(json.t), data }, offset: json.o ?? 0 } };
}

/** RFC 3339 in UTC with nine digits. */
function timeText(ms: number): string {
  const whole = Math.floor(ms);
  const ns = Math.round((ms - whole) * 1e6);
  return `${new Date(whole).toISOString().slice(0, -1)}${String(Math.min(ns, 999_999)).padStart(6, '0')}Z`;
}

const timeMs = (text: string): number => Date.parse(`${text.slice(0, 23)}Z`) + Number(text.slice(23, 29)) / 1e6;

/** The engine's log stream as lines: frames of 8 bytes header and payload, or bare bytes for terminals; each line begins with its time. */
import type { LogLine } from '../driver.ts';

const HEADER_BYTES = 8;
const STDERR = 2;
const NEWLINE = 0x0a;
const BLANK = 0x20;

export async function* logLines(chunks: AsyncIterable<Uint8Array>, isTty: boolean): AsyncGenerator<LogLine> {
  const partial: Record<'stdout' | 'stderr', Buffer> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  for await (const { stream, data } of isTty ? bare(chunks) : frames(chunks)) {
    let rest = Buffer.concat([partial[stream], data]);
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      yield lineOf(stream, rest.subarray(0, end));
      rest = rest.subarray(end + 1);
    }
    partial[stream] = rest;
  }
  for (const stream of ['stdout', 'stderr'] as const) {
    if (partial[stream].length > 0) yield lineOf(stream, partial[stream]);
  }
}

interface Piece {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Buffer;
}

async function* bare(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Piece> {
  for await (const chunk of chunks) yield { stream: 'stdout', data: Buffer.from(chunk) };
}

async function* frames(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Piece> {
  let pending = Buffer.alloc(0);
  for await (const chunk of chunks) {
    pending = Buffer.concat([pending, chunk]);
    for (;;) {
      if (pending.length < HEADER_BYTES) break;
      const end = HEADER_BYTES + pending.readUInt32BE(4);
      if (pending.length < end) break;
      yield { stream: pending[0] === STDERR ? 'stderr' : 'stdout', data: pending.subarray(HEADER_BYTES, end) };
      pending = pending.subarray(end);
    }
  }
}

/** "2024-01-01T00:00:00.123456789Z text"; terminals end their lines with \r\n. */
function lineOf(stream: 'stdout' | 'stderr', line: Buffer): LogLine {
  const blank = line.indexOf(BLANK);
  const time = line.toString('latin1', 0, Math.max(0, blank));
  const end = line.at(-1) === 0x0d ? line.length - 1 : line.length;
  return { stream, timeMs: msOf(time), data: line.subarray(blank + 1, end) };
}

/** Milliseconds with fraction; Date.parse alone would drop what lies below. */
function msOf(time: string): number {
  const [whole = '', fraction = ''] = time.replace(/Z$/, '').split('.');
  const seconds = Date.parse(`${whole}Z`);
  return Number.isNaN(seconds) ? 0 : seconds + Number(`0.${fraction || '0'}`) * 1000;
}

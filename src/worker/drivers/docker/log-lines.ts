/**
 * The engine's log stream as lines: frames of 8 bytes header and payload, or bare bytes for terminals; each line begins with
 * its time and its attributes.
 */
import type { LogAttribute, LogLine } from '../driver.ts';

const HEADER_BYTES = 8;
const STDERR = 2;
const NEWLINE = 0x0a;
const BLANK = 0x20;

export const logLines = (chunks: AsyncIterable<Uint8Array>, isTty: boolean): AsyncGenerator<LogLine> =>
  isTty ? bareLines(chunks) : framedLines(chunks);

/** A terminal has one stream and no frames; what it adds to the end of a line (\r) stays. */
async function* bareLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<LogLine> {
  let rest = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      yield pieceOf('stdout', rest.subarray(0, end));
      rest = rest.subarray(end + 1);
    }
  }
  if (rest.length > 0) yield { ...pieceOf('stdout', rest), isOpen: true };
}

/** A frame is a line, or a part of a long one: those have no newline at the end, and each begins with a time and attributes of its own. */
async function* framedLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<LogLine> {
  const partial: Record<'stdout' | 'stderr', Piece | undefined> = { stdout: undefined, stderr: undefined };
  for await (const { stream, data } of frames(chunks)) {
    const isEnd = data.at(-1) === NEWLINE;
    const piece = pieceOf(stream, isEnd ? data.subarray(0, -1) : data);
    const before = partial[stream];
    const whole = before ? { ...before, data: Buffer.concat([before.data, piece.data]) } : piece;
    partial[stream] = isEnd ? undefined : whole;
    if (isEnd) yield whole;
  }
  for (const left of [partial.stdout, partial.stderr]) if (left) yield { ...left, isOpen: true };
}

interface Frame {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Buffer;
}

async function* frames(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Frame> {
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

interface Piece extends Frame {
  readonly timeMs: number;
  readonly attributes: readonly LogAttribute[];
}

/** "2024-01-01T00:00:00.123456789Z key=value,key=value text"; without attributes there are two blanks. */
function pieceOf(stream: 'stdout' | 'stderr', line: Buffer): Piece {
  const afterTime = line.indexOf(BLANK) + 1;
  const afterAttributes = line.indexOf(BLANK, afterTime) + 1;
  return {
    stream,
    timeMs: msOf(line.toString('latin1', 0, Math.max(0, afterTime - 1))),
    attributes: attributesOf(line.toString('latin1', afterTime, Math.max(afterTime, afterAttributes - 1))),
    data: line.subarray(Math.max(afterTime, afterAttributes)),
  };
}

/** Keys and values are escaped as in the query of an address. */
const attributesOf = (text: string): readonly LogAttribute[] =>
  [...new URLSearchParams(text.replaceAll(',', '&'))].map(([key, value]) => ({ key, value }));

/** Milliseconds with fraction; Date.parse alone would drop what lies below. */
function msOf(time: string): number {
  const [whole = '', fraction = ''] = time.replace(/Z$/, '').split('.');
  const seconds = Date.parse(`${whole}Z`);
  return Number.isNaN(seconds) ? 0 : seconds + Number(`0.${fraction || '0'}`) * 1000;
}

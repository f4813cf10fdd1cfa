/** The engine's log stream as lines: frames of 8 bytes header and payload, or bare bytes for terminals; each line begins with its time. */
import type { LogLine } from '../driver.ts';

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
      yield timed('stdout', rest.subarray(0, end));
      rest = rest.subarray(end + 1);
    }
  }
  if (rest.length > 0) yield { ...timed('stdout', rest), isOpen: true };
}

/** A frame is a line, or a part of a long one: those have no newline at the end, and each begins with a time of its own. */
async function* framedLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<LogLine> {
  const partial: Record<'stdout' | 'stderr', TimedPiece | undefined> = { stdout: undefined, stderr: undefined };
  for await (const { stream, data } of frames(chunks)) {
    const isEnd = data.at(-1) === NEWLINE;
    const piece = timed(stream, isEnd ? data.subarray(0, -1) : data);
    const before = partial[stream];
    const whole = before ? { ...before, data: Buffer.concat([before.data, piece.data]) } : piece;
    partial[stream] = isEnd ? undefined : whole;
    if (isEnd) yield whole;
  }
  for (const left of [partial.stdout, partial.stderr]) if (left) yield { ...left, isOpen: true };
}

interface Piece {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Buffer;
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

interface TimedPiece extends Piece {
  readonly timeMs: number;
}

/** "2024-01-01T00:00:00.123456789Z text" */
function timed(stream: 'stdout' | 'stderr', text: Buffer): TimedPiece {
  const blank = text.indexOf(BLANK);
  return { stream, timeMs: msOf(text.toString('latin1', 0, Math.max(0, blank))), data: text.subarray(blank + 1) };
}

/** Milliseconds with fraction; Date.parse alone would drop what lies below. */
function msOf(time: string): number {
  const [whole = '', fraction = ''] = time.replace(/Z$/, '').split('.');
  const seconds = Date.parse(`${whole}Z`);
  return Number.isNaN(seconds) ? 0 : seconds + Number(`0.${fraction || '0'}`) * 1000;
}

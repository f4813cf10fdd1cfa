/** Long lists as answers. */
import { turnOrBreak } from '../common/long-turns.ts';
import type { ApiReply } from './http/reply.ts';
import { stringify } from './json/stringify.ts';
import { openStream, type RawStream } from './streams/raw-stream.ts';

/** How long a list may be written before other work gets its turn, in ms: elections and heartbeats must not wait for it. */
const TURN_MS = 20;
/** Items between two looks at the time. */
const LOOK_EVERY = 16;
/** Bytes that may be in memory before they are sent. */
const MAX_PIECE = 256 * 1024;

const OPEN = Buffer.from('[');
const COMMA = Buffer.from(',');
const CLOSE = Buffer.from(']\n');

/**
 * Ends a request with a JSON list of any length; a long one is sent as it is written, so that it is never in memory as a whole. A list
 * that takes little time goes out in one turn: on a busy manager each further turn takes as long as everything else that waits.
 * What `write` gives as bytes is JSON already.
 */
export async function sendList<T>(
  reply: ApiReply,
  items: readonly T[],
  write: (item: T) => object | Uint8Array,
): Promise<void> {
  let stream: RawStream | undefined;
  let parts: Uint8Array[] = [OPEN];
  let length = OPEN.length;
  let begun = performance.now();
  const add = (part: Uint8Array): void => {
    parts.push(part);
    length += part.length;
  };
  const take = (): Buffer => {
    const piece = Buffer.concat(parts, length);
    parts = [];
    length = 0;
    return piece;
  };
  for (const [i, item] of items.entries()) {
    if (i > 0) add(COMMA);
    const written = write(item);
    add(written instanceof Uint8Array ? written : Buffer.from(stringify(written)));
    if (i % LOOK_EVERY !== 0) continue;
    const isTurnOver = performance.now() - begun >= TURN_MS;
    if (!isTurnOver && length < MAX_PIECE) continue;
    stream ??= openStream(reply, 'application/json');
    await stream.write(take());
    if (!isTurnOver) continue;
    await turnOrBreak();
    begun = performance.now();
  }
  add(CLOSE);
  if (stream === undefined) {
    reply.code(200).type('application/json').send(take());
    return;
  }
  await stream.write(take());
  stream.end();
}

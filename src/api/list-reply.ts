/** Long lists as answers. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ApiReply } from './http/reply.ts';
import { stringify } from './json/stringify.ts';
import { openStream, type RawStream } from './streams/raw-stream.ts';

/** How long a list may be written before other work gets its turn, in ms: elections and heartbeats must not wait for it. */
const TURN_MS = 20;
/** Items between two looks at the time. */
const LOOK_EVERY = 16;
/** Characters that may be in memory before they are sent. */
const MAX_PIECE = 1024 * 1024;

/**
 * Ends a request with a JSON list of any length; a long one is sent as it is written, so that it is never in memory as a whole. A list
 * that takes little time goes out in one turn: on a busy manager each further turn takes as long as everything else that waits.
 * What `write` gives as a string is JSON already.
 */
export async function sendList<T>(
  reply: ApiReply,
  items: readonly T[],
  write: (item: T) => object | string,
): Promise<void> {
  let stream: RawStream | undefined;
  let piece = '[';
  let begun = performance.now();
  for (const [i, item] of items.entries()) {
    const written = write(item);
    piece += `${i === 0 ? '' : ','}${typeof written === 'string' ? written : stringify(written)}`;
    if (i % LOOK_EVERY !== 0) continue;
    const isTurnOver = performance.now() - begun >= TURN_MS;
    if (!isTurnOver && piece.length < MAX_PIECE) continue;
    stream ??= openStream(reply, 'application/json');
    await stream.write(piece);
    piece = '';
    if (!isTurnOver) continue;
    await nextTurn();
    begun = performance.now();
  }
  piece += ']\n';
  if (stream === undefined) {
    reply.code(200).type('application/json').send(piece);
    return;
  }
  await stream.write(piece);
  stream.end();
}

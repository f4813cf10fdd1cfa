/**
 * `/swarmd/watch`: changes of the store over a WebSocket, one JSON text per message.
 *
 * First `{"index": N}`. With `list=1` then `{"index": N, "objects": [{kind, id, object}]}` as often as needed, the last
 * one with `"listed": true`. Then for every commit `{"index", "changes": [{action, kind, id, object}]}`. Whoever was cut
 * off resumes with `since=` the last index seen; when those changes are no longer known the socket closes with
 * {@link CLOSE_RESUME_LOST} and the client lists again.
 */
import type { WebSocket } from 'ws';
import { errorText, isSwarmError } from '../../common/errors.ts';
import type { Clock } from '../../common/clock.ts';
import { stringify } from '../json/stringify.ts';
import type { Swarm } from '../ports.ts';
import { changeToJson, objectToJson, type ObjectJsonOptions, type WatchedKind } from './object-json.ts';
import type { WatchRequest } from './watch-request.ts';

/** The index asked for is too old: list again. */
const CLOSE_RESUME_LOST = 4410;
/** The client reads too slowly: resume later. */
const CLOSE_TOO_SLOW = 4408;
/** This manager stopped serving: resume elsewhere. */
const CLOSE_GOING_AWAY = 1001;
const CLOSE_FAILED = 1011;

/** Bytes that may wait for a slow client. */
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024;
const PING_INTERVAL_MS = 30_000;

export interface WatchSocketOptions extends ObjectJsonOptions {
  readonly clock: Clock;
  /** Aborts when the server closes. */
  readonly closing: AbortSignal;
}

/** Serves one client until either side ends. */
export async function serveWatch(
  socket: WebSocket,
  swarm: Swarm,
  request: WatchRequest,
  options: WatchSocketOptions,
): Promise<void> {
  const stop = new AbortController();
  const end = (): void => stop.abort();
  options.closing.addEventListener('abort', end, { once: true });
  socket.once('close', end).on('error', end);
  const stopPings = keepAlive(socket, options.clock);
  try {
    await stream(socket, swarm, request, options, stop.signal);
    socket.close(CLOSE_GOING_AWAY, 'this manager stops serving: resume at another');
  } catch (error) {
    const isLost = isSwarmError(error, 'outOfRange') || isSwarmError(error, 'resourceExhausted');
    socket.close(isLost ? CLOSE_RESUME_LOST : CLOSE_FAILED, closeReason(error));
  } finally {
    stopPings();
    options.closing.removeEventListener('abort', end);
  }
}

async function stream(
  socket: WebSocket,
  { store }: Swarm,
  request: WatchRequest,
  options: WatchSocketOptions,
  signal: AbortSignal,
): Promise<void> {
  const { kinds } = request;
  const watch =
    request.since === undefined ? store.watch({ kinds, signal }) : store.watchSince(request.since, { kinds, signal });
  const index = request.since ?? store.version;
  const existing = request.list ? kinds.map((kind) => [kind, store.read[kind].all()] as const) : undefined;
  socket.send(stringify({ index }));
  if (existing) await sendExisting(socket, index, existing, options, signal);
  for await (const commits of watch) {
    for (const { version, changes } of commits) {
      const told = changes.flatMap((change) => changeToJson(change, options) ?? []);
      socket.send(stringify({ index: version, changes: told }));
    }
    if (socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      socket.close(CLOSE_TOO_SLOW, `more than ${MAX_BUFFERED_BYTES} bytes wait to be read: resume with since=`);
      return;
    }
  }
}

/** Objects per message: between two messages other work gets its turn, and the one before is on its way to the client. */
const LIST_SLICE = 200;

async function sendExisting(
  socket: WebSocket,
  index: number,
  existing: readonly (readonly [WatchedKind, readonly { readonly id: string }[]])[],
  options: ObjectJsonOptions,
  signal: AbortSignal,
): Promise<void> {
  const all = existing.flatMap(([kind, objects]) => objects.map((object) => [kind, object] as const));
  for (let start = 0; !signal.aborted; start += LIST_SLICE) {
    const slice = all.slice(start, start + LIST_SLICE);
    const objects = slice.map(([kind, object]) => ({
      kind,
      id: object.id,
      object: objectToJson(kind, object as never, options),
    }));
    const isLast = start + LIST_SLICE >= all.length;
    const text = stringify({ index, objects, listed: isLast || undefined });
    await new Promise<void>((resolve) => socket.send(text, () => resolve()));
    if (isLast) return;
  }
}

/** Pings, and drops a client that did not answer the last ping. */
function keepAlive(socket: WebSocket, clock: Clock): () => void {
  let isAlive = true;
  socket.on('pong', () => {
    isAlive = true;
  });
  let cancel = clock.setTimer(PING_INTERVAL_MS, function tick() {
    if (!isAlive) return socket.terminate();
    isAlive = false;
    socket.ping();
    cancel = clock.setTimer(PING_INTERVAL_MS, tick);
  });
  return () => cancel();
}

/** A close frame holds 123 bytes of reason. */
const closeReason = (error: unknown): string =>
  Buffer.from(errorText(error))
    .subarray(0, 120)
    .toString('utf8')
    .replace(/\ufffd+$/, '');

/**
 * Tells when objects of some kinds change, over `/swarmd/watch`. A connection that breaks is made anew and resumes where
 * it stopped; where that is no longer possible one more change is told, since something may have been missed.
 */
import type { WebSocket } from 'ws';
import { Backoff } from '../../common/backoff.ts';
import { errorText } from '../../common/errors.ts';
import type { ApiClient } from '../client.ts';

const WATCH_PATH = '/swarmd/watch';
export type WatchedKind = 'service' | 'task' | 'node';

/** The changes since the index asked for are no longer known. */
const CLOSE_RESUME_LOST = 4410;
const RETRY = { baseMs: 250, maxMs: 5_000 } as const;

export interface ChangeFeedOptions {
  readonly kinds: readonly WatchedKind[];
  /** Something may have changed; the first call comes once the server watches. */
  readonly onChange: () => void;
  /** The connection broke, and another try follows. */
  readonly onBreak: (why: string) => void;
  readonly signal: AbortSignal;
}

/** Runs until the signal aborts. Throws when the first connection cannot be made. */
export async function followChanges(client: ApiClient, options: ChangeFeedOptions): Promise<void> {
  const { signal, kinds } = options;
  const backoff = new Backoff(RETRY, Math.random);
  let index: number | undefined;
  let isFirst = true;
  while (!signal.aborted) {
    try {
      const query = { kinds: kinds.join(','), since: index };
      const socket = await client.connect(WATCH_PATH, query, (text) => {
        backoff.reset();
        ({ index } = JSON.parse(text) as { readonly index: number });
        options.onChange();
      });
      isFirst = false;
      const { code, reason } = await ending(socket, signal);
      if (signal.aborted) return;
      if (code === CLOSE_RESUME_LOST) index = undefined;
      options.onBreak(reason || `closed with code ${code}`);
    } catch (error) {
      if (isFirst) throw error;
      options.onBreak(errorText(error));
    }
    await pause(backoff.next(), signal);
  }
}

interface Ending {
  readonly code: number;
  readonly reason: string;
}

/** Resolves when the connection ends; the signal ends it. */
function ending(socket: WebSocket, signal: AbortSignal): Promise<Ending> {
  return new Promise((resolve) => {
    const stop = (): void => socket.close();
    signal.addEventListener('abort', stop, { once: true });
    let problem = '';
    socket.on('error', (error) => (problem = error.message));
    socket.once('close', (code, reason) => {
      signal.removeEventListener('abort', stop);
      resolve({ code, reason: reason.toString('utf8') || problem });
    });
    if (signal.aborted) stop();
  });
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });

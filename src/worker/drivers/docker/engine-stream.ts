/**
 * Answers of the engine that take their time, as streams. The client library waits for the end of any other answer, and
 * never hears of it when the engine goes away in the middle; reading a stream fails then.
 */
import type Dockerode from 'dockerode';
import type { Readable } from 'node:stream';
import { SwarmError } from '../../../common/errors.ts';

const STATUS_CODES = { 200: true, 404: 'no such container', 409: 'conflict', 500: 'server error' } as const;

interface StreamRequest {
  readonly method: 'GET' | 'POST';
  /** With parameters left out, for example "/containers/web/logs". */
  readonly path: string;
  readonly query: Readonly<Record<string, string | number | boolean>>;
}

/** Resolves when the engine begins to answer; the stream fails when the engine goes away or `signal` says so. */
function engineStream(engine: Dockerode, request: StreamRequest, signal: AbortSignal): Promise<Readable> {
  const { method, path, query } = request;
  return new Promise((resolve, reject) => {
    engine.modem.dial(
      {
        path: `${path}?`,
        method,
        options: { ...query },
        isStream: true,
        statusCodes: STATUS_CODES,
        abortSignal: signal,
      },
      (error: unknown, stream: unknown) => {
        if (error) reject(error as Error);
        else resolve(stream as Readable);
      },
    );
  });
}

/** What a container prints. */
export const logStream = (
  engine: Dockerode,
  container: string,
  query: StreamRequest['query'],
  signal: AbortSignal,
): Promise<Readable> => engineStream(engine, { method: 'GET', path: `/containers/${container}/logs`, query }, signal);

/** Something for every change of a container's health, and for its end. */
export const healthEvents = (engine: Dockerode, containerId: string, signal: AbortSignal): Promise<Readable> => {
  const filters = JSON.stringify({ container: [containerId], event: ['health_status', 'die'] });
  return engineStream(engine, { method: 'GET', path: '/events', query: { filters } }, signal);
};

/** Resolves with the exit code when the container does not run. */
export async function untilStopped(engine: Dockerode, container: string, signal: AbortSignal): Promise<number> {
  const request = {
    method: 'POST',
    path: `/containers/${container}/wait`,
    query: { condition: 'not-running' },
  } as const;
  let text = '';
  for await (const chunk of await engineStream(engine, request, signal)) text += String(chunk);
  const code = exitCodeIn(text);
  // An engine that stops says so by a negative code or by nothing.
  if (code === undefined || code < 0)
    throw new SwarmError('unavailable', 'the Docker Engine stopped; the task goes on when it is back');
  return code;
}

function exitCodeIn(text: string): number | undefined {
  try {
    return (JSON.parse(text) as { readonly StatusCode?: number }).StatusCode;
  } catch {
    return undefined;
  }
}

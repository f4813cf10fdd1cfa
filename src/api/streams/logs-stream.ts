/** `GET /services/{id}/logs` and `GET /tasks/{id}/logs`: lines of all tasks, framed, or raw where there is a terminal. */
import {
  LogStream,
  type LogMessage,
  type LogSelector,
  type LogSubscriptionOptions,
  type SubscribeLogsMessage,
} from '../../proto/generated/docker/swarmkit/v1/logbroker.ts';
import { rpcError, unclassified } from '../http-error.ts';
import { queryFlag, queryText, type Query } from '../query.ts';
import { frame, logLine, STDERR, STDOUT, SYSTEM_ERROR, type LineOptions } from './log-frame.ts';
import { parseTimeBound } from './time-bound.ts';

export interface LogsRequest extends LineOptions {
  readonly options: LogSubscriptionOptions;
}

/** Throws 500 with Docker's texts. */
export function parseLogsRequest(query: Query): LogsRequest {
  const streams = [
    ...(queryFlag(query, 'stdout') ? [LogStream.STDOUT] : []),
    ...(queryFlag(query, 'stderr') ? [LogStream.STDERR] : []),
  ];
  if (streams.length === 0) throw unclassified('Bad parameters: you must choose at least one stream');
  return {
    details: queryFlag(query, 'details'),
    timestamps: queryFlag(query, 'timestamps'),
    options: {
      streams,
      follow: queryFlag(query, 'follow'),
      tail: parseTail(queryText(query, 'tail')),
      since: parseTimeBound(queryText(query, 'since'), 'could not parse since timestamp: '),
    },
  };
}

/** In the wire protocol 0 means all and -(n+1) the last n lines. */
function parseTail(text: string): number {
  if (text === '' || text === 'all') return 0;
  const lines = /^[+-]?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(lines)) throw unclassified('tail value must be a positive integer or "all"');
  if (lines < 0) throw unclassified('negative tail values not supported');
  return -(lines + 1);
}

export interface LogsOutput {
  /** Whether the lines come from a terminal: raw, and only standard output. */
  readonly tty: boolean;
  readonly selector: LogSelector;
}

/** Content type by API version: older ones name none. */
export function logsContentType(tty: boolean, apiMinor: number): string | undefined {
  if (apiMinor < 42) return undefined;
  return tty ? 'application/vnd.docker.raw-stream' : 'application/vnd.docker.multiplexed-stream';
}

/** One chunk per line; a failure on the way becomes the last chunk. */
export async function* logChunks(
  messages: AsyncIterable<SubscribeLogsMessage>,
  tty: boolean,
  request: LineOptions,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const batch of messages) {
      for (const message of batch.messages) {
        const chunk = chunkOf(message, tty, request);
        if (chunk) yield chunk;
      }
    }
  } catch (error) {
    const text = Buffer.from(`Error grabbing logs: ${rpcError(error).message}\n`);
    yield tty ? text : frame(SYSTEM_ERROR, text);
  }
}

function chunkOf(message: LogMessage, tty: boolean, request: LineOptions): Uint8Array | undefined {
  const isError = message.stream === LogStream.STDERR;
  const line = logLine(message, request);
  if (tty) return isError ? undefined : line;
  return frame(isError ? STDERR : STDOUT, line);
}

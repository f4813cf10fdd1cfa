/** The form of log lines on the wire: details and time before the text, and Docker's 8-byte header that tells streams apart. */
import { TASK_LABEL } from '../../common/task-label.ts';
import type { LogMessage } from '../../proto/generated/docker/swarmkit/v1/logbroker.ts';
import type { Timestamp } from '../../proto/generated/google/protobuf/timestamp.ts';

export const STDOUT = 1;
export const STDERR = 2;
/** Carries an error of the server's own. */
export const SYSTEM_ERROR = 3;

export interface LineOptions {
  /** Begin with where the line comes from. */
  readonly details: boolean;
  readonly timestamps: boolean;
}

/** `[stream, 0, 0, 0, length] payload` */
export function frame(stream: number, payload: Uint8Array): Uint8Array {
  const framed = Buffer.alloc(8 + payload.length);
  framed[0] = stream;
  framed.writeUInt32BE(payload.length, 4);
  framed.set(payload, 8);
  return framed;
}

/** "time details text", where the first two were asked for. */
export function logLine(message: LogMessage, options: LineOptions): Uint8Array {
  const time = options.timestamps ? `${fixedTime(message.timestamp)} ` : '';
  const details = options.details ? `${detailsOf(message)} ` : '';
  return Buffer.concat([Buffer.from(time + details), message.data]);
}

/** RFC 3339 with always nine digits, so that lines align. */
function fixedTime(time: Timestamp | undefined): string {
  const { seconds, nanos } = time ?? { seconds: 0, nanos: 0 };
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${String(nanos).padStart(9, '0')}Z`;
}

/** Comma-joined, sorted, URL-escaped; clients find the task by these. */
function detailsOf(message: LogMessage): string {
  const pairs = new Map(message.attrs.map(({ key, value }) => [key, value]));
  pairs.set('com.docker.swarm.node.id', message.context?.nodeId ?? '');
  pairs.set('com.docker.swarm.service.id', message.context?.serviceId ?? '');
  pairs.set(TASK_LABEL, message.context?.taskId ?? '');
  return [...pairs]
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([key, value]) => `${queryEscape(key)}=${queryEscape(value)}`)
    .join(',');
}

/** As Go's url.QueryEscape. */
const queryEscape = (text: string): string =>
  encodeURIComponent(text)
    .replaceAll('%20', '+')
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

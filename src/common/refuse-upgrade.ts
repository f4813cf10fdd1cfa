/** Answers a request to leave HTTP with an error, and ends the connection. */
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

export interface UpgradeRefusal {
  /** HTTP status. */
  readonly status: number;
  /** Media type of the body. */
  readonly type: string;
  /** One line. */
  readonly body: string;
}

export function refuseUpgrade(socket: Duplex, { status, type, body }: UpgradeRefusal): void {
  const line = `${body}\n`;
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(line)}\r\nconnection: close\r\n\r\n${line}`,
  );
}

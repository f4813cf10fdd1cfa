/** Reading a whole request body. */
import type { IncomingMessage } from 'node:http';
import { HttpError } from '../http-error.ts';

/** The client went away before its body was complete: nobody is left to answer. */
export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError';
}

const NO_BODY = Buffer.alloc(0);

/** Whether a request brings a body. */
const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';

/** Calls back with the body, or with HttpError (413) when it is too large and ClientGoneError when it does not come. */
export function readWholeBody(
  request: IncomingMessage,
  maxBytes: number,
  done: (error: Error | undefined, body: Buffer) => void,
): void {
  if (!hasBody(request)) {
    done(undefined, NO_BODY);
    return;
  }
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
    done(tooLarge(maxBytes), NO_BODY);
    return;
  }
  let chunks: Buffer[] = [];
  let bytes = 0;
  let isDone = false;
  const finish = (error: Error | undefined, body: Buffer): void => {
    if (isDone) return;
    isDone = true;
    chunks = [];
    done(error, body);
  };
  request.on('data', (chunk: Buffer) => {
    if (isDone) return;
    bytes += chunk.length;
    if (bytes > maxBytes) finish(tooLarge(maxBytes), NO_BODY);
    else chunks.push(chunk);
  });
  request.on('end', () => finish(undefined, chunks.length === 1 ? (chunks[0] ?? NO_BODY) : Buffer.concat(chunks)));
  request.on('error', () => finish(new ClientGoneError('the client left while it sent its request'), NO_BODY));
}

const tooLarge = (maxBytes: number): HttpError =>
  new HttpError(413, `the request body is too large: at most ${maxBytes} bytes are accepted`);

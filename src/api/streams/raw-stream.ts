/** An answer of unknown length: headers at once, then one chunk per write, at the pace of the client. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';

export interface RawStream {
  /** Resolves when the client has room for more; writing to a client that left does nothing. */
  write(chunk: string | Uint8Array): Promise<void>;
  end(): void;
}

/** Takes the answer over from Fastify. */
export function openStream(reply: FastifyReply, contentType: string | undefined): RawStream {
  const headers = reply.getHeaders();
  const raw: ServerResponse = reply.raw;
  reply.hijack();
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) raw.setHeader(name, value);
  if (contentType !== undefined) raw.setHeader('content-type', contentType);
  raw.writeHead(200);
  raw.flushHeaders();
  raw.on('error', () => raw.destroy());
  return {
    write: async (chunk) => {
      if (raw.destroyed || raw.write(chunk)) return;
      const left = new AbortController();
      const onClose = (): void => left.abort();
      raw.once('close', onClose);
      try {
        await once(raw, 'drain', { signal: left.signal });
      } catch {
        // The client left: its loop ends by the request's own signal.
      } finally {
        raw.off('close', onClose);
      }
    },
    end: () => void raw.end(),
  };
}

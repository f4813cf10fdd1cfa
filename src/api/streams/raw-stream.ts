/** An answer of unknown length: headers at once, then one chunk per write, at the pace of the client. */
import { once } from 'node:events';
import type { ApiReply } from '../http/reply.ts';

export interface RawStream {
  /** Resolves when the client has room for more; writing to a client that left does nothing. */
  write(chunk: string | Uint8Array): Promise<void>;
  end(): void;
}

export function openStream(reply: ApiReply, contentType: string | undefined): RawStream {
  if (contentType !== undefined) reply.type(contentType);
  const raw = reply.stream();
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

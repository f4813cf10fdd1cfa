/** Signals that tell a handler that nobody waits for its answer any more. */
import type { ServerResponse } from 'node:http';

/**
 * Makes the signal of a request: it aborts when the client leaves before its answer is complete, or the server closes.
 * @param closing aborts when the server closes
 */
export function goneSignals(closing: AbortSignal): (response: ServerResponse) => AbortSignal {
  // One listener for all requests: adding one to a signal is slow.
  const open = new Set<AbortController>();
  closing.addEventListener('abort', () => open.forEach((gone) => gone.abort()), { once: true });
  return (response) => {
    const gone = new AbortController();
    if (closing.aborted || (response.closed && !response.writableFinished)) {
      gone.abort();
      return gone.signal;
    }
    open.add(gone);
    response.once('close', () => {
      open.delete(gone);
      if (!response.writableFinished) gone.abort();
    });
    return gone.signal;
  };
}

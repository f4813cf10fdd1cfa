/** Server streams as async iterables that obey an AbortSignal. */
import type { ClientReadableStream } from '@grpc/grpc-js';
import { rpcError } from '../common/rpc-client.ts';

/** The messages of a server stream until it ends; errors are SwarmErrors. An aborted signal cancels the call. */
export async function* messagesOf<R>(call: ClientReadableStream<R>, signal: AbortSignal): AsyncIterable<R> {
  const onAbort = (): void => call.cancel();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) call.cancel();
  try {
    for await (const message of call) yield message as R;
  } catch (error) {
    throw rpcError(error);
  } finally {
    signal.removeEventListener('abort', onAbort);
    // Leaving the loop early must not leave the call open, nor an unhandled error behind.
    call.on('error', () => undefined);
    call.cancel();
  }
}

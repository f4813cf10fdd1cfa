/** Unary gRPC calls as promises that throw SwarmError and honour abort signals. */
import { Metadata, type CallOptions, type ClientUnaryCall, type ServiceError } from '@grpc/grpc-js';
import { SwarmError, toSwarmError, type ErrorCode, ERROR_KINDS } from './errors.ts';

type UnaryMethod<Q, R> = (
  request: Q,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: R) => void,
) => ClientUnaryCall;

export interface UnaryOptions {
  /** Gives up with deadlineExceeded after this long. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly metadata?: Metadata;
}

/** Calls `client[method]`; pass the method bound to its client. */
export function unary<Q, R>(method: UnaryMethod<Q, R>, request: Q, options: UnaryOptions): Promise<R> {
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted) return reject(toSwarmError(options.signal.reason));
    const call = method(
      request,
      options.metadata ?? new Metadata(),
      { deadline: Date.now() + options.timeoutMs },
      (error, response) => {
        options.signal?.removeEventListener('abort', cancel);
        if (error) reject(rpcError(error));
        else resolve(response);
      },
    );
    const cancel = (): void => call.cancel();
    options.signal?.addEventListener('abort', cancel, { once: true });
  });
}

/** The SwarmError behind a failed call, with our finer code where the peer sent one. */
export function rpcError(error: unknown): SwarmError {
  const sent =
    error instanceof Error && 'metadata' in error
      ? (error.metadata as Metadata | undefined)?.get('swarmd-code')[0]
      : undefined;
  const converted = toSwarmError(error);
  const code = String(sent ?? '');
  return code in ERROR_KINDS && code !== converted.code
    ? new SwarmError(code as ErrorCode, converted.message, { cause: error })
    : converted;
}

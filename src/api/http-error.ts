/**
 * Failures as the Docker API tells them: a status and one sentence. What the Control service refuses carries gRPC's
 * "rpc error: …" prefix, as clients of a real Swarm see it; what this layer or the local node refuses does not.
 */
import { ERROR_KINDS, toSwarmError, type SwarmError } from '../common/errors.ts';

/** Ends a request with `status` and `{"message": message}`. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

export const badRequest = (message: string): HttpError => new HttpError(400, message);
export const notFound = (kind: string, name: string): HttpError => new HttpError(404, `${kind} ${name} not found`);
export const unavailable = (message: string): HttpError => new HttpError(503, message);
/** Docker leaves some refusals of parameters unclassified; clients see them as 500. */
export const unclassified = (message: string): HttpError => new HttpError(500, message);

/** A refusal by the Control service as its clients know it. */
export function rpcError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  const refused = toSwarmError(error);
  const { http } = ERROR_KINDS[refused.code];
  // A conflict of versions is "Unknown" in SwarmKit: clients look at the text.
  const { rpcName } = ERROR_KINDS[refused.code === 'outOfSequence' ? 'unknown' : refused.code];
  return new HttpError(http, `rpc error: code = ${rpcName} desc = ${refused.message}`, { cause: refused });
}

/** Runs calls of the Control service, so that its refusals read as those of a real Swarm. */
export async function viaRpc<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw rpcError(error);
  }
}

/** A refusal by the local node: the sentence alone. */
export function plainError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  const refused: SwarmError = toSwarmError(error);
  return new HttpError(ERROR_KINDS[refused.code].http, refused.message, { cause: refused });
}

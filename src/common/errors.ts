/**
 * The one error table of swarmd: code → gRPC status → HTTP status → exit code.
 * Every expected failure is a {@link SwarmError}; anything else that is thrown is a bug.
 */
import { status as GrpcStatus } from '@grpc/grpc-js';

interface ErrorKind {
  /** Name of the gRPC status, as it appears in "rpc error: code = X desc = …". */
  readonly rpcName: string;
  readonly grpc: GrpcStatus;
  readonly http: number;
  /** Exit code of swarmctl: 1 failed, 2 usage, 3 not found, 4 refused, 5 unreachable or no leader, 6 timed out. */
  readonly exit: number;
}

const kind = (rpcName: string, grpc: GrpcStatus, http: number, exit: number): ErrorKind => ({
  rpcName,
  grpc,
  http,
  exit,
});

export const ERROR_KINDS = {
  /** The request itself is wrong; repeating it cannot help. */
  invalidArgument: kind('InvalidArgument', GrpcStatus.INVALID_ARGUMENT, 400, 1),
  /** The request is fine but the state of the object forbids it. */
  failedPrecondition: kind('FailedPrecondition', GrpcStatus.FAILED_PRECONDITION, 400, 1),
  outOfRange: kind('OutOfRange', GrpcStatus.OUT_OF_RANGE, 400, 1),
  notFound: kind('NotFound', GrpcStatus.NOT_FOUND, 404, 3),
  alreadyExists: kind('AlreadyExists', GrpcStatus.ALREADY_EXISTS, 409, 1),
  /** What was going on is ended by this side; begin anew. */
  aborted: kind('Aborted', GrpcStatus.ABORTED, 409, 1),
  /** Optimistic concurrency: the object changed since the version given. */
  outOfSequence: kind('Aborted', GrpcStatus.ABORTED, 409, 1),
  permissionDenied: kind('PermissionDenied', GrpcStatus.PERMISSION_DENIED, 403, 4),
  unauthenticated: kind('Unauthenticated', GrpcStatus.UNAUTHENTICATED, 401, 4),
  /** A limit was reached (size of a transaction, queue, disk). */
  resourceExhausted: kind('ResourceExhausted', GrpcStatus.RESOURCE_EXHAUSTED, 507, 1),
  unimplemented: kind('Unimplemented', GrpcStatus.UNIMPLEMENTED, 501, 1),
  /** The manager asked does not lead and has done nothing: ask the leader. */
  notLeader: kind('Unavailable', GrpcStatus.UNAVAILABLE, 503, 5),
  /** No leader, leadership lost, or the peer cannot be reached: safe to try again. */
  unavailable: kind('Unavailable', GrpcStatus.UNAVAILABLE, 503, 5),
  deadlineExceeded: kind('DeadlineExceeded', GrpcStatus.DEADLINE_EXCEEDED, 504, 6),
  cancelled: kind('Canceled', GrpcStatus.CANCELLED, 499, 130),
  /** Stored data is damaged. */
  dataLoss: kind('DataLoss', GrpcStatus.DATA_LOSS, 500, 1),
  internal: kind('Internal', GrpcStatus.INTERNAL, 500, 1),
  unknown: kind('Unknown', GrpcStatus.UNKNOWN, 500, 1),
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERROR_KINDS;

/** An expected failure. `message` says what was attempted, why it failed and what to do. */
export class SwarmError extends Error {
  override readonly name = 'SwarmError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** Whether the same request may succeed later without being changed. */
  get isRetryable(): boolean {
    return this.code === 'unavailable' || this.code === 'notLeader' || this.code === 'deadlineExceeded';
  }
}

export const isSwarmError = (error: unknown, code?: ErrorCode): error is SwarmError =>
  error instanceof SwarmError && (code === undefined || error.code === code);

/** Turns anything thrown into a SwarmError; an unexpected throwable becomes `internal` with the original as its cause. */
export function toSwarmError(error: unknown): SwarmError {
  if (error instanceof SwarmError) return error;
  const grpc = fromGrpcStatus(error);
  if (grpc) return grpc;
  return new SwarmError('internal', errorText(error), { cause: error });
}

/** Text of anything thrown. */
export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Where codes share a status, the one listed last above stands for it. */
const CODE_BY_GRPC = new Map<number, ErrorCode>(
  (Object.keys(ERROR_KINDS) as ErrorCode[]).map((code) => [ERROR_KINDS[code].grpc, code]),
);

/** gRPC's client announces a note that is mostly empty. */
const NO_NOTE = /\.? Resolution note: $/;

/** A gRPC ServiceError (numeric `code`, `details`) as a SwarmError; undefined for anything else. */
function fromGrpcStatus(error: unknown): SwarmError | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'number') return undefined;
  const code = CODE_BY_GRPC.get(error.code);
  if (!code) return undefined;
  const details = 'details' in error && typeof error.details === 'string' ? error.details : error.message;
  return new SwarmError(code, details.replace(NO_NOTE, ''), { cause: error });
}

/** What the Docker Engine refuses, as our errors: its own words, and whether trying again can help. */
import { SwarmError, type ErrorCode } from '../../../common/errors.ts';

const CODE_BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'invalidArgument',
  401: 'unauthenticated',
  403: 'permissionDenied',
  404: 'notFound',
  409: 'failedPrecondition',
};

/** Connection faults that end when the engine is back. */
const UNREACHABLE = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'ETIMEDOUT']);

interface EngineFault {
  readonly statusCode?: number;
  readonly code?: string;
  readonly json?: { readonly message?: string };
  readonly message: string;
}

/** @param prefix put before the engine's words */
export function engineError(thrown: unknown, prefix = ''): SwarmError {
  if (thrown instanceof SwarmError) return thrown;
  const fault = thrown as EngineFault;
  if (fault.statusCode === undefined && fault.code !== undefined && UNREACHABLE.has(fault.code)) {
    return new SwarmError(
      'unavailable',
      `the Docker Engine cannot be reached (${fault.code}); the task goes on when it is back`,
      { cause: thrown },
    );
  }
  const text = fault.json?.message ?? fault.message.replace(/^\(HTTP code \d+\) [^-]*- /, '');
  return new SwarmError(CODE_BY_STATUS[fault.statusCode ?? 0] ?? 'unknown', prefix + text.trim(), { cause: thrown });
}

export const hasStatus = (thrown: unknown, status: number): boolean =>
  (thrown as EngineFault | undefined)?.statusCode === status;

/** Errors of the log as the user should see them. */
import { errorText, SwarmError } from '../../common/errors.ts';

export function logError(error: unknown): SwarmError {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  const kind =
    code === 'LOG_CORRUPT' || code === 'LOG_KEY'
      ? 'dataLoss'
      : code === 'LOG_LOCKED' || code === 'LOG_IDENTITY'
        ? 'failedPrecondition'
        : 'internal';
  return new SwarmError(kind, errorText(error), { cause: error });
}

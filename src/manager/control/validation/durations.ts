/** Checks on protobuf durations. */
import { msOfDuration } from '../../../common/time.ts';
import type { Duration } from '../../../proto/generated/google/protobuf/duration.ts';
import { invalid } from './refusal.ts';

/** Refuses a negative duration; `text` says what cannot be negative. */
export function notNegative(duration: Duration | undefined, text: string): void {
  if (duration && msOfDuration(duration) < 0) throw invalid(text);
}

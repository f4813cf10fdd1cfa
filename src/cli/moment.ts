/** Points in time as users give them: a date, Unix seconds, or how long ago. */
import { parseDurationMs } from '../common/time.ts';
import { UsageError } from './usage-error.ts';

/** Unix seconds. Throws a UsageError naming flag, value and form. */
export function moment(flag: string, text: string, nowMs = Date.now()): number {
  if (/^\d{9,}(\.\d+)?$/.test(text)) return Number(text);
  const ms = /^\d{4}-/.test(text) ? Date.parse(text) : nowMs - ageMs(text);
  if (Number.isNaN(ms)) {
    throw new UsageError(`${flag} "${text}": write a time such as 2026-08-20T10:00:00Z, or a duration such as 10m`);
  }
  return ms / 1000;
}

function ageMs(text: string): number {
  try {
    const ms = parseDurationMs(text);
    return ms >= 0 ? ms : Number.NaN;
  } catch {
    return Number.NaN;
  }
}

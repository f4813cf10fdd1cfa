/** Points in time as users give them: a date, Unix seconds, or how long ago. */
import { UsageError } from './usage-error.ts';
import { milliseconds } from './values.ts';

/** Unix seconds. Throws a UsageError naming flag, value and form. */
export function moment(flag: string, text: string, nowMs = Date.now()): number {
  if (/^\d{9,}(\.\d+)?$/.test(text)) return Number(text);
  if (!/^\d{4}-/.test(text)) return (nowMs - milliseconds(flag, text)) / 1000;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) {
    throw new UsageError(`${flag} "${text}": write a time such as 2026-08-20T10:00:00Z, or a duration such as 10m`);
  }
  return ms / 1000;
}

/** What a check found. */

export interface Finding {
  /** What was looked at. */
  readonly check: string;
  /** `warn` will hurt one day, `fail` hurts now; `skip` could not be looked at. */
  readonly level: 'ok' | 'warn' | 'fail' | 'skip';
  readonly text: string;
  /** What to do about it; empty where there is nothing to do. */
  readonly remedy: string;
}

const of =
  (level: Finding['level']) =>
  (check: string, text: string, remedy = ''): Finding => ({ check, level, text, remedy });

export const ok = of('ok');
export const warn = of('warn');
export const fail = of('fail');
export const skip = of('skip');

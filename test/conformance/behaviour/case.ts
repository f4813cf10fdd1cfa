/** What a case file of behaviours holds, and what a handler says about one case. */

/** One case as read from its file; every file has its own members beside these. */
export interface BehaviourCase {
  readonly id: string;
  /** Who says so: test, code, live or bug (the reference is believed wrong). */
  readonly origin?: string;
  readonly note?: string;
  readonly [member: string]: unknown;
}

export type CaseResult =
  /**
   * `better` says why we differ on purpose; such a case counts as passed and is listed.
   */
  | { readonly ok: true; readonly better?: string }
  /** `detail` says what was expected and what came. */
  | { readonly ok: false; readonly detail: string };

/** Plays one case against the real components. Anything thrown counts as a failure. */
export type CaseHandler = (testCase: BehaviourCase) => Promise<CaseResult>;

export const passed: CaseResult = { ok: true };

/** A pass although the case says otherwise; the reason is also in docs/behaviour-differences.md. */
export const passedBetter = (reason: string): CaseResult => ({ ok: true, better: reason });

export const failed = (detail: string): CaseResult => ({ ok: false, detail });

/** Compares by structure; members of objects may come in any order. */
export function expectSame(actual: unknown, expected: unknown, what = 'result'): CaseResult {
  const [a, e] = [canonical(actual), canonical(expected)];
  return a === e ? passed : failed(`${what}: expected ${e}, actual ${a}`);
}

/** The first failure, or a pass. */
export function allOf(...results: readonly CaseResult[]): CaseResult {
  return results.find((result) => !result.ok) ?? results.find((result) => result.ok && result.better) ?? passed;
}

/** A member that holds a word or a number, as text; empty when it is left out. */
export const textOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';

/** JSON with sorted members. */
function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_key, member: unknown) =>
      member !== null && typeof member === 'object' && !Array.isArray(member)
        ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
        : member,
    ) ?? 'undefined'
  );
}

/** Fails the case when it has a member the handler does not know: better than passing without having looked. */
export function refuseUnknownMembers(
  object: Readonly<Record<string, unknown>>,
  known: readonly string[],
  where: string,
): void {
  const unknown = Object.keys(object).filter((member) => !known.includes(member));
  if (unknown.length > 0) throw new Error(`the handler does not know ${where}: ${unknown.join(', ')}`);
}

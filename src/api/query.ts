/** Query parameters, read as Go does. Unknown ones are ignored; of repeated ones the first counts. */
import { badRequest } from './http-error.ts';

/** Decoded; repeated ones have all their values. */
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

export function queryText(query: Query, name: string): string {
  const value = query[name];
  return (typeof value === 'string' ? value : value?.[0]) ?? '';
}

/** Anything but "", 0, no, false and none is true. */
export const queryFlag = (query: Query, name: string): boolean =>
  !['', '0', 'no', 'false', 'none'].includes(queryText(query, name).trim().toLowerCase());

const TRUE = ['1', 't', 'T', 'TRUE', 'true', 'True'];
const FALSE = ['', '0', 'f', 'F', 'FALSE', 'false', 'False'];

/**
 * A flag whose value must be one. Throws badRequest.
 * @param isTerse those of `swarm update` say less than the others
 */
export function queryStrictFlag(query: Query, name: string, isTerse = false): boolean {
  const value = queryText(query, name);
  if (TRUE.includes(value)) return true;
  if (FALSE.includes(value)) return false;
  const reason = isTerse ? '' : `: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`;
  throw badRequest(`invalid value for ${name}: ${value}${reason}`);
}

/**
 * The `version` an update is based on. Throws badRequest.
 * @param isTerse secrets and configs say less than the others
 */
export function queryVersion(query: Query, kind: string, isTerse = false): { readonly index: number } {
  const value = queryText(query, 'version');
  const problem = uint64Problem(value);
  if (problem === undefined) return { index: Number(value) };
  if (isTerse) throw badRequest(`invalid ${kind} version`);
  throw badRequest(
    `invalid ${kind} version '${value}': strconv.ParseUint: parsing ${JSON.stringify(value)}: ${problem}`,
  );
}

function uint64Problem(value: string): string | undefined {
  if (!/^\d+$/.test(value)) return 'invalid syntax';
  return BigInt(value) >= 2n ** 64n ? 'value out of range' : undefined;
}

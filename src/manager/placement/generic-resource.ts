/**
 * Generic resources: things an operator counts on a node, as a number (apple=3) or as a set of names (gpu=GPU-1,gpu=GPU-2).
 * A task always wishes a number; from a set it is handed that many names. A kind of which nothing is left is not listed.
 */
import { SwarmError } from '../../common/errors.ts';
import type { GenericResource } from '../../proto/generated/docker/swarmkit/v1/types.ts';

/** How much there is of one kind: a count, or the names in the order in which they are handed out. */
export type GenericAmount = number | readonly string[];

/** Amount per kind; never changed in place. */
export type GenericPool = ReadonlyMap<string, GenericAmount>;

export const NO_GENERIC: GenericPool = new Map();

const sizeOf = (amount: GenericAmount): number => (typeof amount === 'number' ? amount : amount.length);

/**
 * Reads the text of an operator, `kind=value[,kind=value…]`: one whole number is a count, anything else a name.
 * Throws invalidArgument when the text cannot be understood or mixes numbers and names in one kind.
 */
export function parseGenericResources(text: string): GenericPool {
  const values = new Map<string, string[]>();
  if (text.includes('\n')) throw malformed(text, 'write everything on one line');
  for (const term of text.split(',')) {
    const [kind, value, ...rest] = term.split('=').map((part) => part.trim());
    if (!kind || !value || rest.length > 0) throw malformed(text, `write "${term}" as kind=value`);
    values.set(kind, [...(values.get(kind) ?? []), value]);
  }
  return new Map([...values].map(([kind, list]) => [kind, amountOf(text, kind, list)]));
}

function amountOf(text: string, kind: string, values: readonly string[]): GenericAmount {
  const [first = ''] = values;
  if (!values.some(isWholeNumber)) return [...new Set(values)];
  if (values.length > 1) throw malformed(text, `give ${kind} either one number or names, not several numbers`);
  if (Number(first) < 0) throw malformed(text, `${kind} must not be negative`);
  return Number(first);
}

const isWholeNumber = (value: string): boolean => /^[+-]?\d+$/.test(value);

const malformed = (text: string, remedy: string): SwarmError =>
  new SwarmError('invalidArgument', `could not parse generic resources "${text}": ${remedy}`);

/** From the wire form, in which each name of a set is an entry of its own. */
export function genericPoolOf(list: readonly GenericResource[]): GenericPool {
  if (list.length === 0) return NO_GENERIC;
  const pool = new Map<string, GenericAmount>();
  for (const { resource } of list) {
    if (resource?.$case === 'discreteResourceSpec') add(pool, resource.value.kind, resource.value.value);
    else if (resource?.$case === 'namedResourceSpec') add(pool, resource.value.kind, [resource.value.value]);
  }
  return pool;
}

export function genericListOf(pool: GenericPool): readonly GenericResource[] {
  const list: GenericResource[] = [];
  for (const [kind, amount] of pool) {
    if (typeof amount === 'number')
      list.push({ resource: { $case: 'discreteResourceSpec', value: { kind, value: amount } } });
    else for (const value of amount) list.push({ resource: { $case: 'namedResourceSpec', value: { kind, value } } });
  }
  return list;
}

/** Whether a node still has exactly what a task was handed: the same names, or at least the number. */
export function hasGeneric(available: GenericPool, held: GenericPool): boolean {
  return [...held].every(([kind, amount]) => {
    const there = available.get(kind);
    if (there === undefined) return false;
    if (typeof amount === 'number') return typeof there === 'number' && there >= amount;
    return typeof there !== 'number' && amount.every((name) => there.includes(name));
  });
}

/** Whether a wish can be met. A wish for particular names cannot. */
export function hasEnoughGeneric(available: GenericPool, wish: GenericPool): boolean {
  for (const [kind, amount] of wish) {
    if (typeof amount !== 'number' || amount > sizeOf(available.get(kind) ?? 0)) return false;
  }
  return true;
}

/** Takes what a task wishes. Throws failedPrecondition, having taken nothing, when there is not enough. */
export function claimGeneric(
  available: GenericPool,
  wish: GenericPool,
): { readonly available: GenericPool; readonly assigned: GenericPool } {
  const assigned = new Map<string, GenericAmount>();
  for (const [kind, wanted] of wish) {
    const there = available.get(kind) ?? 0;
    if (typeof wanted !== 'number' || wanted > sizeOf(there)) {
      throw new SwarmError(
        'failedPrecondition',
        `not enough of generic resource ${kind}: ${String(wanted)} wished, ${sizeOf(there)} available`,
      );
    }
    if (wanted > 0) assigned.set(kind, typeof there === 'number' ? wanted : there.slice(0, wanted));
  }
  return { available: consumeGeneric(available, assigned), assigned };
}

/** What is left after a task took `used`; what the node does not have is ignored. */
export function consumeGeneric(available: GenericPool, used: GenericPool): GenericPool {
  if (used.size === 0) return available;
  const left = new Map(available);
  for (const [kind, amount] of used) {
    const there = available.get(kind);
    if (there === undefined || typeof there !== typeof amount) continue;
    if (typeof there === 'number') set(left, kind, there - (amount as number));
    else
      set(
        left,
        kind,
        there.filter((name) => !(amount as readonly string[]).includes(name)),
      );
  }
  return left;
}

/** Gives back what a task held; a kind that changed between number and set is left alone. */
export function reclaimGeneric(available: GenericPool, freed: GenericPool): GenericPool {
  if (freed.size === 0) return available;
  const sum = new Map(available);
  for (const [kind, amount] of freed) add(sum, kind, amount);
  return sum;
}

/** Cuts what is available to a changed total of the node; a kind that changed between number and set starts afresh. */
export function sanitizeGeneric(available: GenericPool, total: GenericPool): GenericPool {
  const cut = new Map<string, GenericAmount>();
  for (const [kind, amount] of available) {
    const limit = total.get(kind);
    if (limit === undefined) continue;
    if (typeof limit !== typeof amount) set(cut, kind, limit);
    else if (typeof limit === 'number') set(cut, kind, Math.min(limit, amount as number));
    else
      set(
        cut,
        kind,
        (amount as readonly string[]).filter((name) => limit.includes(name)),
      );
  }
  return cut;
}

function set(pool: Map<string, GenericAmount>, kind: string, amount: GenericAmount): void {
  if (sizeOf(amount) > 0) pool.set(kind, amount);
  else pool.delete(kind);
}

function add(pool: Map<string, GenericAmount>, kind: string, amount: GenericAmount): void {
  const there = pool.get(kind);
  if (there === undefined) set(pool, kind, amount);
  else if (typeof there === 'number' && typeof amount === 'number') pool.set(kind, there + amount);
  else if (typeof there !== 'number' && typeof amount !== 'number') pool.set(kind, [...new Set([...there, ...amount])]);
}

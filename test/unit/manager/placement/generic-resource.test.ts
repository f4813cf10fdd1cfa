import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  claimGeneric,
  consumeGeneric,
  genericListOf,
  genericPoolOf,
  hasEnoughGeneric,
  hasGeneric,
  parseGenericResources,
  reclaimGeneric,
  sanitizeGeneric,
  type GenericAmount,
  type GenericPool,
} from '../../../../src/manager/placement/generic-resource.ts';

const pool = (amounts: Readonly<Record<string, GenericAmount>>): GenericPool => new Map(Object.entries(amounts));

describe('generic resources', () => {
  it.each(['apple', 'apple=', '=3', 'apple=1=2', 'apple=3,apple=4', 'apple=3,apple=red', 'apple=-3', 'a=1\nb=2', ''])(
    'refuses %j',
    (text) => expect(() => parseGenericResources(text)).toThrow(/could not parse generic resources/),
  );

  it('reads numbers and names', () => {
    expect(parseGenericResources(' apple = 3 ,gpu=a,gpu=b,gpu=a')).toEqual(pool({ apple: 3, gpu: ['a', 'b'] }));
  });

  it('wants all names a task holds to be there, wherever they are listed', () => {
    const available = pool({ gpu: ['a', 'b'], apple: 2 });
    expect(hasGeneric(available, pool({ gpu: ['b'], apple: 2 }))).toBe(true);
    expect(hasGeneric(available, pool({ gpu: ['b', 'c'] }))).toBe(false);
    expect(hasGeneric(available, pool({ gpu: 1 }))).toBe(false);
    expect(hasGeneric(available, pool({ pear: 1 }))).toBe(false);
  });

  it('refuses a claim it cannot meet in full and takes nothing', () => {
    const available = pool({ gpu: ['a'], apple: 5 });
    expect(() => claimGeneric(available, pool({ apple: 1, gpu: 2 }))).toThrow(
      'not enough of generic resource gpu: 2 wished, 1 available',
    );
    expect(available).toEqual(pool({ gpu: ['a'], apple: 5 }));
  });

  const amount = fc.oneof(
    fc.integer({ min: 1, max: 9 }),
    fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1 }),
  );
  const anyPool = fc.dictionary(fc.constantFrom('x', 'y', 'z'), amount).map(pool);
  const anyWish = fc.dictionary(fc.constantFrom('x', 'y', 'z'), fc.nat(6)).map(pool);

  it('is the same after a trip over the wire', () => {
    fc.assert(
      fc.property(anyPool, (given) => {
        expect(genericPoolOf(genericListOf(given))).toEqual(given);
      }),
    );
  });

  it('claims exactly what is wished, and giving it back restores the amounts', () => {
    const sizes = (of: GenericPool) =>
      Object.fromEntries([...of].map(([kind, a]) => [kind, typeof a === 'number' ? a : [...a].sort()]));
    fc.assert(
      fc.property(anyPool, anyWish, (given, wish) => {
        if (!hasEnoughGeneric(given, wish)) {
          expect(() => claimGeneric(given, wish)).toThrow();
          return;
        }
        const { available, assigned } = claimGeneric(given, wish);
        for (const [kind, wanted] of wish) {
          const got = assigned.get(kind) ?? 0;
          expect(typeof got === 'number' ? got : got.length).toBe(wanted);
        }
        expect(hasGeneric(given, assigned)).toBe(true);
        expect(consumeGeneric(given, assigned)).toEqual(available);
        expect(sizes(reclaimGeneric(available, assigned))).toEqual(sizes(given));
        expect(sizes(sanitizeGeneric(reclaimGeneric(available, assigned), given))).toEqual(sizes(given));
      }),
    );
  });
});

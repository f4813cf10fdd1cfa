import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { whyNotLinearizable } from '../src/testing/simulation/linearizability.ts';
import type { Operation } from '../src/testing/simulation/linearizability.ts';

function write(value: number, begin: number, end = Infinity): Operation {
  return { kind: 'write', register: 0, value, begin, end };
}

function read(value: number, begin: number, end: number): Operation {
  return { kind: 'read', register: 0, value, begin, end };
}

/** The definition itself: some order in which every operation comes after all that ended before it began. */
function hasOrder(left: readonly Operation[], value: number): boolean {
  if (left.every(({ end }) => end === Infinity)) return true;
  const horizon = Math.min(...left.map(({ end }) => end));
  return left.some((next, i) => {
    if (next.begin > horizon || (next.kind === 'read' && next.value !== value)) return false;
    return hasOrder(left.toSpliced(i, 1), next.kind === 'write' ? next.value : value);
  });
}

describe('a history', () => {
  it('of one operation after the other is linearizable if every read returns the last write', () => {
    expect(whyNotLinearizable([write(1, 1, 2), read(1, 3, 4), write(2, 5, 6), read(2, 7, 8)])).toBeUndefined();
    expect(whyNotLinearizable([write(1, 1, 2), write(2, 3, 4), read(1, 5, 6)])).toContain('value');
  });

  it('may show a write early or late while it goes on, but not go back', () => {
    expect(whyNotLinearizable([write(1, 1, 10), read(0, 2, 3), read(1, 4, 5)])).toBeUndefined();
    expect(whyNotLinearizable([write(1, 1, 10), read(1, 2, 3), read(0, 4, 5)])).toBeDefined();
  });

  it('may hold writes that never ended, whether or not they happened', () => {
    expect(whyNotLinearizable([write(1, 1), write(2, 2, 3), read(2, 4, 5)])).toBeUndefined();
    expect(whyNotLinearizable([write(1, 1), write(2, 2, 3), read(2, 4, 5), read(1, 6, 7)])).toBeUndefined();
    expect(whyNotLinearizable([write(1, 1), read(1, 2, 3), write(2, 4, 5), read(1, 6, 7)])).toBeDefined();
  });

  it('with a value that nobody wrote is not linearizable', () => {
    expect(whyNotLinearizable([read(7, 1, 2)])).toContain('never written');
    expect(whyNotLinearizable([read(7, 1, 2), write(7, 3, 4)])).toContain('before it is written');
  });

  it('is judged as by trying every order', () => {
    const anOperation = fc.record({
      isWrite: fc.boolean(),
      value: fc.integer({ min: 0, max: 4 }),
      begin: fc.nat({ max: 30 }),
      length: fc.integer({ min: 1, max: 12 }),
      isPending: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
    });
    fc.assert(
      fc.property(fc.array(anOperation, { maxLength: 7 }), (drafts) => {
        let writes = 0;
        const history = drafts.map(({ isWrite, value, begin, length, isPending }, i): Operation => {
          // Begins and ends of different operations are at different moments.
          const at = begin + i / 100;
          const end = at + length;
          return isWrite ? write(++writes, at, isPending ? Infinity : end) : read(value, at, end);
        });
        expect(whyNotLinearizable(history) === undefined).toBe(hasOrder(history, 0));
      }),
      { numRuns: 3000 },
    );
  });
});

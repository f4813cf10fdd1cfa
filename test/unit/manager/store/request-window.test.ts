import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RequestWindow } from '../../../../src/manager/store/request-window.ts';

const WINDOW = 4096;
const numbered = (from: number, count: number): string[] => Array.from({ length: count }, (_, i) => `r${from + i}`);

it('admits a request once while it is among the last 4,096', () => {
  const window = new RequestWindow();
  for (const id of numbered(0, WINDOW)) expect(window.admit(id)).toBe(true);
  expect(window.admit('r0')).toBe(false);
  expect(window.admit(`r${WINDOW}`)).toBe(true);
  expect(window.admit('r1')).toBe(false);
  expect(window.admit('r0')).toBe(true);
});

it('tells the last ids in order, from which another window goes on alike', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 3 * WINDOW }), fc.integer({ min: 0, max: 50 }), (before, more) => {
      const first = new RequestWindow();
      for (const id of numbered(0, before)) first.admit(id);
      expect(first.ids).toEqual(numbered(Math.max(0, before - WINDOW), Math.min(before, WINDOW)));
      const second = new RequestWindow();
      second.reset(first.ids);
      for (const id of numbered(before, more)) expect(second.admit(id)).toBe(first.admit(id));
      expect(second.ids).toEqual(first.ids);
    }),
    { numRuns: 30 },
  );
});

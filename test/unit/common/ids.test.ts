import { expect, it } from 'vitest';
import { newId } from '../../../src/common/ids.ts';

it('ids are 25 characters, and what clients show of them has a letter and a digit', () => {
  const ids = Array.from({ length: 2_000 }, newId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^(?=.{0,11}[a-z])(?=.{0,11}\d)[a-z0-9]{25}$/);
});

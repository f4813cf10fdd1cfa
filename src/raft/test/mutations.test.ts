import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MUTATIONS } from './mutations/catalogue.ts';
import { apply } from './planting/edit.ts';

describe('planted bugs', () => {
  it('can all still be planted: `npm run mutations` then shows that each is found', () => {
    for (const { edits } of MUTATIONS) {
      for (const edit of edits) {
        const text = readFileSync(new URL(`../${edit.file}`, import.meta.url), 'utf8');
        expect(apply(edit, text)).not.toBe(text);
      }
    }
  });

  it('have names of their own', () => {
    expect(new Set(MUTATIONS.map(({ name }) => name)).size).toBe(MUTATIONS.length);
  });
});

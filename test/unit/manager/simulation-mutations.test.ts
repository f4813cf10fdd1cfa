import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { apply } from '../../../src/raft/test/planting/edit.ts';
import { SWARM_MUTATIONS } from '../../simulation/mutations/catalogue.ts';

describe('bugs planted in the managers', () => {
  it('can all still be planted: `npm run mutations:swarm` then shows that each is found', () => {
    for (const { edits } of SWARM_MUTATIONS) {
      for (const edit of edits) {
        const text = readFileSync(new URL(`../../../${edit.file}`, import.meta.url), 'utf8');
        expect(apply(edit, text)).not.toBe(text);
      }
    }
  });

  it('have names of their own', () => {
    expect(new Set(SWARM_MUTATIONS.map(({ name }) => name)).size).toBe(SWARM_MUTATIONS.length);
  });
});

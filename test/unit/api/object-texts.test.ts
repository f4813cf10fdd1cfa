import { describe, expect, it } from 'vitest';
import { ObjectTexts } from '../../../src/api/json/object-texts.ts';

describe('texts of stored objects', () => {
  it('are written once per object and version of the API', () => {
    let written = 0;
    const texts = new ObjectTexts(({ id }: { readonly id: string }, apiMinor) => ({ id, apiMinor, n: ++written }));
    const object = { id: 'a' };
    expect([texts.of(object, 41), texts.of(object, 41)]).toEqual(Array(2).fill('{"id":"a","apiMinor":41,"n":1}'));
    expect(texts.of(object, 44)).toBe('{"id":"a","apiMinor":44,"n":2}');
    expect(texts.of({ id: 'a' }, 41)).toBe('{"id":"a","apiMinor":41,"n":3}');
  });

  it('stay within their bound and stay right', () => {
    let written = 0;
    const texts = new ObjectTexts(({ id }: { readonly id: number }) => (written++, { id }), 60);
    const objects = Array.from({ length: 20 }, (_, id) => ({ id }));
    for (let round = 0; round < 3; round++)
      expect(objects.map((object) => texts.of(object, 41))).toEqual(objects.map(({ id }) => `{"id":${id}}`));
    expect(written).toBeGreaterThan(objects.length);
  });
});

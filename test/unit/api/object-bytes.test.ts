import { describe, expect, it } from 'vitest';
import { ObjectBytes } from '../../../src/api/json/object-bytes.ts';

describe('bytes of stored objects', () => {
  it('are written once per object and version of the API', () => {
    let written = 0;
    const bytes = new ObjectBytes(({ id }: { readonly id: string }, apiMinor) => ({ id, apiMinor, n: ++written }));
    const text = (object: { readonly id: string }, apiMinor: number): string => bytes.of(object, apiMinor).toString();
    const object = { id: 'a' };
    expect([text(object, 41), text(object, 41)]).toEqual(Array(2).fill('{"id":"a","apiMinor":41,"n":1}'));
    expect(text(object, 44)).toBe('{"id":"a","apiMinor":44,"n":2}');
    expect(text({ id: 'a' }, 41)).toBe('{"id":"a","apiMinor":41,"n":3}');
  });

  it('stay within their bound and stay right', () => {
    let written = 0;
    const bytes = new ObjectBytes(({ id }: { readonly id: number }) => (written++, { id }), 60);
    const objects = Array.from({ length: 20 }, (_, id) => ({ id }));
    for (let round = 0; round < 3; round++)
      expect(objects.map((object) => bytes.of(object, 41).toString())).toEqual(objects.map(({ id }) => `{"id":${id}}`));
    expect(written).toBeGreaterThan(objects.length);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonNumber, type JsonValue } from '../../../src/api/json/json-value.ts';
import { parseJson } from '../../../src/api/json/parse-json.ts';
import { exactInteger, stringify } from '../../../src/api/json/stringify.ts';
import { durationToDocker, durationToProto, float32ToDocker, timeToDocker } from '../../../src/api/docker/values.ts';

const plain = (value: JsonValue): unknown => {
  if (value instanceof JsonNumber) return Number(value.text);
  if (value instanceof Map)
    return Object.fromEntries(Array.from(value as Map<string, JsonValue>, ([k, v]) => [k, plain(v)]));
  return Array.isArray(value) ? (value as JsonValue[]).map(plain) : value;
};

describe('JSON', () => {
  it('reads what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(plain(parseJson(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('refuses what JSON.parse refuses, never with another error', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from('{}[]",:0-1.e tfn\\u')), maxLength: 12 }), (text) => {
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          // What follows the first value is ignored here, so a longer text may still be read.
          try {
            parseJson(text);
          } catch (error) {
            expect(error).toMatchObject({ status: 400 });
          }
          return;
        }
        expect(plain(parseJson(text))).toEqual(expected);
      }),
    );
  });

  it('writes integers of any length', () => {
    expect(stringify({ a: 2n ** 63n - 1n, b: [1, undefined, 'x'], c: undefined, d: null })).toBe(
      '{"a":9223372036854775807,"b":[1,null,"x"],"d":null}',
    );
    expect(exactInteger(5n)).toBe(5);
  });

  it('replaces halves of characters, which could not be stored', () => {
    expect(parseJson(String.raw`"a\ud800b"`)).toBe('a\ufffdb');
    expect(parseJson(String.raw`"\ud83d\ude00"`)).toBe('😀');
  });
});

describe('values', () => {
  it('keeps every duration', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (nanoseconds) => {
        expect(BigInt(durationToDocker(durationToProto(nanoseconds)))).toBe(nanoseconds);
      }),
    );
  });

  it('shows ratios as they were written', () => {
    for (const ratio of [0, 0.1, 0.2, 0.25, 0.333, 0.999999, 1])
      expect(float32ToDocker(Math.fround(ratio))).toBe(ratio);
  });

  it('writes times as Go does', () => {
    expect(timeToDocker({ seconds: 1795217401, nanos: 500_000_000 })).toBe('2026-11-20T23:30:01.5Z');
    expect(timeToDocker({ seconds: 1795217401, nanos: 0 })).toBe('2026-11-20T23:30:01Z');
    expect(timeToDocker(undefined)).toBe('0001-01-01T00:00:00Z');
  });
});

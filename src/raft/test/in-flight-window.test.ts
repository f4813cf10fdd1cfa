/** The window of unacknowledged appends to one follower. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Inflights } from '../src/tracker/inflights.ts';

describe('in-flight window', () => {
  it('is full at its limit of messages', () => {
    const window = new Inflights(3, 0);
    for (let i = 1; i <= 3; i++) {
      expect(window.isFull()).toBe(false);
      window.add(i, 100);
    }
    expect(window.isFull()).toBe(true);
    expect(() => window.add(4, 100)).toThrow(/full/);
  });

  it('is full when its limit of bytes is reached, and may be passed by one message', () => {
    const window = new Inflights(100, 100);
    window.add(1, 99);
    expect(window.isFull()).toBe(false);
    window.add(2, 1000);
    expect([window.isFull(), window.bytes]).toEqual([true, 1099]);
    window.freeUpTo(1);
    expect(window.isFull()).toBe(true);
    window.freeUpTo(2);
    expect([window.isFull(), window.bytes, window.count]).toEqual([false, 0, 0]);
  });

  it('frees all messages up to an index, and none for an old one', () => {
    const window = new Inflights(10, 0);
    for (let i = 1; i <= 10; i++) window.add(i * 10, i);
    window.freeUpTo(5);
    expect(window.count).toBe(10);
    window.freeUpTo(30);
    expect([window.count, window.bytes]).toEqual([7, 49]);
    window.freeUpTo(35);
    expect(window.count).toBe(7);
    window.freeUpTo(1000);
    expect(window.count).toBe(0);
  });

  it('starts over after a reset', () => {
    const window = new Inflights(2, 10);
    window.add(1, 10);
    window.reset();
    expect([window.count, window.bytes, window.isFull()]).toEqual([0, 0, false]);
    window.add(1, 1);
    window.freeUpTo(1);
    expect(window.count).toBe(0);
  });

  it('behaves like a plain list, however it wraps around and grows', () => {
    const operation = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), step: fc.integer({ min: 1, max: 3 }), bytes: fc.nat(50) }),
      fc.record({ kind: fc.constant('free' as const), back: fc.nat(12) }),
      fc.record({ kind: fc.constant('reset' as const) }),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.nat(200),
        fc.array(operation, { maxLength: 200 }),
        (max, maxBytes, operations) => {
          const window = new Inflights(max, maxBytes);
          let model: { index: number; bytes: number }[] = [];
          let last = 0;
          for (const each of operations) {
            if (each.kind === 'reset') {
              window.reset();
              model = [];
            } else if (each.kind === 'free') {
              window.freeUpTo(last - each.back);
              model = model.filter(({ index }) => index > last - each.back);
            } else if (!window.isFull()) {
              last += each.step;
              window.add(last, each.bytes);
              model.push({ index: last, bytes: each.bytes });
            }
            const total = model.reduce((sum, { bytes }) => sum + bytes, 0);
            expect([window.count, window.bytes]).toEqual([model.length, total]);
            expect(window.isFull()).toBe(model.length === max || (maxBytes > 0 && total >= maxBytes));
          }
        },
      ),
    );
  });
});

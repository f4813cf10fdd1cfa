import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/common/random.ts';
import { ManagerPicker } from '../../../src/worker/manager-picker.ts';
import { SessionBackoff } from '../../../src/worker/session-backoff.ts';

const random = seededRandom(7);
const share = (picker: ManagerPicker, address: string): number =>
  Array.from({ length: 2000 }, () => picker.pick()).filter((picked) => picked === address).length / 2000;

describe('choosing a manager', () => {
  it('knows none at first', () => {
    expect(new ManagerPicker({ random, addresses: [] }).pick()).toBeUndefined();
  });

  it('spreads agents evenly over equal managers', () => {
    const picker = new ManagerPicker({ random, addresses: ['a', 'b', 'c'] });
    for (const address of ['a', 'b', 'c']) expect(share(picker, address)).toBeCloseTo(1 / 3, 1);
  });

  it('avoids a manager that failed, but never gives it up', () => {
    const picker = new ManagerPicker({ random, addresses: ['a', 'b', 'c'] });
    for (let n = 0; n < 5; n++) picker.failed('a');
    picker.failed('b');
    expect(share(picker, 'a')).toBeLessThan(0.1);
    expect(share(picker, 'a')).toBeGreaterThan(0);
    for (let n = 0; n < 5; n++) picker.succeeded('a');
    expect(share(picker, 'a')).toBeGreaterThan(0.4);
  });

  it('does not try twice in a row one that failed, unless it is the only one', () => {
    const picker = new ManagerPicker({ random, addresses: ['a', 'b'] });
    // However much the other one failed before.
    for (let n = 0; n < 5; n++) picker.failed('b');
    picker.failed('a');
    expect(share(picker, 'a')).toBe(0);
    const alone = new ManagerPicker({ random, addresses: ['a'] });
    alone.failed('a');
    expect(alone.pick()).toBe('a');
  });

  it('goes where it is sent, once, and holds that against nobody', () => {
    const picker = new ManagerPicker({ random, addresses: ['a', 'b', 'leader'] });
    picker.sentOn('leader');
    expect(picker.pick()).toBe('leader');
    expect(['a', 'b', 'leader'].map((address) => picker.weightOf(address))).toEqual([10, 10, 10]);
    expect(share(picker, 'leader')).toBeCloseTo(1 / 3, 1);
    picker.sentOn('gone');
    expect(picker.pick()).not.toBe('gone');
  });

  it('follows a moving average of half the newest experience', () => {
    const picker = new ManagerPicker({ random, addresses: ['a'] });
    expect(picker.weightOf('a')).toBe(10);
    picker.failed('a');
    expect(picker.weightOf('a')).toBe(0);
    picker.failed('a');
    expect(picker.weightOf('a')).toBe(-5);
  });

  it('takes the list of the managers in place of its own, keeps experience, and tells of changes', () => {
    const told: (readonly string[])[] = [];
    const picker = new ManagerPicker({ random, addresses: ['a', 'b'], onChange: (list) => told.push(list) });
    picker.failed('b');
    const list = ['b', 'c'].map((address) => ({ address, weight: 10 }));
    picker.replace(list);
    picker.replace(list);
    expect(picker.addresses).toEqual(['b', 'c']);
    expect(picker.weightOf('b')).toBe(0);
    expect(told).toEqual([['b', 'c']]);
  });

  it('prefers a manager that is named with more than the usual weight, until it fails', () => {
    const picker = new ManagerPicker({ random, addresses: ['a', 'leader'] });
    picker.failed('leader');
    picker.replace([
      { address: 'a', weight: 10 },
      { address: 'leader', weight: 40 },
    ]);
    expect(picker.weightOf('a')).toBe(10);
    expect(picker.weightOf('leader')).toBe(40);
    picker.failed('leader');
    expect(share(picker, 'leader')).toBeLessThan(0.15);
  });

  it('goes rather to the one the managers prefer, whatever it knew of it', () => {
    const picker = new ManagerPicker({ random, addresses: ['a', 'b', 'c'] });
    picker.failed('c');
    picker.replace([
      { address: 'a', weight: 10 },
      { address: 'b', weight: 10 },
      { address: 'c', weight: 40 },
    ]);
    expect(share(picker, 'c')).toBeGreaterThan(0.55);
  });

  it('does not let an empty list cut it off', () => {
    const picker = new ManagerPicker({ random, addresses: ['a'] });
    picker.replace([]);
    picker.replace([{ address: '', weight: 10 }]);
    expect(picker.addresses).toEqual(['a']);
  });
});

describe('the wait between sessions', () => {
  it('grows as 100 ms + twice the last bound up to 8 s, and begins anew after success', () => {
    const backoff = new SessionBackoff(() => 1);
    expect(Array.from({ length: 9 }, () => backoff.next())).toEqual([
      100, 300, 700, 1500, 3100, 6300, 8000, 8000, 8000,
    ]);
    backoff.reset();
    expect(backoff.next()).toBe(100);
  });

  it('is short while there is an election', () => {
    const backoff = new SessionBackoff(() => 1);
    expect(Array.from({ length: 6 }, () => backoff.next(true))).toEqual([100, 300, 700, 1000, 1000, 1000]);
    expect(backoff.next()).toBe(2100);
  });
});

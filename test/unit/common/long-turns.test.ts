import { describe, expect, it } from 'vitest';
import { breakLongTurn, hearInLongTurns, turnOrBreak } from '../../../src/common/long-turns.ts';

/** Keeps the event loop busy, as thousands of calls in one turn do. */
function busy(ms: number, done: () => boolean = () => false): void {
  const end = performance.now() + ms;
  while (performance.now() < end && !done()) breakLongTurn();
}

describe('a long turn', () => {
  it('is broken now and then for those who asked, until they end it', () => {
    let heard = 0;
    const stop = hearInLongTurns(() => heard++);
    busy(260);
    stop();
    expect(heard).toBeGreaterThanOrEqual(2);
    expect(heard).toBeLessThanOrEqual(6);
    const before = heard;
    busy(120);
    expect(heard).toBe(before);
  });
});

describe('waiting for a turn or a break', () => {
  it('ends with the turn when that is short', async () => {
    let turns = 0;
    const count = setInterval(() => turns++, 0);
    await turnOrBreak();
    clearInterval(count);
    expect(turns).toBeLessThanOrEqual(2);
  });

  it('ends within a long one', async () => {
    const order: string[] = [];
    setImmediate(() => order.push('next turn'));
    const waited = turnOrBreak().then(() => order.push('break'));
    busy(120);
    await waited;
    expect(order).toEqual(['break']);
  });
});

import { describe, expect, it } from 'vitest';
import { Turns } from '../../../src/common/turns.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('turns', () => {
  it('lets one of those who wait go on in each turn of the event loop, in the order in which they came', async () => {
    const turns = new Turns(() => 0);
    const gone: string[] = [];
    for (const name of ['a', 'b', 'c']) void turns.next().then(() => gone.push(name));
    const seen: string[] = [];
    for (let i = 0; i < 4; i++) {
      await turn();
      seen.push(gone.join(''));
    }
    expect(seen).toEqual(['a', 'ab', 'abc', 'abc']);
  });

  it('gives turns to those who come again, too', async () => {
    const turns = new Turns(() => 0);
    let rounds = 0;
    const work = async (): Promise<void> => {
      for (let i = 0; i < 10; i++) {
        await turns.next();
        rounds++;
      }
    };
    await Promise.all([work(), work()]);
    expect(rounds).toBe(20);
  });

  it('does more pieces in a turn for a third of the time that all else takes', async () => {
    let now = 0;
    const turns = new Turns(() => now);
    let pieces = 0;
    const work = async (): Promise<void> => {
      for (;;) {
        await turns.next();
        now += 10;
        pieces++;
      }
    };
    void work();
    void work();
    const done: number[] = [];
    for (const others of [0, 30, 90, 91, 0]) {
      const before = pieces;
      now += others;
      await turn();
      done.push(pieces - before);
    }
    expect(done).toEqual([1, 1, 3, 4, 1]);
  });

  it('does so much in each turn, at once if nobody waits, and more where all else takes longer', async () => {
    let now = 0;
    const turns = new Turns(() => now, 2);
    const done: number[] = [];
    let pieces = 0;
    const work = async (): Promise<void> => {
      await turns.next();
      now += 1;
      pieces++;
    };
    for (let i = 0; i < 12; i++)
      await Promise.race([work(), new Promise<void>((resolve) => process.nextTick(resolve))]);
    done.push(pieces);
    for (const others of [0, 12, 0, 0]) {
      const before = pieces;
      now += others;
      await turn();
      done.push(pieces - before);
    }
    expect(done).toEqual([2, 2, 4, 2, 2]);
    await work();
    expect(pieces).toBe(13);
  });
});

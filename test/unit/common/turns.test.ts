import { describe, expect, it } from 'vitest';
import { Turns } from '../../../src/common/turns.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('turns', () => {
  it('lets those who wait go on in the order in which they came, and others in between once pieces have taken some time', async () => {
    let now = 0;
    const turns = new Turns(() => now);
    const gone: string[] = [];
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      void turns.next().then(() => {
        now += 15;
        gone.push(name);
      });
    }
    const seen: string[] = [];
    for (let i = 0; i < 4; i++) {
      await turn();
      seen.push(gone.join(''));
    }
    expect(seen).toEqual(['ab', 'abcd', 'abcde', 'abcde']);
  });

  it('gives turns to those who come again, too', async () => {
    let now = 0;
    const turns = new Turns(() => now);
    let rounds = 0;
    const work = async (): Promise<void> => {
      for (let i = 0; i < 10; i++) {
        await turns.next();
        now += 15;
        rounds++;
      }
    };
    await Promise.all([work(), work()]);
    expect(rounds).toBe(20);
  });

  it('does more in a turn for a third of the time that all else takes', async () => {
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
    for (const others of [0, 75, 90, 91, 300, 900, 0]) {
      const before = pieces;
      now += others;
      await turn();
      done.push(pieces - before);
    }
    expect(done).toEqual([3, 3, 3, 4, 10, 10, 3]);
  });
});

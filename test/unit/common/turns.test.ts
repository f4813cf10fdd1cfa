import { describe, expect, it } from 'vitest';
import { Turns } from '../../../src/common/turns.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('turns', () => {
  it('lets one of those who wait go on in each turn of the event loop, in the order in which they came', async () => {
    const turns = new Turns();
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
    const turns = new Turns();
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
});

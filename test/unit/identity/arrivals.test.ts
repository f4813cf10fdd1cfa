import { describe, expect, it } from 'vitest';
import { Arrivals } from '../../../src/identity/arrivals.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('arrivals', () => {
  it('are received a few in each turn, in order', async () => {
    const received: number[] = [];
    const arrivals = new Arrivals<number>(2, (arrival) => received.push(arrival));
    for (const arrival of [1, 2, 3, 4, 5]) arrivals.add(arrival);
    expect(received).toEqual([1, 2]);
    await turn();
    expect(received).toEqual([1, 2, 3, 4]);
    arrivals.add(6);
    expect(received).toEqual([1, 2, 3, 4]);
    await turn();
    expect(received).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('are received at once when there is no crowd', async () => {
    const received: number[] = [];
    const arrivals = new Arrivals<number>(1, (arrival) => received.push(arrival));
    for (const arrival of [1, 2, 3]) {
      arrivals.add(arrival);
      await turn();
      expect(received).toEqual([1, 2, 3].slice(0, arrival));
    }
  });
});

import { describe, expect, it } from 'vitest';
import { SimulatedWorld } from './simulated-world.ts';

const SEEDS = Number(process.env['RAFT_NODE_SEEDS'] ?? 12);
const STEPS = Number(process.env['RAFT_NODE_STEPS'] ?? 2500);

/** Mulberry32: small, seeded, good enough to choose what happens next. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('nodes in a world that fails at random', () => {
  it(`agree, lose nothing and recover (${String(SEEDS)} seeds)`, async () => {
    const total = { crashes: 0, snapshots: 0, reads: 0, changes: 0, elections: 0 };
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = generator(seed);
      const maybe = (weight: number): number => (random() < 0.6 ? weight * random() : 0);
      const weights = {
        drop: maybe(4),
        duplicate: maybe(3),
        crash: maybe(0.6),
        cut: maybe(0.3),
        change: maybe(0.5),
        transfer: maybe(0.3),
      };
      const world = new SimulatedWorld(random, weights);
      await world.begin();
      for (let step = 0; step < STEPS; step++) {
        try {
          await world.step();
        } catch (error) {
          throw new Error(`seed ${String(seed)}, step ${String(step)}: ${(error as Error).message}`, { cause: error });
        }
      }
      expect(await world.settle(), `seed ${String(seed)} does not recover`).toBeUndefined();
      for (const [name, count] of Object.entries(world.counts)) total[name as keyof typeof total] += count;
    }
    for (const [name, count] of Object.entries(total))
      expect(count, `the simulation had no ${name}`).toBeGreaterThan(0);
  }, 120_000);
});

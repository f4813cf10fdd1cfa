import { describe, expect, it } from 'vitest';
import { SwarmSimulation } from '../../simulation/simulation.ts';

const SEEDS = [1, 2, 3];
/** Virtual. */
const TROUBLE_SECONDS = 20;

describe('a simulated swarm whose managers and agents fail', () => {
  for (const seed of SEEDS) {
    it(`keeps its invariants and comes to rest (seed ${seed})`, async () => {
      const { violations, elections, crashes, acknowledged } = await new SwarmSimulation(seed).run(TROUBLE_SECONDS);
      expect(violations, `npm run simulate:swarm -- --seed ${seed} --trouble ${TROUBLE_SECONDS}`).toEqual([]);
      expect(Math.min(elections, crashes, acknowledged)).toBeGreaterThan(0);
    }, 60_000);
  }

  it('runs the same way twice with the same seed', async () => {
    const run = () => new SwarmSimulation(7).run(5);
    expect(await run()).toEqual(await run());
  }, 60_000);
});

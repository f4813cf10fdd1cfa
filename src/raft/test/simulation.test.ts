/** Random runs of whole groups: whatever happens, the safety properties of the paper (figure 3) hold, and calm brings progress back. */
import { describe, expect, it } from 'vitest';
import { SafetyViolation } from '../src/testing/simulation/ledger.ts';
import { Simulation } from '../src/testing/simulation/simulation.ts';
import type { SimulationOptions } from '../src/testing/simulation/options.ts';

/** Every seed is another mixture of features and faults. */
function optionsOf(seed: number): Partial<SimulationOptions> {
  return {
    seed,
    voters: 1 + (seed % 5),
    preVote: seed % 2 === 0,
    checkQuorum: seed % 3 !== 0,
    asyncStorageWrites: seed % 4 !== 0,
    stepDownOnRemoval: seed % 5 !== 0,
    crash: seed % 7 === 0 ? 0.005 : 0.0005,
    loss: seed % 6 === 0 ? 0.2 : 0.02,
    membershipChange: seed % 8 === 0 ? 0.005 : 0.0005,
  };
}

describe('simulated group', () => {
  for (let block = 0; block < 4; block++) {
    it(`stays safe and recovers (seeds ${block * 15 + 1} to ${block * 15 + 15})`, () => {
      for (let seed = block * 15 + 1; seed <= block * 15 + 15; seed++) {
        const simulation = new Simulation(optionsOf(seed));
        const { leadersElected } = simulation.run(10_000);
        expect(leadersElected, `seed ${seed}`).toBeGreaterThan(0);
        expect(simulation.recover(100_000), `seed ${seed}`).toBe(true);
      }
    });
  }

  it('runs the same way twice with the same seed, and another way with another one', () => {
    const run = (seed: number) => new Simulation({ seed }).run(5_000);
    expect(run(7)).toEqual(run(7));
    expect(run(7).state).not.toBe(run(8).state);
  });

  it('notices when nodes apply different entries', () => {
    const simulation = new Simulation({ seed: 1, crash: 0, membershipChange: 0 });
    simulation.run(2_000);
    const [node] = simulation.nodes;
    const entry = { type: 0, term: 99, index: simulation.ledger.lastIndex, data: new Uint8Array(1) } as const;
    expect(() => simulation.ledger.apply(node?.id ?? '', 0, entry)).toThrow(SafetyViolation);
  });
});

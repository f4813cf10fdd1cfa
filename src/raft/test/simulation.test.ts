/** Random runs of whole groups: whatever happens, the safety properties of the paper (figure 3) hold, and calm brings progress back. */
import { describe, expect, it } from 'vitest';
import { SafetyViolation } from '../src/testing/simulation/ledger.ts';
import { outcomeOf } from '../src/testing/simulation/outcome.ts';
import type { Run } from '../src/testing/simulation/outcome.ts';
import { Simulation } from '../src/testing/simulation/simulation.ts';

const BLOCKS = 4;
const SEEDS_PER_BLOCK = 6;
const EVENTS = 8000;

function aRun(seed: number, events = EVENTS): Run {
  return { seed, events, without: [], left: [] };
}

describe('a simulated group', () => {
  for (let block = 0; block < BLOCKS; block++) {
    const first = block * SEEDS_PER_BLOCK + 1;
    const last = first + SEEDS_PER_BLOCK - 1;
    it(`stays safe, linearizable and live (seeds ${first} to ${last})`, () => {
      let leadersElected = 0;
      for (let seed = first; seed <= last; seed++) {
        const { report, failure } = outcomeOf(aRun(seed));
        expect(failure?.message, `npm run simulate -- --seed ${seed} --events ${EVENTS}`).toBeUndefined();
        leadersElected += report.leadersElected;
      }
      expect(leadersElected).toBeGreaterThan(SEEDS_PER_BLOCK);
    }, 120_000);
  }

  it('runs the same way twice with the same seed, and another way with another one', () => {
    const run = (seed: number) => outcomeOf(aRun(seed, 3000)).report;
    expect(run(7)).toEqual(run(7));
    expect(run(7).hash).not.toBe(run(8).hash);
  });

  it('is not changed by being watched', () => {
    const lines: string[] = [];
    const watched = outcomeOf(aRun(9, 3000), (line) => lines.push(line));
    expect(watched.report).toEqual(outcomeOf(aRun(9, 3000)).report);
    expect(lines.length).toBeGreaterThan(100);
  });

  it('notices when nodes apply different entries', () => {
    const simulation = new Simulation({ seed: 1 });
    simulation.run(2000);
    const { ledger } = simulation;
    const entry = { type: 0, term: 99, index: ledger.lastIndex, data: new Uint8Array(1) } as const;
    expect(() => ledger.apply('1', 99, 0, entry)).toThrow(SafetyViolation);
  });
});

/** Running a seed to its end, and finding the least that still fails. */
import { FAULTS, drawPlan } from './plan.ts';
import type { Fault, Plan } from './plan.ts';
import { Simulation } from './simulation.ts';
import type { SimulationReport } from './simulation.ts';

/** One run: the seed, how long it goes on before the faults end, and what is left out of it. */
export interface Run {
  readonly seed: number;
  readonly events: number;
  readonly without: readonly Fault[];
  /** Numbers of acts of the nemesis. */
  readonly left: readonly number[];
}

export interface Outcome {
  readonly report: SimulationReport;
  readonly failure: Error | undefined;
}

export function outcomeOf(run: Run, trace?: (line: string) => void): Outcome {
  const simulation = new Simulation({ seed: run.seed, plan: planOf(run), left: new Set(run.left), trace });
  try {
    simulation.run(run.events);
    return { report: simulation.finish(), failure: undefined };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { report: simulation.report(), failure: error };
  }
}

/** Takes away faults, then acts of the nemesis, while the run still fails (in whatever way). At most `budget` runs. */
export function shrink(failing: Run, budget: number): Run {
  let run = failing;
  let runsLeft = budget;
  const attempt = (smaller: Run): boolean => {
    if (runsLeft-- <= 0 || outcomeOf(smaller).failure === undefined) return false;
    run = smaller;
    return true;
  };
  for (const fault of FAULTS) {
    if (planOf(run).faults.has(fault)) attempt({ ...run, without: [...run.without, fault] });
  }
  const { acts = 0 } = outcomeOf(run).report.counts;
  for (let size = Math.ceil(acts / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let first = 1; first <= acts; first += size) {
      const chunk = Array.from({ length: Math.min(size, acts - first + 1) }, (_, i) => first + i);
      const more = chunk.filter((act) => !run.left.includes(act));
      if (more.length > 0) attempt({ ...run, left: [...run.left, ...more] });
    }
  }
  return run;
}

function planOf({ seed, without }: Run): Plan {
  const plan = drawPlan(seed);
  return { ...plan, faults: new Set([...plan.faults].filter((fault) => !without.includes(fault))) };
}

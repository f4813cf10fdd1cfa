/** Plays rounds against both swarms in turns and makes figures of them. */
import type { Figure } from '../support/report.ts';
import { median } from '../support/statistics.ts';
import type { Arena } from './arena.ts';
import type { Round } from './shapes.ts';

export interface Ratio {
  /** Key in the rounds. */
  readonly key: string;
  readonly what: string;
  /** What ours may be of the rival's. */
  readonly limit?: number;
  /** @default 's' */
  readonly unit?: string;
}

/** Figures of both and their ratio, medians over the rounds; of ours alone where there is no rival. */
export async function compare(
  title: string,
  arenas: readonly Arena[],
  rounds: number,
  play: (arena: Arena) => Promise<Round>,
  ratios: readonly Ratio[],
): Promise<readonly Figure[]> {
  const played = arenas.map((): Round[] => []);
  for (let round = 0; round < rounds; round++) {
    // Whoever goes first meets a quieter machine, so they take turns.
    const order = arenas.map((_, i) => (i + round) % arenas.length);
    for (const i of order) {
      const arena = arenas[i] as Arena;
      const result = await play(arena);
      played[i]?.push(result);
      const shown = Object.entries(result).map(([key, value]) => `${key} ${value.toFixed(2)}`);
      console.log(`${title}, round ${round + 1}, ${arena.contender.name}: ${shown.join(', ')}`);
    }
  }
  return ratios.flatMap(({ key, what, limit, unit = 's' }) => {
    const medians = played.map((results) => median(results.map((result) => result[key] ?? Number.NaN)));
    const figures: Figure[] = medians.map((value, i) => ({
      what: `${title}, ${what}: ${arenas[i]?.contender.name}`,
      value,
      unit,
    }));
    const [ours, theirs] = medians;
    if (ours === undefined || theirs === undefined) return figures;
    return [
      ...figures,
      { what: `${title}, ${what}: swarmd to Docker`, value: ours / theirs, unit: '×', ...(limit && { limit }) },
    ];
  });
}

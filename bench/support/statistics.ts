/** Summaries of measured values. */

/** The value below which `share` (0 to 1) of the values lie: the nearest rank. NaN when there are none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => percentile(values, 0.5);
export const worst = (values: readonly number[]): number => percentile(values, 1);

/** What may happen in a simulated swarm: each fault and each thing people do has a name by which it is switched off, alone left on, or made frequent. */

export interface Switches {
  isOn(name: string): boolean;
  /** Faults of which one strikes in many of the seconds. */
  readonly often: readonly string[];
}

export const ALL_ON: Switches = { isOn: () => true, often: [] };

/**
 * @param only names of what may happen; empty for all
 * @param without names of what may not
 * @param often names of faults of which one strikes in many of the seconds
 */
export function switches(only: readonly string[], without: readonly string[], often: readonly string[] = []): Switches {
  const on = new Set(only);
  const off = new Set(without);
  return { isOn: (name) => (on.size === 0 || on.has(name)) && !off.has(name), often };
}

/** What may happen in a simulated swarm: each fault and each thing people do has a name by which it is switched off, or alone left on. */

export interface Switches {
  isOn(name: string): boolean;
}

export const ALL_ON: Switches = { isOn: () => true };

/**
 * @param only names of what may happen; empty for all
 * @param without names of what may not
 */
export function switches(only: readonly string[], without: readonly string[]): Switches {
  const on = new Set(only);
  const off = new Set(without);
  return { isOn: (name) => (on.size === 0 || on.has(name)) && !off.has(name) };
}

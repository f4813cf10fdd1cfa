/** Kit for testing what is built on raft-ts: a seeded random source and a simulated group with safety checks. */
export { SeededRandom } from './random.ts';
export { Ledger, SafetyViolation } from './simulation/ledger.ts';
export { SimulatedNetwork } from './simulation/network.ts';
export { SimulatedNode } from './simulation/node.ts';
export { DEFAULT_OPTIONS } from './simulation/options.ts';
export type { SimulationOptions } from './simulation/options.ts';
export { SafetyChecks } from './simulation/safety.ts';
export { Simulation } from './simulation/simulation.ts';
export type { SimulationReport } from './simulation/simulation.ts';

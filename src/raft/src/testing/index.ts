/** Kit for testing what is built on raft-ts: a seeded random source, a log that can crash and a simulated group with safety checks. */
export { SeededRandom } from './random.ts';
export { RecordingLog } from './recording-log.ts';
export { SafetyViolation } from './simulation/ledger.ts';
export { whyNotLinearizable } from './simulation/linearizability.ts';
export type { Operation } from './simulation/linearizability.ts';
export { drawPlan, FAULTS } from './simulation/plan.ts';
export type { Fault, Plan } from './simulation/plan.ts';
export { Simulation } from './simulation/simulation.ts';
export type { SimulationOptions, SimulationReport } from './simulation/simulation.ts';

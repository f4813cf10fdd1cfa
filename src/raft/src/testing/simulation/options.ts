/** How a simulated run goes: what the nodes are like, and how often which fault strikes. */

export interface SimulationOptions {
  readonly seed: number;
  /** Voters at the start. */
  readonly voters: number;
  /** Nodes that may ever exist; those beyond the voters join by configuration changes. */
  readonly maxNodes: number;
  readonly preVote: boolean;
  readonly checkQuorum: boolean;
  readonly asyncStorageWrites: boolean;
  readonly stepDownOnRemoval: boolean;
  /** Limits of the nodes, small so that they matter. */
  readonly maxMessageBytes: number;
  readonly maxInflightMessages: number;
  readonly maxCommittedBytesPerReady: number;
  /** Chance that a message is lost, or comes twice. */
  readonly loss: number;
  readonly duplication: number;
  /** Chances per event. */
  readonly crash: number;
  readonly partition: number;
  readonly membershipChange: number;
  readonly transfer: number;
  readonly compaction: number;
}

export const DEFAULT_OPTIONS: SimulationOptions = {
  seed: 1,
  voters: 3,
  maxNodes: 6,
  preVote: true,
  checkQuorum: true,
  asyncStorageWrites: true,
  stepDownOnRemoval: true,
  maxMessageBytes: 200,
  maxInflightMessages: 8,
  maxCommittedBytesPerReady: 400,
  loss: 0.02,
  duplication: 0.02,
  crash: 0.0005,
  partition: 0.0005,
  membershipChange: 0.0005,
  transfer: 0.0002,
  compaction: 0.002,
};

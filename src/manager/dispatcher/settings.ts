/** Numbers the dispatcher works with; all times in ms. */
export interface DispatcherSettings {
  /** Heartbeat period told to every agent, whatever the cluster says; undefined: see {@link heartbeatPeriodMs}. */
  readonly heartbeatPeriodMs: number | undefined;
  /** Periods without a heartbeat after which a node counts as down. */
  readonly gracePeriods: number;
  /**
   * The same for nodes not seen since this manager became the leader, in periods of at least 5 s unless
   * {@link heartbeatPeriodMs} is set.
   */
  readonly gracePeriodsAfterElection: number;
  /** How long an agent whose session stream broke may take to come back before its node counts as down. */
  readonly sessionGraceMs: number;
  /** How long a node may be down before its tasks are given up as orphaned. */
  readonly orphanAfterMs: number;
  /** Registrations a node may make within {@link registrationWindowMs}. */
  readonly registrations: number;
  readonly registrationWindowMs: number;
  /** Node states gather this long before they are stored together. */
  readonly nodeGatherMs: number;
  /** Task states gather this long before they are stored together, so that states in between are never stored. */
  readonly statusGatherMs: number;
  /** Task states that may wait to be stored; beyond this, agents wait. */
  readonly statusQueueLimit: number;
  /** Changes for agents gather this long before they are sent. */
  readonly assignmentGatherMs: number;
  /** Objects in one incremental message. */
  readonly assignmentBatch: number;
  /** Objects that may wait for one agent that reads slowly; beyond this its stream ends and it starts anew. */
  readonly assignmentBacklog: number;
}

export const DEFAULT_DISPATCHER_SETTINGS: DispatcherSettings = {
  heartbeatPeriodMs: undefined,
  gracePeriods: 3,
  gracePeriodsAfterElection: 6,
  sessionGraceMs: 2_500,
  orphanAfterMs: 24 * 3_600_000,
  registrations: 3,
  registrationWindowMs: 8_000,
  nodeGatherMs: 5,
  statusGatherMs: 20,
  statusQueueLimit: 10_000,
  assignmentGatherMs: 5,
  assignmentBatch: 100,
  assignmentBacklog: 20_000,
};

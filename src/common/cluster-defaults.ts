/** Docker's defaults for a cluster. */
export const clusterDefaults = {
  name: 'default',
  /** Ended tasks kept per slot. */
  taskHistoryRetentionLimit: 5,
  raft: {
    snapshotInterval: 10_000,
    keepOldSnapshots: 0,
    logEntriesForSlowFollowers: 500,
    /** In ticks. */
    heartbeatTick: 1,
    /** In ticks. */
    electionTick: 10,
  },
  heartbeatPeriod: { seconds: 5, nanos: 0 },
  nodeCertExpiry: { seconds: 90 * 24 * 3600, nanos: 0 },
  /** Subnets of overlay networks are cut from these, each with a prefix of `subnetSize` bits. */
  addressPool: ['10.0.0.0/8'],
  subnetSize: 24,
  /** UDP port of overlay traffic. */
  dataPathPort: 4789,
} as const;

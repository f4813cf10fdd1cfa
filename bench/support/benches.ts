/** Programs of this folder that `npm run bench` runs, in order. */
export const BENCHES = [
  'failover',
  'recovery',
  'start',
  'join',
  'writes',
  'raft',
  'api',
  'footprint',
  'scheduler',
  'swarm',
  'alone',
] as const;

/** The results that make up the page, in its order: one for most programs, one for each shape of the whole swarms. */
export const REPORTS = [
  'failover',
  'recovery',
  'start',
  'join',
  'writes',
  'raft',
  'api',
  'footprint',
  'scheduler',
  'swarm-start',
  'swarm-large',
  'swarm-memory',
  'swarm-update',
  'swarm-loss',
  'swarm-leader',
  'alone',
  'swarm-cost',
];

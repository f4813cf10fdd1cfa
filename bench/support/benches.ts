/** The benches that make up the page of results, in its order. */
export const BENCHES = ['failover', 'recovery', 'start', 'writes', 'api', 'footprint', 'scheduler'] as const;

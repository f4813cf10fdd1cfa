/** What a seed stands for: the group, its surroundings, and which faults there are. Each kind of fault is there with a probability of about a half. */
import type { RaftConfig } from '../../config.ts';
import type { Micros } from './event-queue.ts';
import { SeededRandom } from '../random.ts';

export const TICK: Micros = 10_000;
export const ELECTION_TICKS = 10;
export const ELECTION: Micros = ELECTION_TICKS * TICK;

/** Kinds of fault and of administration that a seed may have or not; shrinking a failure takes them away one by one. */
export const FAULTS = [
  'drop',
  'duplicate',
  'reorder',
  'partition',
  'crash',
  'crash-after-write',
  'pause',
  'drift',
  'slow-disk',
  'full-disk',
  'failing-sync',
  'damage',
  'membership',
  'transfer',
  'compaction',
  'lag',
] as const;
export type Fault = (typeof FAULTS)[number];

export interface Plan {
  readonly seed: number;
  readonly voters: number;
  /** Nodes that may ever exist. */
  readonly maxNodes: number;
  readonly faults: ReadonlySet<Fault>;
  readonly raft: Pick<
    RaftConfig,
    | 'preVote'
    | 'checkQuorum'
    | 'asyncStorageWrites'
    | 'stepDownOnRemoval'
    | 'disableProposalForwarding'
    | 'maxMessageBytes'
    | 'maxInflightMessages'
    | 'maxCommittedBytesPerReady'
    | 'maxUncommittedBytes'
  >;
  readonly isEncrypted: boolean;
  /** Chances per message. */
  readonly drop: number;
  readonly duplicate: number;
  readonly reorder: number;
  readonly latency: Micros;
  readonly syncLatency: Micros;
  /** Mean time between two acts of the nemesis. */
  readonly calm: Micros;
  /** Mean time a client waits before its next operation. */
  readonly thinking: Micros;
  /** Applied entries after which a node makes a snapshot, and entries it keeps behind it. */
  readonly snapshotEntries: number;
  readonly trailingEntries: number;
}

export function drawPlan(seed: number): Plan {
  const random = new SeededRandom(seed);
  const faults = new Set<Fault>(FAULTS.filter(() => random.chance(0.5)));
  // Who repairs a damaged member changes the membership; no other change may be under way then.
  if (faults.has('damage')) {
    if (random.chance(0.5)) faults.delete('damage');
    else faults.delete('membership');
  }
  const isSmall = random.chance(0.6);
  return {
    seed,
    voters: random.pick([1, 2, 3, 3, 3, 4, 5, 5]),
    maxNodes: 8,
    faults,
    raft: {
      preVote: random.chance(0.6),
      checkQuorum: random.chance(0.7),
      asyncStorageWrites: random.chance(0.8),
      stepDownOnRemoval: random.chance(0.8),
      disableProposalForwarding: random.chance(0.5),
      maxMessageBytes: isSmall ? 200 : random.pick([0, 1000, 10_000]),
      maxInflightMessages: isSmall ? 2 + random.below(6) : 64,
      maxCommittedBytesPerReady: isSmall ? 150 : 4000,
      maxUncommittedBytes: random.chance(0.2) ? 600 : 0,
    },
    isEncrypted: random.chance(0.1),
    drop: 0.3 * random.next() ** 2,
    duplicate: 0.2 * random.next(),
    reorder: 0.5 * random.next(),
    latency: random.pick([300, 1000, 3000, 8000]),
    syncLatency: random.pick([100, 500, 2000, 6000]),
    calm: random.pick([10_000, 20_000, 40_000, 100_000]),
    thinking: random.pick([5_000, 20_000, 50_000]),
    snapshotEntries: random.pick([8, 20, 60]),
    trailingEntries: random.pick([0, 3, 10]),
  };
}

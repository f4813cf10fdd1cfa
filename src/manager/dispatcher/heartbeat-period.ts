/** How often agents are told to beat. */
import type { Random } from '../../common/random.ts';

/** What the cluster object holds unless somebody changed it, in ms. */
export const CLUSTER_DEFAULT_PERIOD_MS = 5_000;
/** Told instead of the cluster's default: an agent beats as it is told, so failures are found sooner. */
const QUICK_PERIOD_MS = 2_000;
/** Shorter ones, which Docker accepts, would take the nodes of a busy machine for lost again and again. */
const SHORTEST_PERIOD_MS = 500;
/**
 * Heartbeats per second that one leader takes without effort; beyond this the period grows, as it does in Nomad (which takes 50). When a
 * machine or an agent is gone, its connection tells sooner (grpc-server.ts, presence.ts): only an agent that hangs while its connection
 * lives is found out later. Of one whose broken connection tells nothing more are taken.
 */
const EASY_BEATS_PER_SECOND = { watched: 100, unwatched: 250 };
/** Told periods differ by this share either way, so that nodes do not beat in step. */
const JITTER = 0.1;

/**
 * Period in ms before jitter. A period that somebody chose (flag first, then a cluster setting other than the default)
 * is kept as it is, down to {@link SHORTEST_PERIOD_MS} for that of the cluster.
 */
export function heartbeatPeriodMs(given: {
  readonly flagMs: number | undefined;
  readonly clusterMs: number | undefined;
  readonly nodes: number;
  /** Whether it is told by the agent's connection, too, that it is gone. */
  readonly isWatched: boolean;
}): number {
  if (given.flagMs !== undefined) return given.flagMs;
  const clusterMs = given.clusterMs && given.clusterMs > 0 ? given.clusterMs : CLUSTER_DEFAULT_PERIOD_MS;
  if (clusterMs !== CLUSTER_DEFAULT_PERIOD_MS) return Math.max(SHORTEST_PERIOD_MS, clusterMs);
  const easyMs = (given.nodes / EASY_BEATS_PER_SECOND[given.isWatched ? 'watched' : 'unwatched']) * 1000;
  return Math.max(QUICK_PERIOD_MS, easyMs);
}

export const withJitter = (periodMs: number, random: Random): number => periodMs * (1 - JITTER + 2 * JITTER * random());

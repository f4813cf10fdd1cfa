/** A node on which a service keeps failing is used only when there is no other. */
import type { NodeInfo } from '../node-info.ts';
import type { RankingContext } from './strategy.ts';

/** As many failures within the window (node-info.ts) put a node last. */
const TOO_MANY = 5;

/** 0 for a node in good standing, else its number of recent failures: among bad nodes fewer is better. */
export function demotion(node: NodeInfo, { group, nowMs }: RankingContext): number {
  const failures = node.recentFailures(group.key, nowMs);
  return failures >= TOO_MANY ? Math.min(failures, MAX_DEMOTION) : 0;
}

/** Ranks are packed into one number; this keeps the highest part within 2^53. */
const MAX_DEMOTION = 4095;

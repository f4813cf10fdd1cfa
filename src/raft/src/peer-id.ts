/** Peer ids are decimal strings; they are compared as numbers without ever becoming one. */
import { NO_PEER } from './types.ts';
import type { PeerId } from './types.ts';

/** The largest id a peer may have; the two above it name the storage threads. */
const MAX_PEER_ID = 2n ** 64n - 3n;

/** Numeric order: the shorter decimal is the smaller number. */
export function comparePeerIds(a: PeerId, b: PeerId): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A new sorted array without duplicates. */
export function sortedPeerIds(ids: Iterable<PeerId>): PeerId[] {
  return [...new Set(ids)].sort(comparePeerIds);
}

/** True for a canonical decimal between 1 and 2^64 − 3. */
export function isPeerId(text: string): boolean {
  return /^[1-9][0-9]{0,19}$/.test(text) && BigInt(text) <= MAX_PEER_ID;
}

/** Lower-case hexadecimal, used by log lines only. */
export function hexId(id: PeerId): string {
  if (id === NO_PEER) return '0';
  return id.length < 16 ? Number(id).toString(16) : BigInt(id).toString(16);
}

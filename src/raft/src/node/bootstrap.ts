import { encodeConfChange } from '../codec/conf-change-codec.ts';
import type { LogStore } from '../log/log-store.ts';
import { ConfChangeType, EntryType, NO_PEER } from '../types.ts';
import type { Entry } from '../types.ts';
import type { BootstrapPeer } from './options.ts';

/**
 * Founds a group in an empty log: one configuration change per first member, committed beforehand, in term 1. Every first member must
 * be founded with the same list. Resolves when it is durable.
 */
export function bootstrapLog(log: LogStore, peers: readonly BootstrapPeer[]): Promise<void> {
  if (peers.length === 0) throw new RangeError('a new raft group needs at least one peer');
  const entries = peers.map(({ id, context }, i): Entry => {
    const change = {
      id: String(i + 1),
      type: ConfChangeType.AddNode,
      nodeId: id,
      context: context ?? new Uint8Array(0),
    };
    return { type: EntryType.ConfChange, term: 1, index: i + 1, data: encodeConfChange(change) };
  });
  const hardState = { term: 1, vote: NO_PEER, commit: entries.length };
  return new Promise((resolve) => {
    log.append({ entries, hardState }, resolve);
  });
}

import { decodeConfChange, encodeConfChange } from '../codec/conf-change-codec.ts';
import type { LogStore } from '../log/log-store.ts';
import { LEAVE_JOINT } from '../membership/conf-change.ts';
import { RawNode } from '../raw-node.ts';
import { ConfChangeType, EntryType } from '../types.ts';
import type { ConfChange, ConfChangeV2, ConfState, Entry, PeerId } from '../types.ts';

/**
 * Rewrites a stopped node's log so that the node is the only member of its group: for the day the others are gone for good. Entries
 * not known to be committed are dropped (some of them may have been committed elsewhere), then the other members are removed by
 * committed configuration changes. Resolves with the new configuration when it is durable; start the node afterwards.
 * Never use it while another member of the old group may come back.
 */
export async function forceNewGroup(log: LogStore, id: PeerId): Promise<ConfState> {
  const { hardState } = log.initialState();
  const { term, vote, commit } = hardState;
  const replica = new RawNode({
    id,
    storage: log,
    applied: log.snapshot().metadata.index,
    random: () => 0,
    electionTicks: 10,
    heartbeatTicks: 1,
  });
  let { confState } = replica;
  for (const entry of committedChanges(log, commit)) {
    const change = decodeConfChange(entry.type, entry.data);
    if (change.ok) confState = replica.applyConfChange(change.value);
  }
  const entries: Entry[] = [];
  const add = (change: ConfChange | ConfChangeV2, type: EntryType): void => {
    confState = replica.applyConfChange(change);
    entries.push({ type, term, index: commit + entries.length + 1, data: encodeConfChange(change) });
  };
  if (confState.votersOutgoing.length > 0) add(LEAVE_JOINT, EntryType.ConfChangeV2);
  if (!confState.voters.includes(id)) add(single(ConfChangeType.AddNode, id), EntryType.ConfChange);
  for (const other of [...confState.voters, ...confState.learners]) {
    if (other !== id) add(single(ConfChangeType.RemoveNode, other), EntryType.ConfChange);
  }
  const last = commit + entries.length;
  await new Promise<void>((resolve) => {
    log.append(
      {
        truncateFrom: commit < log.lastIndex() ? commit + 1 : undefined,
        entries,
        hardState: { term, vote, commit: last },
        sync: true,
      },
      resolve,
    );
  });
  return confState;
}

/** Configuration changes between the snapshot and the commit index. */
function* committedChanges(log: LogStore, commit: number): Generator<Entry> {
  for (let next = log.snapshot().metadata.index + 1; next <= commit;) {
    const page = log.entries(next, commit + 1, PAGE_BYTES);
    if (typeof page === 'string') throw new Error(`entry ${String(next)} of the log is ${page}`);
    for (const entry of page) if (entry.type !== EntryType.Normal) yield entry;
    next += page.length;
  }
}

const PAGE_BYTES = 1024 * 1024;

function single(type: ConfChangeType, nodeId: PeerId): ConfChange {
  return { id: '0', type, nodeId, context: new Uint8Array(0) };
}

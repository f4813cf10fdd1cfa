import { decodeConfChange, encodeConfChange } from '../codec/conf-change-codec.ts';
import type { DurableLog } from '../log/durable-log.ts';
import type { LogStore } from '../log/log-store.ts';
import { LEAVE_JOINT } from '../membership/conf-change.ts';
import { RawNode } from '../raw-node.ts';
import { ConfChangeType, EntryType, NO_PEER } from '../types.ts';
import type { ConfChange, ConfChangeV2, ConfState, Entry, PeerId } from '../types.ts';

/**
 * Rewrites a stopped node's log so that the node is the only member of its group: for the day the others are gone for good. All its
 * entries are kept and count as committed: what the others had acknowledged may be among those this node does not know to be so. Then
 * the other members are removed by committed configuration changes. Resolves with the new configuration when it is durable; start the
 * node afterwards. Never use it while another member of the old group may come back.
 */
export async function forceNewGroup(log: LogStore, id: PeerId): Promise<ConfState> {
  const { term, vote } = log.initialState().hardState;
  const kept = log.lastIndex();
  const replica = replicaOf(log, id);
  let confState = replayChanges(log, replica);
  const entries: Entry[] = [];
  const add = (change: ConfChange | ConfChangeV2, type: EntryType): void => {
    confState = replica.applyConfChange(change);
    entries.push({ type, term, index: kept + entries.length + 1, data: encodeConfChange(change) });
  };
  if (confState.votersOutgoing.length > 0) add(LEAVE_JOINT, EntryType.ConfChangeV2);
  if (!confState.voters.includes(id)) add(single(ConfChangeType.AddNode, id), EntryType.ConfChange);
  for (const other of [...confState.voters, ...confState.learners]) {
    if (other !== id) add(single(ConfChangeType.RemoveNode, other), EntryType.ConfChange);
  }
  await new Promise<void>((resolve) => {
    log.append({ entries, hardState: { term, vote, commit: kept + entries.length }, sync: true }, resolve);
  });
  return confState;
}

/** The configuration at the end of a stopped node's log, whether or not it was committed. */
export function lastConfiguration(log: LogStore, id: PeerId): ConfState {
  return replayChanges(log, replicaOf(log, id));
}

/**
 * Begins an empty log with a state from elsewhere, as that of a group of this node alone.
 * @param at index and term the state has in the new log
 */
export async function foundFromSnapshot(
  log: DurableLog,
  id: PeerId,
  at: { readonly index: number; readonly term: number },
  content: Iterable<Uint8Array>,
): Promise<void> {
  if (!log.isEmpty) throw new Error('the log is not empty');
  const confState: ConfState = {
    voters: [id],
    learners: [],
    votersOutgoing: [],
    learnersNext: [],
    autoLeave: false,
  };
  const writer = await log.receiveSnapshot({ ...at, confState });
  try {
    for (const chunk of content) await writer.write(chunk);
    const snapshot = await writer.publish();
    await new Promise<void>((resolve) => {
      log.append({ snapshot, hardState: { term: at.term, vote: NO_PEER, commit: at.index }, sync: true }, resolve);
    });
  } finally {
    await writer.abort();
  }
}

function replicaOf(log: LogStore, id: PeerId): RawNode {
  return new RawNode({
    id,
    storage: log,
    applied: log.snapshot().metadata.index,
    random: () => 0,
    electionTicks: 10,
    heartbeatTicks: 1,
  });
}

function replayChanges(log: LogStore, replica: RawNode): ConfState {
  let { confState } = replica;
  for (const entry of changesAfterSnapshot(log)) {
    const change = decodeConfChange(entry.type, entry.data);
    if (change.ok) confState = replica.applyConfChange(change.value);
  }
  return confState;
}

function* changesAfterSnapshot(log: LogStore): Generator<Entry> {
  const end = log.lastIndex() + 1;
  for (let next = log.snapshot().metadata.index + 1; next < end;) {
    const page = log.entries(next, end, PAGE_BYTES);
    if (typeof page === 'string') throw new Error(`entry ${String(next)} of the log is ${page}`);
    for (const entry of page) if (entry.type !== EntryType.Normal) yield entry;
    next += page.length;
  }
}

const PAGE_BYTES = 1024 * 1024;

function single(type: ConfChangeType, nodeId: PeerId): ConfChange {
  return { id: '0', type, nodeId, context: new Uint8Array(0) };
}

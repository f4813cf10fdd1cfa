/**
 * What a node that left the voters knows about the commit index, sent along when it refuses its vote. A leader that removes itself may be the
 * only one to know that its removal is committed, with a log longer than those of the others: they need its vote by the configuration they
 * know, it refuses for their shorter logs, and it may not stand itself. Telling them what is committed ends that. Peers that do not know the
 * hint ignore it.
 */
import { readUint64, UINT64_BYTES, writeUint64 } from '../codec/uint64.ts';
import { NO_BYTES } from '../messages.ts';
import type { Raft } from './raft.ts';

/** Index and term of the last committed entry, or nothing from a voter: a voter with a longer log can stand itself. */
export function commitHint(raft: Raft): Uint8Array {
  if (raft.tracker.isVoter(raft.id)) return NO_BYTES;
  const bytes = new Uint8Array(2 * UINT64_BYTES);
  writeUint64(bytes, 0, raft.log.committed);
  writeUint64(bytes, UINT64_BYTES, raft.log.termOrZero(raft.log.committed));
  return bytes;
}

/** Commits up to the hint if the log has that entry: it then has everything before it too (log matching). True if that was news. */
export function takeCommitHint(raft: Raft, context: Uint8Array): boolean {
  if (context.length !== 2 * UINT64_BYTES) return false;
  const index = readUint64(context, 0);
  return index <= raft.log.lastIndex() && raft.log.maybeCommit(index, readUint64(context, UINT64_BYTES));
}

/** Changes of role. Each draws a new election timeout, except becoming a pre-candidate, which changes nothing but the role. */
import { EntryType, NO_PEER } from '../types.ts';
import type { PeerId } from '../types.ts';
import { LogLevel } from '../logger.ts';
import { NO_BYTES } from '../messages.ts';
import { hexId } from '../peer-id.ts';
import { appendEntries } from './own-log.ts';
import type { Raft } from './raft.ts';

export function becomeFollower(raft: Raft, term: number, leader: PeerId): void {
  raft.reset(term);
  raft.leader = leader;
  raft.role = 'follower';
  if (raft.logs(LogLevel.Info)) raft.write(LogLevel.Info, `${hexId(raft.id)} became follower at term ${raft.term}`);
}

/** Raises the term and votes for itself; the vote counts once it is durable. */
export function becomeCandidate(raft: Raft): void {
  if (raft.role === 'leader') throw new Error('a leader cannot become a candidate');
  raft.reset(raft.term + 1);
  raft.vote = raft.id;
  raft.role = 'candidate';
  if (raft.logs(LogLevel.Info)) raft.write(LogLevel.Info, `${hexId(raft.id)} became candidate at term ${raft.term}`);
}

/** Asks without promising: neither term nor vote change (thesis §9.6). */
export function becomePreCandidate(raft: Raft): void {
  if (raft.role === 'leader') throw new Error('a leader cannot become a pre-candidate');
  raft.tracker.resetVotes();
  raft.leader = NO_PEER;
  raft.role = 'pre-candidate';
  if (raft.logs(LogLevel.Info)) {
    raft.write(LogLevel.Info, `${hexId(raft.id)} became pre-candidate at term ${raft.term}`);
  }
}

/** Takes the lead and appends an empty entry: committing it commits everything before it (paper §8). */
export function becomeLeader(raft: Raft): void {
  if (raft.role === 'follower') throw new Error('a follower cannot become leader without an election');
  raft.reset(raft.term);
  raft.leader = raft.id;
  raft.role = 'leader';
  const own = raft.tracker.progress.get(raft.id);
  if (own === undefined) throw new Error('a leader must be a member');
  own.becomeReplicate();
  own.recentActive = true;
  // An unapplied configuration change may lie anywhere up to here; waiting for all of it is safe and cheaper than looking.
  raft.pendingConfIndex = raft.log.lastIndex();
  if (appendEntries(raft, [{ type: EntryType.Normal, data: NO_BYTES }]) === 0) {
    throw new Error('the empty entry of a new leader was refused');
  }
  if (raft.logs(LogLevel.Info)) raft.write(LogLevel.Info, `${hexId(raft.id)} became leader at term ${raft.term}`);
}

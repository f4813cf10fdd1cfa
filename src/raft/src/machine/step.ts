/** The entry of every message: terms first, then what concerns every role, then the role. */
import { MessageType, NO_PEER } from '../types.ts';
import type { Entry, Message, Snapshot } from '../types.ts';
import { entriesBytes, payloadBytes } from '../entry-size.ts';
import { LogLevel } from '../logger.ts';
import { draftMessage, messageTypeName } from '../messages.ts';
import { hexId } from '../peer-id.ts';
import type { ProposalRefusal } from '../refusal.ts';
import { appliedTo } from './applied.ts';
import { stepCandidate } from './candidate.ts';
import { handleVoteRequest, isHeldByLease, refusePreVote, startElection } from './elections.ts';
import { stepFollower } from './follower.ts';
import { stepLeader } from './leader.ts';
import { reduceUncommitted } from './own-log.ts';
import { propose } from './proposals.ts';
import type { Raft } from './raft.ts';
import { becomeFollower } from './roles.ts';

/** Takes a message. Only proposals can be refused. */
export function step(raft: Raft, message: Message): ProposalRefusal | undefined {
  // Term 0 marks a message of the node itself, or one passed on as if it were.
  if (message.term !== 0) {
    if (message.term > raft.term) {
      if (!stepHigherTerm(raft, message)) return undefined;
    } else if (message.term < raft.term) {
      stepLowerTerm(raft, message);
      return undefined;
    }
  }
  switch (message.type) {
    case MessageType.MsgHup:
      startElection(raft, raft.config.preVote ? 'pre-vote' : 'election');
      return undefined;
    case MessageType.MsgStorageAppendResp:
      if (message.index !== 0) raft.log.unstable.stableTo(message.index, message.logTerm);
      if (message.snapshot !== undefined) snapshotApplied(raft, message.snapshot);
      return undefined;
    case MessageType.MsgStorageApplyResp:
      entriesApplied(raft, message.entries);
      return undefined;
    case MessageType.MsgVote:
    case MessageType.MsgPreVote:
      handleVoteRequest(raft, message);
      return undefined;
    case MessageType.MsgProp: {
      const result = propose(raft, message.entries, message);
      // The replacement of an ill-timed change is in the log, so the proposal as such was taken.
      return result.ok || result.reason === 'change-not-now' ? undefined : result.reason;
    }
    default:
      if (raft.role === 'leader') stepLeader(raft, message);
      else if (raft.role === 'follower') stepFollower(raft, message);
      else stepCandidate(raft, message);
      return undefined;
  }
}

/** A higher term makes any node a follower, with three exceptions. False if the message is to be ignored. */
function stepHigherTerm(raft: Raft, message: Message): boolean {
  const { type } = message;
  if ((type === MessageType.MsgVote || type === MessageType.MsgPreVote) && isHeldByLease(raft, message)) return false;
  // A pre-vote is only a question, and a granted one carries the term asked for; a refusal carries a term that exists.
  if (type === MessageType.MsgPreVote || (type === MessageType.MsgPreVoteResp && !message.reject)) return true;
  if (raft.logs(LogLevel.Info)) {
    raft.write(
      LogLevel.Info,
      `${hexId(raft.id)} [term: ${raft.term}] received a ${messageTypeName(type)} message with higher term from ` +
        `${hexId(message.from)} [term: ${message.term}]`,
    );
  }
  const isFromLeader = type === MessageType.MsgApp || type === MessageType.MsgHeartbeat || type === MessageType.MsgSnap;
  becomeFollower(raft, message.term, isFromLeader ? message.from : NO_PEER);
  return true;
}

/** Messages of the past are ignored, with three exceptions. */
function stepLowerTerm(raft: Raft, message: Message): void {
  const { type } = message;
  const isFromLeader = type === MessageType.MsgHeartbeat || type === MessageType.MsgApp;
  if (isFromLeader && (raft.config.checkQuorum || raft.config.preVote)) {
    // This node cannot raise the leader's term by standing for election (a lease or pre-vote stops it), so it does so by an answer.
    raft.send(draftMessage(MessageType.MsgAppResp, message.from));
  } else if (type === MessageType.MsgPreVote) {
    refusePreVote(raft, message);
  } else if (type === MessageType.MsgStorageAppendResp) {
    // Entries written in an earlier term may have been replaced meanwhile; a snapshot is committed state whatever the term.
    if (message.index !== 0 && raft.logs(LogLevel.Info)) {
      raft.write(
        LogLevel.Info,
        `${hexId(raft.id)} [term: ${raft.term}] ignored entry appends from a ${messageTypeName(type)} message with lower term ` +
          `[term: ${message.term}]`,
      );
    }
    if (message.snapshot !== undefined) snapshotApplied(raft, message.snapshot);
  } else if (raft.logs(LogLevel.Info)) {
    raft.write(
      LogLevel.Info,
      `${hexId(raft.id)} [term: ${raft.term}] ignored a ${messageTypeName(type)} message with lower term from ` +
        `${hexId(message.from)} [term: ${message.term}]`,
    );
  }
}

function snapshotApplied(raft: Raft, snapshot: Snapshot): void {
  const { index } = snapshot.metadata;
  raft.log.unstable.stableSnapshotTo(index);
  appliedTo(raft, index, 0);
}

function entriesApplied(raft: Raft, entries: readonly Entry[]): void {
  const last = entries.at(-1);
  if (last === undefined) return;
  appliedTo(raft, last.index, entriesBytes(entries));
  reduceUncommitted(raft, payloadBytes(entries));
}

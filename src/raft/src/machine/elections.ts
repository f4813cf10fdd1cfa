/** Standing for election and voting (paper §5.2 and §5.4.1; pre-vote: thesis §9.6). */
import { EntryType, MessageType, NO_PEER } from '../types.ts';
import type { Message } from '../types.ts';
import { LogLevel } from '../logger.ts';
import { draftMessage, messageTypeName } from '../messages.ts';
import { hexId } from '../peer-id.ts';
import { VoteResult } from '../quorum/vote-result.ts';
import { commitHint, takeCommitHint } from './commit-hint.ts';
import type { Raft } from './raft.ts';
import { becomeCandidate, becomeFollower, becomeLeader, becomePreCandidate } from './roles.ts';
import { broadcastAppend } from './sending.ts';

export type Campaign = 'pre-vote' | 'election' | 'transfer';

/** In the context of a vote request: the leader itself asked for this election, so its lease does not stand in the way. */
const FORCED_CONTEXT: Uint8Array = Uint8Array.from('CampaignTransfer', (char) => char.charCodeAt(0));

/** Stands for election if this node may. */
export function startElection(raft: Raft, campaign: Campaign): void {
  if (raft.role === 'leader') {
    if (raft.logs(LogLevel.Debug)) {
      raft.write(LogLevel.Debug, `${hexId(raft.id)} ignoring MsgHup because already leader`);
    }
    return;
  }
  if (!raft.isPromotable) {
    if (raft.logs(LogLevel.Warn)) {
      raft.write(LogLevel.Warn, `${hexId(raft.id)} is unpromotable and can not campaign`);
    }
    return;
  }
  if (hasUnappliedConfChange(raft)) {
    if (raft.logs(LogLevel.Warn)) {
      raft.write(
        LogLevel.Warn,
        `${hexId(raft.id)} cannot campaign at term ${raft.term} since there are still pending configuration changes to apply`,
      );
    }
    return;
  }
  if (raft.logs(LogLevel.Info)) {
    raft.write(LogLevel.Info, `${hexId(raft.id)} is starting a new election at term ${raft.term}`);
  }
  runCampaign(raft, campaign);
}

/** Asks every voter, itself included: its own vote counts when it is durable. */
function runCampaign(raft: Raft, campaign: Campaign): void {
  const isPreVote = campaign === 'pre-vote';
  if (isPreVote) becomePreCandidate(raft);
  else becomeCandidate(raft);
  const type = isPreVote ? MessageType.MsgPreVote : MessageType.MsgVote;
  // A pre-vote is about the next term.
  const term = isPreVote ? raft.term + 1 : raft.term;
  const lastIndex = raft.log.lastIndex();
  const lastTerm = raft.log.lastTerm();
  for (const id of raft.tracker.voterIds) {
    if (id === raft.id) {
      const own = draftMessage(responseTo(type), id);
      own.term = term;
      raft.send(own);
      continue;
    }
    if (raft.logs(LogLevel.Info)) {
      raft.write(
        LogLevel.Info,
        `${hexId(raft.id)} [logterm: ${lastTerm}, index: ${lastIndex}] sent ${messageTypeName(type)} request to ` +
          `${hexId(id)} at term ${raft.term}`,
      );
    }
    const message = draftMessage(type, id);
    message.term = term;
    message.index = lastIndex;
    message.logTerm = lastTerm;
    if (campaign === 'transfer') message.context = FORCED_CONTEXT;
    raft.send(message);
  }
}

/** Candidate: counts an answer and acts on the outcome. */
export function handleVoteResponse(raft: Raft, message: Message): void {
  const name = messageTypeName(message.type);
  if (raft.logs(LogLevel.Info)) {
    raft.write(
      LogLevel.Info,
      `${hexId(raft.id)} received ${name}${message.reject ? ' rejection' : ''} from ${hexId(message.from)} at term ${raft.term}`,
    );
  }
  if (message.reject && takeCommitHint(raft, message.context)) {
    // What is committed now may change who votes: stand again once it is applied.
    becomeFollower(raft, raft.term, NO_PEER);
    return;
  }
  raft.tracker.recordVote(message.from, !message.reject);
  const { granted, rejected, result } = raft.tracker.tallyVotes();
  if (raft.logs(LogLevel.Info)) {
    raft.write(
      LogLevel.Info,
      `${hexId(raft.id)} has received ${granted} ${name} votes and ${rejected} vote rejections`,
    );
  }
  if (result === VoteResult.Lost) {
    // The term asked for in a pre-vote was never taken, so it stays.
    becomeFollower(raft, raft.term, NO_PEER);
  } else if (result === VoteResult.Won) {
    // The votes of others may come before the own term is durable. A leader that forgot its term in a crash could be elected in it once
    // more, and then write other entries with the same index and term.
    if (raft.role === 'candidate' && !raft.tracker.hasVoteOf(raft.id)) return;
    if (raft.role === 'pre-candidate') {
      runCampaign(raft, 'election');
    } else {
      becomeLeader(raft);
      broadcastAppend(raft);
    }
  }
}

/** Any role: answers a vote request of the own term, or a pre-vote for a later one. */
export function handleVoteRequest(raft: Raft, message: Message): void {
  const isPreVote = message.type === MessageType.MsgPreVote;
  const mayVote =
    raft.vote === message.from ||
    (raft.vote === NO_PEER && raft.leader === NO_PEER) ||
    (isPreVote && message.term > raft.term);
  const grants = mayVote && raft.log.isUpToDate(message.index, message.logTerm);
  logVote(raft, message, grants ? 'cast' : 'rejected');
  const answer = draftMessage(responseTo(message.type), message.from);
  // A grant carries the term asked for: the candidate of a pre-vote ignores answers about its current term.
  answer.term = grants ? message.term : raft.term;
  answer.reject = !grants;
  if (!grants) answer.context = commitHint(raft);
  raft.send(answer);
  if (grants && !isPreVote) {
    raft.electionElapsed = 0;
    raft.vote = message.from;
  }
}

/** Any role: a pre-vote for an earlier term is refused with the own term, so that the asker catches up. */
export function refusePreVote(raft: Raft, message: Message): void {
  logVote(raft, message, 'rejected');
  const answer = draftMessage(MessageType.MsgPreVoteResp, message.from);
  answer.term = raft.term;
  answer.reject = true;
  answer.context = commitHint(raft);
  raft.send(answer);
}

/**
 * With check-quorum a node that heard from a leader within the election timeout ignores vote requests, so that a node coming back cannot
 * depose a leader that works (thesis §4.2.3) — unless the leader asked for the election. Logs when that is the case.
 */
export function isHeldByLease(raft: Raft, message: Message): boolean {
  const { checkQuorum, electionTicks } = raft.config;
  const inLease = checkQuorum && raft.leader !== NO_PEER && raft.electionElapsed < electionTicks;
  if (!inLease || isForced(message.context)) return false;
  const remaining = electionTicks - raft.electionElapsed;
  logVote(raft, message, 'ignored', `: lease is not expired (remaining ticks: ${remaining})`);
  return true;
}

function isForced(context: Uint8Array): boolean {
  return context.length === FORCED_CONTEXT.length && FORCED_CONTEXT.every((byte, i) => byte === context[i]);
}

function responseTo(type: MessageType): MessageType {
  return type === MessageType.MsgPreVote ? MessageType.MsgPreVoteResp : MessageType.MsgVoteResp;
}

/** A change that is committed but not applied could make this node count the wrong voters. */
function hasUnappliedConfChange(raft: Raft): boolean {
  const { log } = raft;
  let next = log.applied + 1;
  while (next <= log.committed) {
    const page = log.slice(next, log.committed + 1, log.maxApplyingBytes);
    if (typeof page === 'string') throw new Error(`unapplied entries cannot be read: ${page}`);
    if (page.some((entry) => entry.type !== EntryType.Normal)) return true;
    next += page.length;
  }
  return false;
}

function logVote(raft: Raft, message: Message, verb: 'cast' | 'rejected' | 'ignored', ending = ''): void {
  if (!raft.logs(LogLevel.Info)) return;
  const preposition = verb === 'cast' ? 'for' : 'from';
  raft.write(
    LogLevel.Info,
    `${hexId(raft.id)} [logterm: ${raft.log.lastTerm()}, index: ${raft.log.lastIndex()}, vote: ${hexId(raft.vote)}] ${verb} ` +
      `${messageTypeName(message.type)} ${preposition} ${hexId(message.from)} ` +
      `[logterm: ${message.logTerm}, index: ${message.index}] at term ${raft.term}${ending}`,
  );
}

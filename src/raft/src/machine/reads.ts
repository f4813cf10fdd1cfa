/** Linearizable reads (thesis §6.4): a read may be served from any state that has applied the index it was given. */
import { MessageType, NO_PEER } from '../types.ts';
import type { Message } from '../types.ts';
import { LogLevel } from '../logger.ts';
import { draftMessage, forwarded } from '../messages.ts';
import { hexId } from '../peer-id.ts';
import type { Raft } from './raft.ts';
import { broadcastHeartbeat } from './sending.ts';

/** Leader: takes a read request; one that comes before an entry of the own term is committed waits for that, also with one voter only. */
export function requestRead(raft: Raft, message: Message): void {
  if (!raft.hasCommittedInTerm) {
    raft.postponedReads.push(message);
    return;
  }
  startRead(raft, message);
}

/** Leader: an entry of this term is committed, so the waiting requests can be taken. */
export function releasePostponedReads(raft: Raft): void {
  if (raft.postponedReads.length === 0 || !raft.hasCommittedInTerm) return;
  const messages = raft.postponedReads;
  raft.postponedReads = [];
  for (const message of messages) startRead(raft, message);
}

function startRead(raft: Raft, message: Message): void {
  if (raft.config.readOnly === 'lease-based') {
    answerRead(raft, message, raft.log.committed);
    return;
  }
  raft.readOnly.add(raft.log.committed, message, raft.id);
  // With one voter this node alone is a quorum and nobody need be asked.
  releaseConfirmedReads(raft);
  if (raft.readOnly.hasPending) broadcastHeartbeat(raft);
}

/** Leader: a heartbeat answer may confirm reads. */
export function confirmReads(raft: Raft, message: Message): void {
  if (raft.readOnly.confirm(message.from, message.context)) releaseConfirmedReads(raft);
}

/** Answers every read that a quorum has confirmed. */
export function releaseConfirmedReads(raft: Raft): void {
  if (!raft.readOnly.hasPending) return;
  const number = raft.tracker.quorumValue(raft.readOnly.confirmed);
  for (const { request, index } of raft.readOnly.release(number)) answerRead(raft, request, index);
}

/** To the node that asked; its own requests become read states. */
function answerRead(raft: Raft, request: Message, index: number): void {
  const [entry] = request.entries;
  if (entry === undefined) return;
  if (request.from === NO_PEER || request.from === raft.id) {
    raft.readStates.push({ index, context: entry.data });
    return;
  }
  const answer = draftMessage(MessageType.MsgReadIndexResp, request.from);
  answer.index = index;
  answer.entries = request.entries;
  raft.send(answer);
}

/** Follower: asks the leader; false if none is known. */
export function forwardRead(raft: Raft, message: Message): boolean {
  if (raft.leader === NO_PEER) {
    if (raft.logs(LogLevel.Info)) {
      raft.write(LogLevel.Info, `${hexId(raft.id)} no leader at term ${raft.term}; dropping index reading msg`);
    }
    return false;
  }
  raft.send(forwarded(message, raft.leader));
  return true;
}

/** Follower: the leader's answer. */
export function handleReadAnswer(raft: Raft, message: Message): void {
  const [entry] = message.entries;
  if (entry === undefined || message.entries.length !== 1) {
    if (raft.logs(LogLevel.Error)) {
      raft.write(
        LogLevel.Error,
        `${hexId(raft.id)} invalid format of MsgReadIndexResp from ${hexId(message.from)}, entries count: ${message.entries.length}`,
      );
    }
    return;
  }
  raft.readStates.push({ index: message.index, context: entry.data });
}

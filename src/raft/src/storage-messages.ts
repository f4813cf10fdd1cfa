/** The messages between a node and its storage: what to write, what to apply, and the answers to be delivered when that is done. */
import { APPEND_THREAD, APPLY_THREAD, MessageType } from './types.ts';
import type { Entry, Message } from './types.ts';
import type { Raft } from './machine/raft.ts';
import { draftMessage } from './messages.ts';
import type { Ready } from './ready.ts';

/** Adds at most one message to write and one to apply to the messages of a ready, after all others. */
export function addStorageMessages(raft: Raft, ready: Ready): void {
  const { entries, hardState, snapshot, committedEntries } = ready;
  const responses = raft.messagesAfterAppend;
  if (entries.length > 0 || hardState !== undefined || snapshot !== undefined || responses.length > 0) {
    const write = draftMessage(MessageType.MsgStorageAppend, APPEND_THREAD);
    write.from = raft.id;
    write.entries = entries;
    if (hardState !== undefined) {
      write.term = hardState.term;
      write.vote = hardState.vote;
      write.commit = hardState.commit;
    }
    write.snapshot = snapshot;
    // The leader's own acknowledgement comes before that of storage: terms are cheaper to look up while entries are still unstable.
    const response = appendResponse(raft, ready);
    if (response !== undefined) responses.push(response);
    write.responses = responses;
    raft.messages.push(write);
  }
  if (committedEntries.length > 0) {
    const apply = draftMessage(MessageType.MsgStorageApply, APPLY_THREAD);
    apply.from = raft.id;
    apply.entries = committedEntries;
    apply.responses = [applyResponse(raft, committedEntries)];
    raft.messages.push(apply);
  }
}

/**
 * Tells the machine what became durable. It names the last entry of the whole log and the current term even if nothing new is written: if an
 * entry was replaced and later replaced back while writes were in flight, only an acknowledgement made after the last replacement counts.
 */
export function appendResponse(raft: Raft, ready: Ready): Message | undefined {
  const hasUnstable = raft.log.unstable.entries.length > 0;
  if (!hasUnstable && ready.snapshot === undefined) return undefined;
  const response = draftMessage(MessageType.MsgStorageAppendResp, raft.id);
  response.from = APPEND_THREAD;
  response.term = raft.term;
  if (hasUnstable) {
    response.index = raft.log.lastIndex();
    response.logTerm = raft.log.lastTerm();
  }
  response.snapshot = ready.snapshot;
  return response;
}

/** Has no term: what is committed stays so. */
export function applyResponse(raft: Raft, entries: readonly Entry[]): Message {
  const response = draftMessage(MessageType.MsgStorageApplyResp, raft.id);
  response.from = APPLY_THREAD;
  response.entries = entries;
  return response;
}

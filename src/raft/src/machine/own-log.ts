/** The leader's own log: appending to it, and how much of it waits to be committed. */
import { MessageType } from '../types.ts';
import type { Entry } from '../types.ts';
import { payloadBytes } from '../entry-size.ts';
import { LogLevel } from '../logger.ts';
import { draftMessage } from '../messages.ts';
import { hexId } from '../peer-id.ts';
import type { Raft } from './raft.ts';

/** An entry before it has a place in the log. */
export type EntryDraft = Pick<Entry, 'type' | 'data'>;

/**
 * Appends to the leader's own log, unless too many bytes would wait to be committed: 0 then, else the index of the first entry. The leader
 * counts its copy once it is durable, by an answer to itself.
 */
export function appendEntries(raft: Raft, drafts: readonly EntryDraft[]): number {
  const bytes = payloadBytes(drafts);
  // With nothing waiting any size fits; empty entries always do.
  if (raft.uncommittedBytes > 0 && bytes > 0 && raft.uncommittedBytes + bytes > raft.config.maxUncommittedBytes) {
    if (raft.logs(LogLevel.Warn)) {
      raft.write(
        LogLevel.Warn,
        `${hexId(raft.id)} appending new entries to log would exceed uncommitted entry size limit; dropping proposal`,
      );
    }
    return 0;
  }
  raft.uncommittedBytes += bytes;
  const first = raft.log.lastIndex() + 1;
  const { term } = raft;
  const entries: Entry[] = [];
  for (let i = 0; i < drafts.length; i++) {
    const { type, data } = drafts[i] as EntryDraft;
    entries.push({ type, term, index: first + i, data });
  }
  const answer = draftMessage(MessageType.MsgAppResp, raft.id);
  answer.index = raft.log.append(entries);
  raft.send(answer);
  return first;
}

/** Entries that were applied no longer count as waiting. */
export function reduceUncommitted(raft: Raft, bytes: number): void {
  raft.uncommittedBytes = Math.max(0, raft.uncommittedBytes - bytes);
}

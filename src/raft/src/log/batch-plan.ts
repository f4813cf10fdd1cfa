import type { BatchContent } from './batch.ts';
import type { LogBatch } from './log-store.ts';
import type { LogView } from './log-view.ts';
import type { SnapshotMark } from './payloads.ts';

export interface BatchPlan {
  /** What is to be written. The hard state is in it if it changed. */
  readonly content: BatchContent;
  /** Must be durable before it is acknowledged: anything but a new commit index. */
  readonly mustSync: boolean;
  readonly hasNewHardState: boolean;
  /** Only entries must be durable; the new commit index in the content may also come later. */
  readonly canCommitWait: boolean;
}

/**
 * Makes a batch take effect in the view and says what has to be written for it.
 * @param mark A snapshot of the node's own that becomes part of the log with this batch.
 */
export function planBatch(view: LogView, batch: LogBatch, mark: SnapshotMark | undefined): BatchPlan {
  const { snapshot, truncateFrom, entries = [], hardState, confState, sync = false } = batch;
  const before = view.hardState;
  const resetMark = snapshot === undefined ? undefined : { ...snapshot.metadata, reset: true };
  if (resetMark !== undefined) view.setMark(resetMark, false);
  const truncation =
    truncateFrom === undefined ? undefined : { from: truncateFrom, prevTerm: view.termAt(truncateFrom - 1) ?? 0 };
  if (truncation !== undefined) view.truncate(truncation);
  const first = entries[0]?.index;
  const prevTerm = first === undefined ? 0 : (view.termAt(first - 1) ?? 0);
  view.append(prevTerm, entries);
  if (hardState !== undefined) view.setHardState(hardState);
  if (mark !== undefined) view.setMark(mark, false);
  if (confState !== undefined) view.setConfState(confState);

  const now = view.hardState;
  const hasVoted = now.term !== before.term || now.vote !== before.vote;
  const hasNewHardState = hasVoted || now.commit !== before.commit;
  const others = [resetMark, truncation, first, mark, confState];
  return {
    content: {
      resetMark,
      truncation,
      entries,
      prevTerm,
      hardState: hasNewHardState ? now : undefined,
      mark,
      confState,
    },
    mustSync: sync || hasVoted || others.some((part) => part !== undefined),
    hasNewHardState,
    canCommitWait:
      hasNewHardState &&
      !hasVoted &&
      !sync &&
      [resetMark, truncation, mark, confState].every((part) => part === undefined),
  };
}

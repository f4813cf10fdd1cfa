/** Which of the surviving logs to go on with, and what that costs. Pure. */
import type { LogSurvey } from '../../manager/consensus/offline-log.ts';

export interface Verdict<T extends LogSurvey> {
  /** The log that goes furthest: the one Raft itself would elect. */
  readonly best: T;
  /** How many of the managers that decide were looked at, and how many there are. */
  readonly seen: number;
  readonly voters: number;
  /** Nothing that was acknowledged can be missing in the best log. */
  readonly isComplete: boolean;
  /** What is certain and what may be lost, in sentences. */
  readonly sentences: readonly string[];
}

/**
 * Among the logs of a majority of the voters, the one with the highest term (then index) of its last entry holds every committed
 * entry (Raft's election restriction, §5.4.1 of the paper); among fewer, later entries may have been decided by the others alone.
 * @param surveys of managers of one group; at least one
 */
export function judge<T extends LogSurvey>(surveys: readonly [T, ...T[]]): Verdict<T> {
  const best = surveys.reduce((a, b) => (isFurther(b, a) ? b : a));
  const voters = best.voters.length;
  const seen = best.voters.filter((id) => surveys.some(({ raftId }) => raftId === id)).length;
  const isComplete = seen > voters / 2;
  const known = Math.max(...surveys.map(({ commitIndex }) => commitIndex));
  const certain = Math.min(known, best.lastIndex);
  const sentences = [`${seen} of the ${voters} managers that decide were looked at.`];
  if (isComplete) {
    sentences.push('Certain: nothing that was acknowledged is lost.');
  } else {
    sentences.push(
      `Certain: everything up to entry ${certain} was decided and is kept.`,
      `May be lost: what the other managers acknowledged after entry ${best.lastIndex}.`,
    );
  }
  if (best.lastIndex > certain)
    sentences.push(
      `Entries ${certain + 1} to ${best.lastIndex} are kept too; whether all of them were acknowledged is not known.`,
    );
  return { best, seen, voters, isComplete, sentences };
}

const isFurther = (a: LogSurvey, b: LogSurvey): boolean =>
  a.lastTerm > b.lastTerm || (a.lastTerm === b.lastTerm && a.lastIndex > b.lastIndex);

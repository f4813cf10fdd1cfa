/** The log of a manager that is not running, as one looks at it and changes it after a disaster. */
import { DurableLog, forceNewGroup, foundFromSnapshot, lastConfiguration, type LogKeys } from 'raft-ts';
import { encodeSnapshot } from '../store/snapshot.ts';
import type { StoreCapture } from '../store/store.ts';
import { logError } from './log-error.ts';
import type { Member } from './member-list.ts';

/** Whose log lies where. */
export interface LogPlace {
  readonly directory: string;
  readonly clusterId: string;
  readonly raftId: string;
  readonly keys: LogKeys;
}

export interface LogSurvey {
  readonly raftId: string;
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** Up to here the manager knew that its entries were decided. */
  readonly commitIndex: number;
  /** Raft ids of the managers that decide. */
  readonly voters: readonly string[];
}

/** Throws dataLoss when the log is damaged or gone, failedPrecondition when it is in use. */
export const surveyLog = (place: LogPlace): Promise<LogSurvey> =>
  withLog(place, (log) => {
    const lastIndex = log.lastIndex();
    const lastTerm = log.term(lastIndex);
    return {
      raftId: place.raftId,
      lastIndex,
      lastTerm: typeof lastTerm === 'number' ? lastTerm : 0,
      commitIndex: log.initialState().hardState.commit,
      voters: lastConfiguration(log, place.raftId).voters,
    };
  });

/** Makes the manager the only one of its group, with all entries it has. */
export const goOnAlone = (place: LogPlace): Promise<void> =>
  withLog(place, async (log) => {
    await forceNewGroup(log, place.raftId);
  });

/** Begins an empty log with a state. The old members count as removed, so that they learn of it when they come back. */
export const beginLog = (
  place: LogPlace,
  state: StoreCapture,
  term: number,
  members: { readonly local: Member; readonly removed: readonly string[] },
): Promise<void> =>
  withLog(place, async (log) => {
    const { raftId, nodeId, address } = members.local;
    const membership = { members: [{ raftId, nodeId, addr: address, status: undefined }], removed: members.removed };
    await foundFromSnapshot(log, raftId, { index: state.version, term }, encodeSnapshot(state, membership));
  });

async function withLog<T>(
  { directory, clusterId, raftId, keys }: LogPlace,
  use: (log: DurableLog) => T | Promise<T>,
): Promise<T> {
  let failed: Error | undefined;
  const onFatal = (error: Error): void => void (failed = error);
  const log = await DurableLog.open({ directory, clusterId, nodeId: raftId, keys, onFatal }).catch((error: unknown) => {
    throw logError(error);
  });
  try {
    const result = await use(log);
    await log.close();
    if (failed) throw failed;
    return result;
  } catch (error) {
    await log.close();
    throw logError(error);
  }
}

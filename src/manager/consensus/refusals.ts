/** What raft refuses, as errors for people. */
import { RaftRefusedError, type NodeRefusal } from 'raft-ts';
import type { ErrorCode } from '../../common/errors.ts';
import { SwarmError, toSwarmError } from '../../common/errors.ts';
import { NO_LEADER_TEXT } from '../../common/no-leader.ts';

const TEXTS: Readonly<Record<NodeRefusal, readonly [ErrorCode, string]>> = {
  'not-leader': ['notLeader', 'this manager is not the leader'],
  'no-leader': ['notLeader', NO_LEADER_TEXT],
  'leader-not-ready': ['notLeader', 'the new leader has not caught up yet: try again in a moment'],
  transferring: ['notLeader', 'leadership is being handed over: try again in a moment'],
  'uncommitted-limit': ['unavailable', 'too many changes wait to be stored: try again in a moment'],
  'disk-full': ['resourceExhausted', 'the disk of the leading manager is full: free space on it'],
  removed: ['failedPrecondition', 'this manager was removed from the swarm'],
  'invalid-change': ['failedPrecondition', 'the managers of the swarm cannot be changed like that'],
  'change-not-now': ['unavailable', 'another change of the managers is under way: try again in a moment'],
  'leadership-lost': [
    'unavailable',
    'leadership was lost meanwhile: the change may or may not have been made; look before trying again',
  ],
  superseded: ['notLeader', 'leadership was lost and the change was not made: try again'],
  'transfer-failed': ['unavailable', 'the other manager did not take over leadership in time'],
  stopped: ['unavailable', 'this manager is stopping'],
};

/** @param refusal a reason, or whatever a raft call threw */
export function refusalError(refusal: unknown): SwarmError {
  const reason = refusal instanceof RaftRefusedError ? refusal.reason : refusal;
  if (typeof reason === 'string' && reason in TEXTS) {
    const [code, text] = TEXTS[reason as NodeRefusal];
    return new SwarmError(code, text, { cause: refusal });
  }
  return toSwarmError(refusal);
}

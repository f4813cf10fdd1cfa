import type { ProposalRefusal } from '../refusal.ts';
import type { PeerId } from '../types.ts';
import { NO_PEER } from '../types.ts';

/** Why a node does not do what it was asked. Nothing was proposed unless the reason says so. */
export type NodeRefusal =
  /** Another node leads: ask it. */
  | 'not-leader'
  /** No leader is known: try again later. */
  | 'no-leader'
  /** This node was elected but has not yet applied all entries of earlier terms: try again shortly. */
  | 'leader-not-ready'
  /** Leadership is being handed over: try again later. */
  | 'transferring'
  /** Too many bytes wait to be committed: try again later. */
  | 'uncommitted-limit'
  /** The disk is full: free space on it. */
  | 'disk-full'
  /** This node is no longer a member. */
  | 'removed'
  /** The change cannot be applied to the current configuration, for example because it would remove all voters. */
  | 'invalid-change'
  /** Another configuration change is not finished: try again later. */
  | 'change-not-now'
  /** Leadership was lost while waiting: the proposal may still be committed. */
  | 'leadership-lost'
  /** Another entry was committed in the place of the proposal, which is void. */
  | 'superseded'
  /** Leadership was not taken over in time, or the target can not lead. */
  | 'transfer-failed'
  /** The node was stopped (or failed): the proposal may still be committed. */
  | 'stopped';

export type NodeProposeResult =
  | { readonly ok: true; readonly index: number; readonly term: number }
  | { readonly ok: false; readonly reason: NodeRefusal; readonly leader: PeerId };

/** A refusal of a request that is answered by a promise. `leader` is the leader known then, or NO_PEER. */
export class RaftRefusedError extends Error {
  readonly code = 'RAFT_REFUSED';
  readonly reason: NodeRefusal;
  readonly leader: PeerId;

  constructor(request: string, reason: NodeRefusal, leader: PeerId = NO_PEER) {
    super(`${request} refused: ${reason}${leader === NO_PEER ? '' : ` (leader ${leader})`}`);
    this.name = 'RaftRefusedError';
    this.reason = reason;
    this.leader = leader;
  }
}

/** What the state machine's refusal of a configuration change is called here. */
export function confChangeRefusal(reason: ProposalRefusal): NodeRefusal {
  switch (reason) {
    case 'malformed-change':
    case 'invalid-change':
      return 'invalid-change';
    default:
      return reason;
  }
}

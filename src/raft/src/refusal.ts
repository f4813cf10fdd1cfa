/** Why the state machine does not do what it was asked; expected cases, handed back as values. */

/** Reasons to drop a proposal. Nothing was appended, with one exception that says so. */
export type ProposalRefusal =
  /** No leader is known; try again later. */
  | 'no-leader'
  /** This node is not the leader and does not forward proposals; ask the leader. */
  | 'not-leader'
  /** Leadership is being handed over; try again later. */
  | 'transferring'
  /** This leader is no longer a member. */
  | 'removed'
  /** Too many bytes wait to be committed; try again later. */
  | 'uncommitted-limit'
  /** The payload of a configuration change cannot be read. */
  | 'malformed-change'
  /** The change cannot be applied to the current configuration, for example because it would remove all voters. */
  | 'invalid-change'
  /** Another change may not be applied yet, or the group is (or is not) joint; an empty entry was appended in its place. */
  | 'change-not-now';

export type StepRefusal =
  | ProposalRefusal
  /** A type that only the node itself may use came from a peer. */
  | 'local-message'
  /** An answer came from a node that is not a member. */
  | 'unknown-peer'
  /** The message is addressed to another node. */
  | 'wrong-recipient'
  /** The message contradicts itself, for example entries with gaps. */
  | 'malformed-message';

export type ProposeResult =
  | {
      readonly ok: true;
      /** Index and term of the first entry proposed; the following ones are consecutive. Both 0 if forwarded. */
      readonly index: number;
      readonly term: number;
      /** Passed on to the leader, which will not answer: watch what gets applied. */
      readonly forwarded: boolean;
    }
  | { readonly ok: false; readonly reason: ProposalRefusal };

export function refuse(reason: ProposalRefusal): ProposeResult {
  return { ok: false, reason };
}

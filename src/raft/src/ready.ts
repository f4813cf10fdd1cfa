/** The work a node must do next, as handed out by `RawNode.ready()`. */
import type { Entry, HardState, Message, PeerId, Snapshot } from './types.ts';
import type { ReadState } from './read-only.ts';

export type Role = 'follower' | 'pre-candidate' | 'candidate' | 'leader';

/** State that need not be durable. */
export interface SoftState {
  /** NO_PEER if no leader is known. */
  readonly leader: PeerId;
  readonly role: Role;
}

export interface Ready {
  /** Set if it changed. */
  readonly softState: SoftState | undefined;
  /** To be written to storage; set if it changed. */
  readonly hardState: HardState | undefined;
  /** Reads that may be served once the state machine has applied up to their index. */
  readonly readStates: readonly ReadState[];
  /** To be written to storage before `messages` are sent (without async storage writes). */
  readonly entries: readonly Entry[];
  /** To be written to storage, replacing everything there; then to be restored into the state machine. */
  readonly snapshot: Snapshot | undefined;
  /** To be applied to the state machine, in order. Configuration changes also go to `applyConfChange`. */
  readonly committedEntries: readonly Entry[];
  /**
   * To be sent. Without async storage writes: after entries, hard state and snapshot are durable. With them: at once; those to
   * APPEND_THREAD and APPLY_THREAD say what to write and apply, and their `responses` are to be delivered when that is done.
   */
  readonly messages: readonly Message[];
  /** Entries, vote or term changed: the write must be durable before it is acknowledged. A commit index alone may be written lazily. */
  readonly mustSync: boolean;
}

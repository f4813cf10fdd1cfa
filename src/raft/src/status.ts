/** What a node says about itself. */
import type { ConfState, HardState, PeerId } from './types.ts';
import type { Role } from './ready.ts';
import type { ProgressState } from './tracker/progress.ts';

export interface PeerStatus {
  readonly id: PeerId;
  readonly state: ProgressState;
  /** Highest index known to be durable on the peer. */
  readonly match: number;
  /** Index of the next entry to send. */
  readonly next: number;
  readonly isLearner: boolean;
  /** Heard from within the last election timeout (kept up to date with check-quorum only). */
  readonly recentActive: boolean;
  readonly isPaused: boolean;
  /** Index of the snapshot on its way, or 0. */
  readonly pendingSnapshot: number;
  readonly inflightMessages: number;
  readonly inflightBytes: number;
}

export interface Status {
  readonly id: PeerId;
  readonly role: Role;
  readonly leader: PeerId;
  readonly hardState: HardState;
  readonly applied: number;
  readonly lastIndex: number;
  /** The node leadership is being handed to, or NO_PEER. */
  readonly leadTransferee: PeerId;
  readonly config: ConfState;
  /** Peers in numeric order of their ids, the leader included; empty on other nodes. */
  readonly peers: readonly PeerStatus[];
}

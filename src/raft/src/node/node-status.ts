import type { Status } from '../status.ts';

/** What a running node says about itself. */
export interface NodeStatus extends Status {
  /** Last entry the state machine of the owner applied; `applied` (what the core knows of) may lag behind it. */
  readonly appliedIndex: number;
  /** Leads and has applied every entry of earlier terms. */
  readonly isAnnouncedLeader: boolean;
  /** Oldest entry of the log that is kept. */
  readonly firstIndex: number;
  readonly snapshotIndex: number;
  readonly isDiskFull: boolean;
  /** A snapshot from a peer is replacing the state. */
  readonly isRestoring: boolean;
}

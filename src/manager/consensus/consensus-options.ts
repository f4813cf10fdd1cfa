/** What a manager's place in the consensus group is made with, and what it tells. */
import type { LogKeys } from 'raft-ts';
import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/log.ts';
import type { Random } from '../../common/random.ts';
import type { NodeIdentity } from '../../identity/node-identity.ts';
import type { Member } from './member-list.ts';

export interface ConsensusOptions {
  readonly directory: string;
  readonly keys: LogKeys | undefined;
  readonly identity: NodeIdentity;
  /** This manager as a member. */
  readonly local: Member;
  /** Found a new group with this manager as its only member, if the log is empty. */
  readonly bootstrap: boolean;
  /** This manager is a member already: an empty log is one that was lost. */
  readonly isMember?: boolean;
  /** Take all other members out of the group first: they are gone for good. */
  readonly alone?: boolean;
  /** Members known from joining; the log brings the truth later. */
  readonly knownMembers: readonly Member[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly tickMs: number;
  readonly electionTicks: number;
  readonly heartbeatTicks: number;
  /** Entries between snapshots, and entries kept behind one for slow followers, until the cluster says otherwise. */
  readonly snapshotEntries?: number;
  readonly trailingEntries?: number;
  readonly events: ConsensusEvents;
}

export interface ConsensusEvents {
  /** This manager leads and its store holds everything decided before, or it leads no more. */
  leadership(isLeader: boolean): void;
  /** This manager was taken out of the group. */
  removed(): void;
  /** The log failed or an invariant broke: the process must end. */
  fatal(error: Error): void;
}

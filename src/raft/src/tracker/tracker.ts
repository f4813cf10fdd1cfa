/** The leader's view of the group: the active configuration, the progress of every peer in it, and the votes of an election. */
import { jointIndex, jointVote } from '../quorum/joint.ts';
import { VoteResult } from '../quorum/vote-result.ts';
import { EMPTY_CONF_STATE } from '../storage.ts';
import { sortedPeerIds } from '../peer-id.ts';
import type { ConfState, PeerId } from '../types.ts';
import { Inflights } from './inflights.ts';
import { Progress } from './progress.ts';

export interface TrackedPeer {
  readonly id: PeerId;
  readonly progress: Progress;
}

export interface VoteTally {
  readonly granted: number;
  readonly rejected: number;
  readonly result: VoteResult;
}

export class ProgressTracker {
  readonly #maxInflightMessages: number;
  readonly #maxInflightBytes: number;
  #config: ConfState = EMPTY_CONF_STATE;
  #progress: ReadonlyMap<PeerId, Progress> = new Map();
  #peers: readonly TrackedPeer[] = [];
  #voterIds: readonly PeerId[] = [];
  readonly #votes = new Map<PeerId, boolean>();
  // Reused by every commit calculation, so that acknowledging allocates nothing.
  readonly #incomingScratch: number[] = [];
  readonly #outgoingScratch: number[] = [];
  #incoming: readonly Progress[] = [];
  #outgoing: readonly Progress[] = [];

  constructor(maxInflightMessages: number, maxInflightBytes: number) {
    this.#maxInflightMessages = maxInflightMessages;
    this.#maxInflightBytes = maxInflightBytes;
  }

  get config(): ConfState {
    return this.#config;
  }

  get progress(): ReadonlyMap<PeerId, Progress> {
    return this.#progress;
  }

  /** Everyone tracked, in numeric order of the ids: the order of every broadcast. */
  get peers(): readonly TrackedPeer[] {
    return this.#peers;
  }

  /** Voters of either half, in numeric order. */
  get voterIds(): readonly PeerId[] {
    return this.#voterIds;
  }

  isJoint(): boolean {
    return this.#config.votersOutgoing.length > 0;
  }

  isVoter(id: PeerId): boolean {
    return this.#voterIds.includes(id);
  }

  /** Makes a configuration the active one. */
  install(config: ConfState, progress: ReadonlyMap<PeerId, Progress>): void {
    this.#config = config;
    this.#progress = progress;
    this.#peers = sortedPeerIds(progress.keys()).map((id) => ({ id, progress: this.#expect(id) }));
    this.#voterIds = sortedPeerIds([...config.voters, ...config.votersOutgoing]);
    this.#incoming = config.voters.map((id) => this.#expect(id));
    this.#outgoing = config.votersOutgoing.map((id) => this.#expect(id));
  }

  /** A fresh progress for a peer that is being added. It starts active, so that a check for an active quorum grants it some time. */
  newProgress(next: number, isLearner: boolean): Progress {
    const inflights = new Inflights(this.#maxInflightMessages, this.#maxInflightBytes);
    return new Progress({ next, isLearner, recentActive: true, inflights });
  }

  /** The largest index durable on a quorum of both halves. */
  committed(): number {
    return jointIndex(matches(this.#incoming, this.#incomingScratch), matches(this.#outgoing, this.#outgoingScratch));
  }

  /** The largest value that a quorum of both halves has reached, for any value per voter; 0 where there is none. */
  quorumValue(valueOf: ReadonlyMap<PeerId, number>): number {
    const { voters, votersOutgoing } = this.#config;
    return jointIndex(
      voters.map((id) => valueOf.get(id) ?? 0),
      votersOutgoing.map((id) => valueOf.get(id) ?? 0),
    );
  }

  /** Whether a quorum was heard from since the activity flags were cleared. */
  isQuorumActive(): boolean {
    const votes = new Map<PeerId, boolean>();
    for (const { id, progress } of this.#peers) {
      if (!progress.isLearner) votes.set(id, progress.recentActive);
    }
    return jointVote(this.#config.voters, this.#config.votersOutgoing, votes) === VoteResult.Won;
  }

  resetVotes(): void {
    this.#votes.clear();
  }

  /** The first answer of a peer counts; repeats change nothing. */
  recordVote(id: PeerId, granted: boolean): void {
    if (!this.#votes.has(id)) this.#votes.set(id, granted);
  }

  /** Whether this peer has answered. */
  hasVoteOf(id: PeerId): boolean {
    return this.#votes.has(id);
  }

  tallyVotes(): VoteTally {
    let granted = 0;
    let rejected = 0;
    for (const { id, progress } of this.#peers) {
      const vote = progress.isLearner ? undefined : this.#votes.get(id);
      if (vote === true) granted++;
      else if (vote === false) rejected++;
    }
    return { granted, rejected, result: jointVote(this.#config.voters, this.#config.votersOutgoing, this.#votes) };
  }

  #expect(id: PeerId): Progress {
    const progress = this.#progress.get(id);
    if (progress === undefined) throw new Error(`${id} is not tracked`);
    return progress;
  }
}

function matches(voters: readonly Progress[], into: number[]): number[] {
  into.length = voters.length;
  for (let i = 0; i < voters.length; i++) into[i] = (voters[i] as Progress).match;
  return into;
}

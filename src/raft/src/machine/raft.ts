/**
 * The state of one node and the few things every role does with it. The rules live beside this file, one file per topic: they are
 * functions of this state and a message, without clock, disk, network or randomness of their own.
 */
import { MessageType, NO_PEER } from '../types.ts';
import type { HardState, Message, PeerId } from '../types.ts';
import type { ResolvedConfig } from '../config.ts';
import type { Logger, LogLevel } from '../logger.ts';
import type { DraftMessage } from '../messages.ts';
import { messageTypeName } from '../messages.ts';
import { RaftLog } from '../raft-log.ts';
import { ReadOnlyQueue } from '../read-only.ts';
import type { ReadState } from '../read-only.ts';
import type { Role, SoftState } from '../ready.ts';
import { ProgressTracker } from '../tracker/tracker.ts';

export class Raft {
  readonly id: PeerId;
  readonly config: ResolvedConfig;
  readonly log: RaftLog;
  readonly tracker: ProgressTracker;
  readonly logger: Logger;

  term = 0;
  vote: PeerId = NO_PEER;
  role: Role = 'follower';
  leader: PeerId = NO_PEER;
  isLearner = false;

  /** To be sent at once. */
  messages: Message[] = [];
  /** Answers that promise durability: sent, or delivered to this node itself, only after everything before them is written. */
  messagesAfterAppend: Message[] = [];

  readStates: ReadState[] = [];
  readonly readOnly = new ReadOnlyQueue();
  /** Reads a leader received before it committed an entry of its own term. */
  postponedReads: Message[] = [];

  /** Where leadership is being handed to. */
  leadTransferee: PeerId = NO_PEER;
  /** No configuration change may be proposed until this index is applied: one lies at or before it. */
  pendingConfIndex = 0;
  /** Payload bytes of the leader's entries that are not yet applied; may be too low, never too high. */
  uncommittedBytes = 0;

  /** A follower needs a snapshot, and there is none that it could use. */
  wantsSnapshot = false;

  /** Ticks since this node last heard from a leader or voted; on a leader since the last check for an active quorum. */
  electionElapsed = 0;
  /** Ticks since the last heartbeat was sent. */
  heartbeatElapsed = 0;
  /** Drawn anew from [electionTicks, 2·electionTicks − 1] at each change of role or term. */
  randomizedElectionTicks = 0;

  constructor(config: ResolvedConfig) {
    this.config = config;
    this.id = config.id;
    this.logger = config.logger;
    this.log = new RaftLog(config.storage, config.logger, config.maxCommittedBytesPerReady);
    this.tracker = new ProgressTracker(config.maxInflightMessages, config.maxInflightBytes);
  }

  /** Whether lines of this level are wanted; ask before building one. */
  logs(level: LogLevel): boolean {
    return this.logger.level <= level;
  }

  write(level: LogLevel, text: string): void {
    this.logger.write(level, text);
  }

  get hardState(): HardState {
    return { term: this.term, vote: this.vote, commit: this.log.committed };
  }

  get softState(): SoftState {
    return { leader: this.leader, role: this.role };
  }

  /** Whether this node may stand for election: a voter that is not waiting to restore a snapshot. */
  get isPromotable(): boolean {
    const progress = this.tracker.progress.get(this.id);
    return progress !== undefined && !progress.isLearner && this.log.unstable.snapshot === undefined;
  }

  /** Paper §5.4.2: what a leader knows to be committed is complete only once an entry of its own term is. */
  get hasCommittedInTerm(): boolean {
    return this.log.term(this.log.committed) === this.term;
  }

  /** Queues a message, filling in sender and term. Answers that promise durability wait for storage. */
  send(message: DraftMessage): void {
    if (message.from === NO_PEER) message.from = this.id;
    switch (message.type) {
      case MessageType.MsgVote:
      case MessageType.MsgPreVote:
      case MessageType.MsgVoteResp:
      case MessageType.MsgPreVoteResp:
        // Pre-votes are about a future term, so the sender chooses.
        if (message.term === 0) throw new Error(`term must be set when sending ${messageTypeName(message.type)}`);
        break;
      case MessageType.MsgProp:
      case MessageType.MsgReadIndex:
        // Passed on as if they had been made at the leader.
        break;
      default:
        if (message.term !== 0) throw new Error(`term must not be set when sending ${messageTypeName(message.type)}`);
        message.term = this.term;
    }
    switch (message.type) {
      case MessageType.MsgAppResp:
      case MessageType.MsgVoteResp:
      case MessageType.MsgPreVoteResp:
        this.messagesAfterAppend.push(message);
        break;
      default:
        if (message.to === this.id) throw new Error(`${messageTypeName(message.type)} addressed to its sender`);
        this.messages.push(message);
    }
  }

  /** Starts a term or role afresh: vote (in a new term), timers, progress, transfer, reads. */
  reset(term: number): void {
    if (this.term !== term) {
      this.term = term;
      this.vote = NO_PEER;
    }
    this.leader = NO_PEER;
    this.electionElapsed = 0;
    this.heartbeatElapsed = 0;
    this.#drawElectionTimeout();
    this.leadTransferee = NO_PEER;
    this.tracker.resetVotes();
    const last = this.log.lastIndex();
    for (const { id, progress } of this.tracker.peers) {
      progress.reset(id === this.id ? last : 0, last + 1);
    }
    this.pendingConfIndex = 0;
    this.uncommittedBytes = 0;
    this.wantsSnapshot = false;
    this.readOnly.reset();
    this.postponedReads = [];
  }

  #drawElectionTimeout(): void {
    const { electionTicks, random } = this.config;
    this.randomizedElectionTicks = electionTicks + Math.min(Math.floor(random() * electionTicks), electionTicks - 1);
  }
}

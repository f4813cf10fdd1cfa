/**
 * This manager's place in the consensus group: the raft node with its log and transport, and the store it feeds.
 */
import {
  DurableLog,
  forceNewGroup,
  RaftNode,
  type ConfChangeV2,
  type ConfigurationChanged,
  type ConfState,
  type DurableLogStats,
  type LogKeys,
  type Message,
} from 'raft-ts';
import type { CancelTimer } from '../../common/clock.ts';
import { errorText, SwarmError } from '../../common/errors.ts';
import { Turns } from '../../common/turns.ts';
import { RaftMember } from '../../proto/generated/docker/swarmkit/v1/raft.ts';
import type { RaftConfig } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Proposer, Store } from '../store/store.ts';
import type { ConsensusOptions } from './consensus-options.ts';
import { LogCheck } from './log-check.ts';
import { logError } from './log-error.ts';
import { memberFromWire, type Member, MemberList } from './member-list.ts';
import { raftLogger } from './raft-logger.ts';
import type { SnapshotSink } from './raft-service.ts';
import { refusalError } from './refusals.ts';
import { ReplicatedState } from './replicated-state.ts';
import { Transport } from './transport.ts';
import { addMember, promoteLearner, removeMember } from './membership-changes.ts';

/** A learner becomes a voter once it is this close to the leader's log. */
const PROMOTE_WITHIN_ENTRIES = 1_000;
/** Followers learn this much later that an entry is committed, unless the next one comes sooner. */
const COMMIT_NOTICE_MS = 10;

export class Consensus implements Proposer {
  readonly members = new MemberList();
  readonly logCheck: LogCheck;
  readonly #options: ConsensusOptions;
  readonly #store: Store;
  readonly #log: DurableLog;
  readonly #transport: Transport;
  readonly #node: RaftNode;
  readonly #state: ReplicatedState;
  readonly #listeners = new Set<() => void>();
  #cancelTick: CancelTimer | undefined;
  #isLeader = false;
  #isStopped = false;
  #settings: RaftConfig | undefined;

  private constructor(options: ConsensusOptions, store: Store, log: DurableLog) {
    this.#options = options;
    this.#store = store;
    this.#log = log;
    for (const member of options.knownMembers) this.members.put(member);
    const { identity, clock, random } = options;
    this.#transport = new Transport({
      identity,
      clock,
      random,
      log: options.log,
      onReachability: () => this.#changed(),
      onUnreachable: (raftId) => this.#node.reportUnreachable(raftId),
      onDisconnected: (raftId) => this.#node.reportDisconnected(raftId),
      onRemoved: () => this.#onRemoved(),
    });
    this.logCheck = new LogCheck({ scrub: () => log.scrub(), clock, random, log: options.log });
    const turns = new Turns(() => clock.monotonic());
    const events = {
      restored: () => this.#transport.setPeers(this.#others()),
      changed: () => this.#followSettings(),
    };
    this.#state = new ReplicatedState(store, this.members, events, () => turns.next());
    this.#node = new RaftNode({
      id: options.local.raftId,
      log,
      stateMachine: this.#state,
      bootstrap: options.bootstrap ? [{ id: options.local.raftId, context: contextOf(options.local) }] : undefined,
      send: (messages) => this.#transport.send(messages),
      sendSnapshot: (message) => void this.#sendSnapshot(message),
      monotonic: () => clock.monotonic(),
      deferNotice: (task) => void clock.setTimer(COMMIT_NOTICE_MS, task),
      random,
      electionTicks: options.electionTicks,
      heartbeatTicks: options.heartbeatTicks,
      ...(options.snapshotEntries === undefined ? {} : { snapshotEntries: options.snapshotEntries }),
      ...(options.trailingEntries === undefined ? {} : { trailingEntries: options.trailingEntries }),
      logger: raftLogger(options.log),
      events: {
        leadership: (isLeader) => this.#onLeadership(isLeader),
        softState: () => this.#changed(),
        configuration: (changed) => this.#onConfiguration(changed),
        memberRemoved: (raftId) => {
          if (raftId === options.local.raftId) this.#onRemoved();
        },
        restored: () => this.#changed(),
        fatal: (error) => options.events.fatal(error),
      },
    });
  }

  /**
   * Opens the log and recovers the state. Throws SwarmError: failedPrecondition (the folder belongs to another node or is in
   * use), dataLoss (the log is corrupt).
   */
  static async open(options: ConsensusOptions, store: Store): Promise<Consensus> {
    const log = await DurableLog.open({
      directory: options.directory,
      clusterId: options.identity.current.clusterId,
      nodeId: options.local.raftId,
      keys: options.keys,
      onFatal: (error) => options.events.fatal(error),
      onDiskFull: (error) =>
        options.log.error({ error: error.message }, 'disk full: this manager takes no changes until there is room'),
      onDiskRoom: () => options.log.info('there is room on the disk again'),
    }).catch((error: unknown) => {
      throw logError(error);
    });
    if (options.isMember && log.isEmpty) {
      await log.close();
      throw new SwarmError(
        'dataLoss',
        `the raft log in ${options.directory} is gone: restore it, or join this manager again as a new one`,
      );
    }
    if (options.alone) await forceNewGroup(log, options.local.raftId);
    return new Consensus(options, store, log);
  }

  async start(): Promise<void> {
    await this.#node.start().catch((error: unknown) => {
      throw logError(error);
    });
    this.#transport.setPeers(this.#others());
    this.#scheduleTick();
    this.logCheck.start();
  }

  /** Takes part no more. A leader hands over before, see {@link transferLeadership}. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#cancelTick?.();
    this.logCheck.stop();
    this.#node.stop();
    this.#transport.close();
    this.#store.abandonProposals('this manager is stopping: look whether the change was made before trying again');
    await this.#log.close();
  }

  get localId(): string {
    return this.#options.local.raftId;
  }

  /** Whether this manager leads and its store is up to date. */
  get isLeader(): boolean {
    return this.#isLeader;
  }

  /** The member that leads; undefined when none is known. */
  get leader(): Member | undefined {
    return this.members.get(this.#node.leader);
  }

  /** Raft ids of the members that vote; learners that still catch up are not among them. */
  get voters(): readonly string[] {
    return this.#node.confState?.voters ?? [];
  }

  get term(): number {
    return this.#node.status()?.hardState.term ?? 0;
  }

  get commitIndex(): number {
    return this.#node.status()?.hardState.commit ?? 0;
  }

  get logStats(): DurableLogStats {
    return this.#log.stats();
  }

  /** Encrypts with another key from now on; a snapshot under it follows, so that older keys can be let go. */
  setKeys(keys: LogKeys): void {
    this.#log.setKeys(keys);
    this.#node.requestSnapshot();
  }

  /**
   * Works towards needing the current key alone: drops entries that the snapshot covers, though slow followers may want them, and asks
   * for another snapshot while older entries remain. Returns the ids of the keys that are still needed.
   */
  releaseKeys(): ReadonlySet<string> {
    this.#log.compact(this.#log.snapshot().metadata.index);
    const needed = this.#log.keyIdsInUse();
    if (needed.size > 1) this.#node.requestSnapshot();
    return needed;
  }

  propose(data: Uint8Array): number {
    const result = this.#node.propose(data);
    if (result.ok) return result.index;
    throw refusalError(result.reason);
  }

  /** Resolves when the local store shows every change that was committed before the call. Throws unavailable without a leader. */
  async readBarrier(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    // Nobody else can have committed anything, and what was acknowledged here is applied here.
    if (this.#isLeader && this.#isOnlyVoter()) return;
    let index: number;
    try {
      index = await this.#node.readIndex();
    } catch (error) {
      throw refusalError(error);
    }
    await this.#state.applied(index);
  }

  /** Handles a message of another manager. */
  step(message: Message): void {
    if (!this.#isStopped) this.#node.step(message);
  }

  /** Begins to receive a snapshot that a peer streams to this manager. */
  async openSnapshotSink(message: Message): Promise<SnapshotSink> {
    const metadata = message.snapshot?.metadata;
    if (!metadata) throw new SwarmError('invalidArgument', 'snapshot: it has no metadata');
    const writer = await this.#log.receiveSnapshot(metadata);
    return {
      write: (chunk) => writer.write(chunk),
      finish: async () => (await writer.publish()).data,
      abort: () => writer.abort(),
    };
  }

  isReachable(raftId: string): boolean {
    return raftId === this.localId || this.#transport.activeSince(raftId) !== undefined;
  }

  /** Adds a member (as a learner that is promoted when it has caught up), or changes the address of one. */
  async admit(member: Member): Promise<void> {
    await this.#change(addMember(member, this.#confState(), contextOf(member)));
  }

  async remove(raftId: string): Promise<void> {
    await this.#change(removeMember(raftId));
  }

  /** Hands leadership to the reachable member that has been up longest. Throws failedPrecondition when there is none. */
  async transferLeadership(): Promise<void> {
    const voters = new Set(this.#confState().voters);
    const candidates = this.#others()
      .filter((member) => voters.has(member.raftId))
      .map((member) => ({ member, since: this.#transport.activeSince(member.raftId) }))
      .filter((candidate) => candidate.since !== undefined)
      .sort((a, b) => (a.since ?? 0) - (b.since ?? 0));
    const target = candidates[0]?.member;
    if (!target) throw new SwarmError('failedPrecondition', 'no other manager can take over leadership now');
    try {
      await this.#node.transferLeadership(target.raftId);
    } catch (error) {
      throw refusalError(error);
    }
  }

  /** Calls `listener` when the leader, the members or their reachability change; returns how to stop that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #confState(): ConfState {
    const confState = this.#node.confState;
    if (!confState) throw new SwarmError('unavailable', 'this manager is still starting: try again in a moment');
    return confState;
  }

  #isOnlyVoter(): boolean {
    const { voters, votersOutgoing } = this.#confState();
    return voters.length === 1 && voters[0] === this.localId && votersOutgoing.length === 0;
  }

  #others(): readonly Member[] {
    return this.members.all().filter((member) => member.raftId !== this.localId);
  }

  async #change(change: ConfChangeV2): Promise<void> {
    try {
      await this.#node.proposeConfChange(change);
    } catch (error) {
      throw refusalError(error);
    }
  }

  /** Snapshots are made as often as the cluster says; a change takes effect at once, on every manager. */
  #followSettings(): void {
    const settings = this.#store.read.cluster.all()[0]?.spec?.raft;
    if (settings === undefined || settings === this.#settings) return;
    this.#settings = settings;
    this.#node.setSnapshotPolicy({
      snapshotEntries: settings.snapshotInterval || undefined,
      trailingEntries: settings.logEntriesForSlowFollowers || undefined,
    });
  }

  #scheduleTick(): void {
    this.#cancelTick = this.#options.clock.setTimer(this.#options.tickMs, () => {
      if (this.#isStopped) return;
      this.#scheduleTick();
      this.#node.tick();
      if (this.#isLeader) this.#promoteLearners();
    });
  }

  #promoteLearners(): void {
    const status = this.#confState().learners.length > 0 ? this.#node.status() : undefined;
    if (!status) return;
    const { lastIndex } = status;
    for (const peer of status.peers.filter((p) => p.isLearner)) {
      const raftId = peer.id;
      if (!peer.recentActive || peer.match + PROMOTE_WITHIN_ENTRIES < lastIndex) continue;
      const member = this.members.get(raftId);
      if (!member) continue;
      // One change at a time is possible; what does not work now is tried again at the next tick.
      this.#change(promoteLearner(raftId, contextOf(member))).catch((error: unknown) => {
        this.#options.log.debug({ raftId, error: errorText(error) }, 'learner not promoted yet');
      });
      return;
    }
  }

  async #sendSnapshot(message: Message): Promise<void> {
    const metadata = message.snapshot?.metadata;
    try {
      if (!metadata) throw new Error('the message has no snapshot');
      const content = await this.#log.openSnapshot(metadata);
      try {
        await this.#transport.sendSnapshot(message, content.chunks());
      } finally {
        await content.close();
      }
      this.#node.reportSnapshot(message.to, true);
    } catch (error) {
      this.#options.log.debug({ to: message.to, error: errorText(error) }, 'snapshot not delivered');
      this.#node.reportSnapshot(message.to, false);
    }
  }

  #onConfiguration({ change }: ConfigurationChanged): void {
    if (change.context.length > 0) this.members.put(memberFromWire(RaftMember.decode(change.context)));
    for (const { type, nodeId } of change.changes) {
      if (type === REMOVE_NODE) this.members.remove(nodeId);
    }
    this.#transport.setPeers(this.#others());
    this.#changed();
  }

  #onLeadership(isLeader: boolean): void {
    this.#isLeader = isLeader;
    if (!isLeader) this.#store.abandonProposals();
    this.#options.events.leadership(isLeader);
    this.#changed();
  }

  #onRemoved(): void {
    if (!this.#isStopped) this.#options.events.removed();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

const REMOVE_NODE = 1;

const contextOf = (member: Member): Uint8Array =>
  RaftMember.encode({ raftId: member.raftId, nodeId: member.nodeId, addr: member.address, status: undefined }).finish();

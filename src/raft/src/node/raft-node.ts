import { LogLevel } from '../logger.ts';
import { RawNode } from '../raw-node.ts';
import { MessageType, NO_PEER } from '../types.ts';
import type { ConfChange, ConfChangeV2, ConfState, Message, PeerId, SnapshotMetadata } from '../types.ts';
import { Applier } from './applier.ts';
import { bootstrapLog } from './bootstrap.ts';
import { ConfChangeWaiters } from './conf-change-waiters.ts';
import { FullDiskHandOver } from './full-disk.ts';
import { Inbox } from './inbox.ts';
import { Leadership } from './leadership.ts';
import { LostLeader } from './lost-leader.ts';
import type { NodeStatus } from './node-status.ts';
import type { RaftNodeOptions, ResolvedNodeOptions } from './options.ts';
import { resolveNodeOptions } from './options.ts';
import { Outbox } from './outbox.ts';
import { ProposalBuffer } from './proposal-buffer.ts';
import { ReadRequests } from './read-requests.ts';
import { ReadyWork } from './ready-work.ts';
import { confChangeRefusal, RaftRefusedError } from './refusal.ts';
import type { NodeProposeResult, NodeRefusal } from './refusal.ts';
import { Snapshotter } from './snapshotter.ts';
import type { SnapshotPolicyChange } from './snapshot-policy.ts';
import { TransferWaiter } from './transfer-waiter.ts';
import { WriteQueue } from './write-queue.ts';

/**
 * One member of a group: drives the pure state machine with a durable log, a transport and a replicated state machine. Everything
 * that arrives in one turn of the event loop (proposals, messages, ticks, finished writes) is handled together in the next one, in
 * {@link RaftNodeOptions.defer}; nothing inside waits on a promise except the restoring of a snapshot.
 */
export class RaftNode {
  readonly #options: ResolvedNodeOptions;
  readonly #proposals: ProposalBuffer;
  readonly #reads: ReadRequests;
  readonly #confChanges = new ConfChangeWaiters();
  readonly #transfer: TransferWaiter;
  readonly #applier: Applier;
  readonly #writes: WriteQueue;
  readonly #leadership: Leadership;
  readonly #snapshotter: Snapshotter;
  readonly #lostLeader = new LostLeader();
  readonly #fullDisk: FullDiskHandOver;
  readonly #inbox: Inbox;
  readonly #outbox: Outbox;
  readonly #work: ReadyWork;
  #raw: RawNode | undefined;
  #state: 'new' | 'running' | 'stopped' = 'new';

  constructor(options: RaftNodeOptions) {
    this.#options = resolveNodeOptions(options);
    const { log, stateMachine, events, maxUncommittedBytes, random, electionTicks, defer, monotonic } = this.#options;
    const core = (): RawNode => this.#core();
    const wake = (): void => this.#inbox.wake();
    const failed = (error: unknown): void => this.#fail(error);
    const deliver = (responses: readonly Message[]): void => this.#work.deliver(responses);
    this.#inbox = new Inbox({ defer, monotonic, turn: (waitedMs) => this.#turn(waitedMs), failed });
    this.#outbox = new Outbox(this.#options);
    this.#transfer = new TransferWaiter(electionTicks);
    this.#proposals = new ProposalBuffer(maxUncommittedBytes);
    this.#reads = new ReadRequests({
      ask: (context) => this.#core().readIndex(context) === undefined,
      random,
      retryTicks: Math.max(1, Math.floor(electionTicks / 2)),
      timeoutTicks: 3 * electionTicks,
    });
    this.#applier = new Applier({
      log,
      stateMachine,
      events,
      proposals: this.#proposals,
      reads: this.#reads,
      confChanges: this.#confChanges,
      core,
      deliver,
      wake,
    });
    this.#writes = new WriteQueue({
      log,
      wake,
      restore: (snapshot) => this.#restore(snapshot.metadata),
      restored: (snapshot) => this.#restored(snapshot.metadata),
      deliver,
      failed,
    });
    this.#leadership = new Leadership({
      gained: (term) => events.leadership?.(true, term),
      lost: (term) => this.#leadershipLost(term),
    });
    this.#snapshotter = new Snapshotter({
      log,
      stateMachine,
      policy: this.#options,
      pauseTicks: electionTicks,
      failed,
    });
    this.#fullDisk = new FullDiskHandOver(electionTicks);
    this.#work = new ReadyWork({
      id: options.id,
      log,
      core,
      applier: this.#applier,
      writes: this.#writes,
      outbox: this.#outbox,
      reads: this.#reads,
      isLeading: () => this.#leadership.term !== 0,
      monotonic,
      softStateChanged: (state) => {
        this.#observeLeadership();
        events.softState?.(state);
      },
    });
  }

  /** Founds the group if asked to, restores the last snapshot, and begins. Rejects (with the error of the log) if that fails. */
  async start(): Promise<void> {
    if (this.#state !== 'new') throw new Error('a raft node can be started once');
    const options = this.#options;
    const { log, bootstrap } = options;
    if (bootstrap !== undefined && log.isEmpty) await bootstrapLog(log, bootstrap);
    const { metadata } = log.snapshot();
    if (metadata.index > 0) await this.#restore(metadata);
    if (this.#isStopped()) return;
    const raw = new RawNode({
      id: options.id,
      storage: log,
      random: options.random,
      electionTicks: options.electionTicks,
      heartbeatTicks: options.heartbeatTicks,
      applied: metadata.index,
      asyncStorageWrites: true,
      maxMessageBytes: options.maxMessageBytes,
      maxCommittedBytesPerReady: options.maxApplyBytes,
      maxInflightMessages: options.maxInflightMessages,
      maxInflightBytes: options.maxInflightBytes,
      checkQuorum: true,
      preVote: true,
      disableProposalForwarding: true,
      stepDownOnRemoval: true,
      logger: options.logger,
    });
    this.#raw = raw;
    this.#applier.restored({ ...metadata, confState: raw.confState });
    this.#state = 'running';
    this.#inbox.open();
  }

  /** How often snapshots are made and how many entries stay behind one; see {@link RaftNodeOptions}. */
  setSnapshotPolicy(change: SnapshotPolicyChange): void {
    this.#snapshotter.setPolicy(change);
  }

  /** Stops at once; waiting requests are refused. The log stays open. */
  stop(): void {
    if (this.#state === 'stopped') return;
    this.#state = 'stopped';
    this.#inbox.close();
    this.#outbox.close();
    this.#reads.rejectAll('stopped');
    this.#confChanges.rejectAll('stopped');
    this.#transfer.fail('stopped');
    this.#leadership.end();
    this.#snapshotter.stop();
  }

  /** One tick of the clock. */
  tick(): void {
    this.#inbox.tick();
  }

  /** Takes a message from a peer. The content of a snapshot must have been received and published before its message. */
  step(message: Message): void {
    this.#inbox.add(() => {
      const { snapshot } = message;
      if (
        message.type === MessageType.MsgSnap &&
        snapshot !== undefined &&
        !this.#options.log.hasSnapshot(snapshot.metadata)
      ) {
        this.#write(
          LogLevel.Warn,
          `snapshot ${String(snapshot.metadata.index)} from ${message.from} ignored: its content was not received`,
        );
        return;
      }
      const refusal = this.#core().step(message);
      if (refusal !== undefined)
        this.#write(LogLevel.Debug, `message of type ${String(message.type)} from ${message.from} refused: ${refusal}`);
    });
  }

  /** The last message to a peer was not delivered. */
  reportUnreachable(id: PeerId): void {
    this.#inbox.add(() => this.#core().reportUnreachable(id));
  }

  /**
   * The connection to a peer broke, as it does when its process ends. If the peer leads, this node soon asks the others whether
   * they lost it too; see {@link LostLeader}.
   */
  reportDisconnected(id: PeerId): void {
    this.#inbox.add(() => {
      const raw = this.#core();
      if (raw.role !== 'follower' || raw.leader !== id) return;
      raw.forgetLeader();
      this.#lostLeader.lost(id, raw.id, raw.confState.voters);
    });
  }

  /** The snapshot for a peer arrived, or did not. */
  reportSnapshot(id: PeerId, ok: boolean): void {
    this.#inbox.add(() => this.#core().reportSnapshot(id, ok));
  }

  /**
   * Proposes an entry on the leader. It will have this index and term, unless leadership is lost before it is committed: it is
   * committed when an entry of this index and term is applied, and void when one of another term is.
   */
  propose(data: Uint8Array): NodeProposeResult {
    const reason = this.#refusal() ?? (this.#proposals.fits(data.length) ? undefined : 'uncommitted-limit');
    const raw = this.#raw;
    if (reason !== undefined || raw === undefined)
      return { ok: false, reason: reason ?? 'stopped', leader: this.leader };
    const index = raw.lastIndex + this.#proposals.count + 1;
    this.#proposals.add(index, data);
    this.#inbox.wake();
    return { ok: true, index, term: raw.term };
  }

  /**
   * Proposes a change of the members. Resolves with the new configuration once it is applied here (a joint one that ends by itself:
   * once it has ended). Rejects with {@link RaftRefusedError}.
   */
  async proposeConfChange(change: ConfChange | ConfChangeV2): Promise<ConfState> {
    const reason = this.#refusal();
    if (reason !== undefined) throw new RaftRefusedError('configuration change', reason, this.leader);
    const result = this.#core().proposeConfChange(change);
    this.#inbox.wake();
    if (!result.ok) throw new RaftRefusedError('configuration change', confChangeRefusal(result.reason), this.leader);
    return this.#confChanges.add(result.index, result.term);
  }

  /**
   * An index at which a read is linearizable: everything committed before this call is applied here when the promise resolves.
   * Works on any member. Rejects with {@link RaftRefusedError} if no leader answers within some election timeouts.
   */
  readIndex(): Promise<number> {
    if (this.#state !== 'running') return Promise.reject(new RaftRefusedError('read', 'stopped'));
    const read = this.#reads.add();
    this.#inbox.wake();
    return read;
  }

  /** Hands leadership to a voter. Resolves when it leads; rejects with {@link RaftRefusedError}. */
  async transferLeadership(to: PeerId): Promise<void> {
    const request = `transfer of leadership to ${to}`;
    if (this.#state !== 'running') throw new RaftRefusedError(request, 'stopped');
    const raw = this.#core();
    if (raw.role !== 'leader')
      throw new RaftRefusedError(request, raw.leader === NO_PEER ? 'no-leader' : 'not-leader', raw.leader);
    if (to === raw.id) return;
    raw.transferLeader(to);
    if (raw.leadTransferee !== to) throw new RaftRefusedError(request, 'transfer-failed', raw.id);
    this.#inbox.wake();
    await this.#transfer.begin(to);
  }

  /** Makes a snapshot soon, whether or not one is due; for example after a change of keys. Does nothing if there is nothing new. */
  requestSnapshot(): void {
    this.#snapshotter.request();
    this.#inbox.wake();
  }

  /** The leader this node knows of, or NO_PEER. */
  get leader(): PeerId {
    return this.#raw?.leader ?? NO_PEER;
  }

  /** Leads and has applied every entry of earlier terms. */
  get isLeader(): boolean {
    return this.#leadership.term !== 0 && this.#state === 'running';
  }

  /** Index of the last entry applied. */
  get appliedIndex(): number {
    return this.#applier.applied.index;
  }

  /** The configuration as of the last entry applied. */
  get confState(): ConfState | undefined {
    return this.#raw?.confState;
  }

  /** Undefined before the node is started. */
  status(): NodeStatus | undefined {
    if (this.#raw === undefined) return undefined;
    const { log } = this.#options;
    return {
      ...this.#raw.status(),
      appliedIndex: this.#applier.applied.index,
      isAnnouncedLeader: this.isLeader,
      firstIndex: log.firstIndex(),
      snapshotIndex: log.snapshot().metadata.index,
      isDiskFull: log.isDiskFull,
      isRestoring: this.#writes.isRestoring,
    };
  }

  /** The state machine, with everything proposed before in its log: the only way to it for anything that may change it. */
  #core(): RawNode {
    const raw = this.#raw;
    if (raw === undefined) throw new Error('the raft node was not started');
    if (this.#proposals.count > 0) {
      const payloads = this.#proposals.take();
      const result = raw.propose(payloads);
      if (!result.ok) throw new Error(`proposals that were accepted have been refused: ${result.reason}`);
    }
    return raw;
  }

  #refusal(): NodeRefusal | undefined {
    const raw = this.#raw;
    if (this.#state !== 'running' || raw === undefined) return 'stopped';
    if (raw.role !== 'leader') return raw.leader === NO_PEER ? 'no-leader' : 'not-leader';
    if (!this.#applier.members.has(raw.id)) return 'removed';
    if (raw.leadTransferee !== NO_PEER) return 'transferring';
    if (this.#leadership.term !== raw.term) return 'leader-not-ready';
    return this.#options.log.isDiskFull ? 'disk-full' : undefined;
  }

  /** Handles everything that arrived. Messages come before ticks: after a pause of the process an election must not start while a heartbeat waits. */
  #turn(waitedMs: number): void {
    this.#core();
    this.#writes.settle();
    for (const input of this.#inbox.takeInputs()) input();
    for (let ticks = this.#inbox.takeTicks(); ticks > 0; ticks--) this.#tick();
    this.#reads.pump();
    this.#work.run(waitedMs);
    this.#observeLeadership();
    this.#outbox.flush();
    const raw = this.#core();
    if (!this.#writes.isRestoring) this.#snapshotter.snapshotIfDue(raw, this.#applier.applied);
    if (raw.hasReady() || (this.#applier.isBehind && !this.#writes.isRestoring)) this.#inbox.wake();
  }

  #tick(): void {
    const raw = this.#core();
    raw.tick();
    if (this.#lostLeader.tick(raw.leader)) raw.campaign();
    this.#reads.tick();
    this.#transfer.tick();
    this.#snapshotter.tick();
    this.#fullDisk.tick(raw, this.#options.log.isDiskFull);
  }

  #observeLeadership(): void {
    const raw = this.#raw;
    if (raw === undefined) return;
    this.#leadership.observe(raw, this.#applier.applied.term);
    this.#transfer.observe({ isLeader: raw.role === 'leader', leader: raw.leader, leadTransferee: raw.leadTransferee });
  }

  #leadershipLost(term: number): void {
    this.#proposals.reset();
    this.#confChanges.rejectAll('leadership-lost');
    this.#options.events.leadership?.(false, term);
  }

  async #restore(metadata: SnapshotMetadata): Promise<void> {
    const { log, stateMachine } = this.#options;
    const content = await log.openSnapshot(metadata);
    try {
      await stateMachine.restore(content);
    } finally {
      await content.close();
    }
  }

  #restored(metadata: SnapshotMetadata): void {
    this.#applier.restored(metadata);
    this.#options.events.restored?.(metadata.index);
  }

  #isStopped(): boolean {
    return this.#state === 'stopped';
  }

  #fail(error: unknown): void {
    if (this.#isStopped()) return;
    this.stop();
    const cause = error instanceof Error ? error : new Error(String(error));
    this.#write(LogLevel.Fatal, `raft node ${this.#options.id} stopped: ${cause.message}`);
    this.#options.events.fatal?.(cause);
  }

  #write(level: LogLevel, text: string): void {
    const { logger } = this.#options;
    if (logger.level <= level) logger.write(level, text);
  }
}

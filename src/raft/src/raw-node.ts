/**
 * One member of a group, without a thread of its own: the caller feeds it messages, ticks and proposals, asks for the work they caused
 * (`ready`), does that work, and says so.
 */
import { EntryType, MessageType, NO_PEER } from './types.ts';
import type { ConfChange, ConfChangeV2, ConfState, HardState, Message, PeerId } from './types.ts';
import { encodeConfChange } from './codec/conf-change-codec.ts';
import { resolveConfig } from './config.ts';
import type { RaftConfig } from './config.ts';
import { entriesBytes } from './entry-size.ts';
import { LogLevel } from './logger.ts';
import { propose } from './machine/proposals.ts';
import { Raft } from './machine/raft.ts';
import { applyConfChange, newMemberProgress, switchConfiguration } from './machine/reconfiguration.ts';
import { becomeFollower } from './machine/roles.ts';
import { step } from './machine/step.ts';
import { tick } from './machine/ticks.ts';
import { asConfChangeV2, isConfChangeV2 } from './membership/conf-change.ts';
import { restoreMembership } from './membership/changer.ts';
import { comesFromOthers, isWellFormed } from './message-check.ts';
import { isLocalMessage, isResponseMessage, isStorageThread, newMessage } from './messages.ts';
import { hexId } from './peer-id.ts';
import type { Ready, Role, SoftState } from './ready.ts';
import type { ProposeResult, StepRefusal } from './refusal.ts';
import type { PeerStatus, Status } from './status.ts';
import { isEmptyHardState } from './storage.ts';
import { addStorageMessages, appendResponse, applyResponse } from './storage-messages.ts';
import type { TrackedPeer } from './tracker/tracker.ts';

export class RawNode {
  /** The state machine itself; tests and tools look inside through a subclass. */
  protected readonly raft: Raft;
  readonly #asyncStorageWrites: boolean;
  #previousSoftState: SoftState;
  #previousHardState: HardState;
  /** Answers to this node itself, due at the next advance (without async storage writes). */
  #stepsOnAdvance: Message[] = [];

  /**
   * Starts from what storage holds. Throws a RangeError if the configuration makes no sense, and an Error if storage contradicts itself
   * (for example a commit index beyond the log).
   */
  constructor(config: RaftConfig) {
    const resolved = resolveConfig(config);
    const raft = new Raft(resolved);
    this.raft = raft;
    this.#asyncStorageWrites = resolved.asyncStorageWrites;
    const { hardState, confState } = resolved.storage.initialState();
    switchConfiguration(raft, restoreMembership(confState, newMemberProgress(raft)));
    if (!isEmptyHardState(hardState)) loadHardState(raft, hardState);
    if (resolved.applied > 0) raft.log.appliedTo(resolved.applied, 0);
    becomeFollower(raft, raft.term, NO_PEER);
    if (raft.logs(LogLevel.Info)) {
      const { log, tracker } = raft;
      raft.write(
        LogLevel.Info,
        `newRaft ${hexId(raft.id)} [peers: [${tracker.voterIds.map(hexId).join(',')}], term: ${raft.term}, ` +
          `commit: ${log.committed}, applied: ${log.applied}, lastindex: ${log.lastIndex()}, lastterm: ${log.lastTerm()}]`,
      );
    }
    this.#previousSoftState = raft.softState;
    this.#previousHardState = raft.hardState;
  }

  get id(): PeerId {
    return this.raft.id;
  }

  get term(): number {
    return this.raft.term;
  }

  get role(): Role {
    return this.raft.role;
  }

  /** The leader this node knows of, or NO_PEER. */
  get leader(): PeerId {
    return this.raft.leader;
  }

  get commitIndex(): number {
    return this.raft.log.committed;
  }

  get appliedIndex(): number {
    return this.raft.log.applied;
  }

  get lastIndex(): number {
    return this.raft.log.lastIndex();
  }

  /** The configuration this node has applied. */
  get confState(): ConfState {
    return this.raft.tracker.config;
  }

  /** The node leadership is being handed to, or NO_PEER. */
  get leadTransferee(): PeerId {
    return this.raft.leadTransferee;
  }

  /**
   * A follower needs a snapshot, and storage has none, or only one from before the follower was a member: make a new one (it will be asked for
   * again with the next heartbeat answers). Otherwise a node that joins would wait for the next snapshot that is made anyway.
   */
  get wantsSnapshot(): boolean {
    return this.raft.wantsSnapshot;
  }

  /**
   * Takes a message from a peer or from the own storage. A refusal means that nothing happened; a transport may log it.
   * Throws on broken invariants, after which this node must stop.
   */
  step(message: Message): StepRefusal | undefined {
    const isFromStorage = isStorageThread(message.from);
    if (!isFromStorage) {
      if (isLocalMessage(message.type)) return 'local-message';
      if (isResponseMessage(message.type) && !this.raft.tracker.progress.has(message.from)) return 'unknown-peer';
    }
    if (message.to !== this.id && message.to !== NO_PEER) return 'wrong-recipient';
    if (!isWellFormed(message)) return 'malformed-message';
    if (message.from === this.id && comesFromOthers(message.type)) return 'malformed-message';
    return step(this.raft, message);
  }

  /** One tick of the logical clock. */
  tick(): void {
    tick(this.raft);
  }

  /** Stands for election now, if this node may. */
  campaign(): void {
    step(this.raft, newMessage({ type: MessageType.MsgHup, from: this.id }));
  }

  /** Proposes entries with these payloads. On the leader they are in its log, at known places, when this returns; not yet committed. */
  propose(payloads: readonly Uint8Array[]): ProposeResult {
    if (payloads.length === 0) throw new RangeError('propose needs at least one payload');
    return propose(
      this.raft,
      payloads.map((data) => ({ type: EntryType.Normal, data })),
    );
  }

  /** Proposes a change of membership; it takes effect when it is applied. One at a time; see {@link ProposeResult} for what is refused. */
  proposeConfChange(change: ConfChange | ConfChangeV2): ProposeResult {
    const type = isConfChangeV2(change) ? EntryType.ConfChangeV2 : EntryType.ConfChange;
    return propose(this.raft, [{ type, data: encodeConfChange(change) }]);
  }

  /**
   * Must be called for every committed configuration change, in order, when it is applied; the result belongs into the next snapshot. To call
   * a change off, pass it with node ids "0". With `index`, the index of its entry, a change that a snapshot has overtaken meanwhile is ignored;
   * without it the caller must see to that. Throws if the change cannot be applied.
   */
  applyConfChange(change: ConfChange | ConfChangeV2, index?: number): ConfState {
    const { log, tracker } = this.raft;
    const covered = Math.max(log.applied, log.unstable.snapshot?.metadata.index ?? 0);
    if (index !== undefined && index <= covered) return tracker.config;
    return applyConfChange(this.raft, asConfChangeV2(change));
  }

  /**
   * Asks for an index to read at; the answer comes as a read state with the same context, or never (leader lost, message lost): ask again
   * after a while. Refused if no leader is known.
   */
  readIndex(context: Uint8Array): 'no-leader' | undefined {
    const { raft } = this;
    if (raft.role === 'candidate' || raft.role === 'pre-candidate') return 'no-leader';
    const hadLeader = raft.leader !== NO_PEER;
    const entries = [{ type: EntryType.Normal, term: 0, index: 0, data: context }];
    step(raft, newMessage({ type: MessageType.MsgReadIndex, entries }));
    return hadLeader ? undefined : 'no-leader';
  }

  /** Asks the leader (this node or another one) to hand leadership to `to`. */
  transferLeader(to: PeerId): void {
    step(this.raft, newMessage({ type: MessageType.MsgTransferLeader, from: to }));
  }

  /** Forgets the leader, so that this node votes even if it heard from it lately; for a leader that is known to be gone. */
  forgetLeader(): void {
    step(this.raft, newMessage({ type: MessageType.MsgForgetLeader }));
  }

  /** The last message to this peer was not delivered. */
  reportUnreachable(id: PeerId): void {
    step(this.raft, newMessage({ type: MessageType.MsgUnreachable, from: id }));
  }

  /** The snapshot sent to this peer arrived, or did not. Must be called for every MsgSnap. */
  reportSnapshot(id: PeerId, ok: boolean): void {
    step(this.raft, newMessage({ type: MessageType.MsgSnapStatus, from: id, reject: !ok }));
  }

  /** Whether there is any work to do. */
  hasReady(): boolean {
    const { raft } = this;
    return (
      raft.messages.length > 0 ||
      raft.messagesAfterAppend.length > 0 ||
      raft.log.unstable.hasNextEntries() ||
      raft.log.unstable.nextSnapshot() !== undefined ||
      raft.log.hasNextCommittedEntries(!this.#asyncStorageWrites) ||
      raft.readStates.length > 0 ||
      this.#hasNewSoftState() ||
      this.#hasNewHardState()
    );
  }

  /**
   * Hands out all work there is; it counts as handed out. Without async storage writes the next call must come after `advance()`.
   */
  ready(): Ready {
    const { raft } = this;
    const { log } = raft;
    const entries = log.unstable.nextEntries();
    const committedEntries = log.nextCommittedEntries(!this.#asyncStorageWrites);
    const snapshot = log.unstable.nextSnapshot();
    const softState = this.#hasNewSoftState() ? raft.softState : undefined;
    const hardState = this.#hasNewHardState() ? raft.hardState : undefined;
    const { term, vote } = this.#previousHardState;
    const ready: Ready = {
      softState,
      hardState,
      readStates: raft.readStates,
      entries,
      snapshot,
      committedEntries,
      messages: raft.messages,
      mustSync: entries.length > 0 || raft.term !== term || raft.vote !== vote,
    };
    if (this.#asyncStorageWrites) addStorageMessages(raft, ready);
    else this.#keepForAdvance(ready);
    this.#accept(ready);
    return ready;
  }

  /** Says that the work of the last ready is done: written, sent, applied. Not used with async storage writes. */
  advance(): void {
    if (this.#asyncStorageWrites) throw new Error('advance is not used with async storage writes');
    const steps = this.#stepsOnAdvance;
    this.#stepsOnAdvance = [];
    for (const message of steps) step(this.raft, message);
  }

  status(): Status {
    const { raft } = this;
    return {
      id: raft.id,
      role: raft.role,
      leader: raft.leader,
      hardState: raft.hardState,
      applied: raft.log.applied,
      lastIndex: raft.log.lastIndex(),
      leadTransferee: raft.leadTransferee,
      config: raft.tracker.config,
      peers: raft.role === 'leader' ? raft.tracker.peers.map(describePeer) : [],
    };
  }

  #hasNewSoftState(): boolean {
    const { leader, role } = this.#previousSoftState;
    return this.raft.leader !== leader || this.raft.role !== role;
  }

  #hasNewHardState(): boolean {
    const { term, vote, commit } = this.#previousHardState;
    return this.raft.term !== term || this.raft.vote !== vote || this.raft.log.committed !== commit;
  }

  /** Without: answers to others go out with this ready, those to itself wait for the advance. */
  #keepForAdvance(ready: Ready): void {
    const { raft } = this;
    if (this.#stepsOnAdvance.length > 0) throw new Error('ready called twice without advance');
    for (const message of raft.messagesAfterAppend) {
      if (message.to === raft.id) this.#stepsOnAdvance.push(message);
      else raft.messages.push(message);
    }
    const response = appendResponse(raft, ready);
    if (response !== undefined) this.#stepsOnAdvance.push(response);
    if (ready.committedEntries.length > 0) this.#stepsOnAdvance.push(applyResponse(raft, ready.committedEntries));
  }

  #accept(ready: Ready): void {
    const { raft } = this;
    if (ready.softState !== undefined) this.#previousSoftState = ready.softState;
    if (ready.hardState !== undefined) this.#previousHardState = ready.hardState;
    if (ready.readStates.length > 0) raft.readStates = [];
    raft.messages = [];
    raft.messagesAfterAppend = [];
    raft.log.unstable.acceptInProgress();
    const last = ready.committedEntries.at(-1);
    if (last !== undefined) {
      raft.log.acceptApplying(last.index, entriesBytes(ready.committedEntries), !this.#asyncStorageWrites);
    }
  }
}

function loadHardState(raft: Raft, state: HardState): void {
  const { log } = raft;
  if (state.commit < log.committed || state.commit > log.lastIndex()) {
    throw new Error(
      `stored commit index ${state.commit} is out of range [${log.committed}, ${log.lastIndex()}]: ` +
        'write the commit index before a snapshot that covers it is published',
    );
  }
  log.committed = state.commit;
  raft.term = state.term;
  raft.vote = state.vote;
}

function describePeer({ id, progress }: TrackedPeer): PeerStatus {
  const { state, match, next, isLearner, recentActive, pendingSnapshot, inflights } = progress;
  const isPaused = progress.isPaused();
  const window = { inflightMessages: inflights.count, inflightBytes: inflights.bytes };
  return { id, state, match, next, isLearner, recentActive, isPaused, pendingSnapshot, ...window };
}

import { decodeConfChange } from '../codec/conf-change-codec.ts';
import type { LogStore } from '../log/log-store.ts';
import { asConfChangeV2 } from '../membership/conf-change.ts';
import type { RawNode } from '../raw-node.ts';
import { ConfChangeType, NO_PEER } from '../types.ts';
import type { ConfChange, ConfChangeV2, ConfState, Entry, Message, PeerId, SnapshotMetadata } from '../types.ts';
import { ApplyQueue } from './apply-queue.ts';
import type { ConfChangeWaiters } from './conf-change-waiters.ts';
import { membersOf } from './options.ts';
import type { RaftNodeEvents } from './options.ts';
import type { ProposalBuffer } from './proposal-buffer.ts';
import type { ReadRequests } from './read-requests.ts';
import type { StateMachine } from './state-machine.ts';

export interface ApplierOptions {
  readonly log: LogStore;
  readonly stateMachine: StateMachine;
  readonly events: RaftNodeEvents;
  readonly proposals: ProposalBuffer;
  readonly reads: ReadRequests;
  readonly confChanges: ConfChangeWaiters;
  /** The state machine of raft, ready to be changed. */
  readonly core: () => RawNode;
  readonly deliver: (responses: readonly Message[]) => void;
  /** Asks for another {@link Applier.pump} soon. */
  readonly wake: () => void;
}

/** Applies committed entries and configuration changes in order and tells whoever waits for them. */
export class Applier {
  readonly #options: ApplierOptions;
  readonly #queue: ApplyQueue;
  #applied: { readonly index: number; readonly term: number } = { index: 0, term: 0 };
  #members: ReadonlySet<PeerId> = new Set();

  constructor(options: ApplierOptions) {
    this.#options = options;
    this.#queue = new ApplyQueue({
      applyEntries: (entries) => this.#applyEntries(entries),
      applyConfChange: (entry) => this.#applyConfChange(entry),
      isCommitDurable: (index, resume) => this.#isCommitDurable(index, resume),
      applied: options.deliver,
    });
  }

  /** The last entry applied. */
  get applied(): { readonly index: number; readonly term: number } {
    return this.#applied;
  }

  /** Everybody in the configuration as of the last entry applied. */
  get members(): ReadonlySet<PeerId> {
    return this.#members;
  }

  add(entries: readonly Entry[], responses: readonly Message[]): void {
    this.#queue.add(entries, responses);
  }

  /** There is more to be applied now. */
  get isBehind(): boolean {
    return this.#queue.isReady;
  }

  /** See {@link ApplyQueue.pump}. */
  pump(maxBytes: number): number {
    return this.#queue.pump(maxBytes);
  }

  /** A snapshot was accepted: see {@link ApplyQueue.discard}. */
  discard(): readonly Message[] {
    return this.#queue.discard();
  }

  /** The state now is that of a snapshot. */
  restored({ index, term, confState }: SnapshotMetadata): void {
    this.#applied = { index, term };
    this.#options.reads.applied(index);
    this.#noteMembers(confState);
  }

  #applyEntries(entries: readonly Entry[]): void {
    const { stateMachine, confChanges } = this.#options;
    stateMachine.apply(entries);
    for (const entry of entries) {
      if (!confChanges.isIdle) confChanges.voided(entry.index);
      this.#appliedEntry(entry);
    }
  }

  #applyConfChange(entry: Entry): void {
    const { core, stateMachine, events, confChanges } = this.#options;
    const change = readChange(entry);
    const confState = core().applyConfChange(change, entry.index);
    stateMachine.apply([entry]);
    this.#appliedEntry(entry);
    events.configuration?.({ index: entry.index, change: asConfChangeV2(change), confState });
    this.#noteMembers(confState);
    confChanges.applied(entry.index, entry.term, confState);
  }

  #appliedEntry({ index, term }: Entry): void {
    this.#applied = { index, term };
    this.#options.proposals.applied(index);
    this.#options.reads.applied(index);
  }

  #isCommitDurable(index: number, resume: () => void): boolean {
    const { log, wake } = this.#options;
    if (log.durableCommit >= index) return true;
    log.append({ sync: true }, () => {
      resume();
      wake();
    });
    return false;
  }

  #noteMembers(confState: ConfState): void {
    const before = this.#members;
    this.#members = membersOf(confState);
    for (const id of before) if (!this.#members.has(id)) this.#options.events.memberRemoved?.(id);
  }
}

/** The change of an entry. One that can not be read changes nothing: every member fails to read it alike. */
function readChange(entry: Entry): ConfChange | ConfChangeV2 {
  const decoded = decodeConfChange(entry.type, entry.data);
  if (decoded.ok) return decoded.value;
  return { id: '0', type: ConfChangeType.AddNode, nodeId: NO_PEER, context: new Uint8Array(0) };
}

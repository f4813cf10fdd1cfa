import type { LogStore } from '../log/log-store.ts';
import type { RawNode } from '../raw-node.ts';
import type { Ready, SoftState } from '../ready.ts';
import { APPEND_THREAD, APPLY_THREAD } from '../types.ts';
import type { Message, PeerId } from '../types.ts';
import type { Applier } from './applier.ts';
import type { Outbox } from './outbox.ts';
import type { ReadRequests } from './read-requests.ts';
import type { WriteQueue } from './write-queue.ts';

/** Rounds of ready work in one turn before other work of the event loop gets its turn. */
const ROUNDS_PER_TURN = 16;
/**
 * Bytes of entries a leader applies in one turn, once it has applied those of earlier terms; see {@link ApplyQueue}. Each entry
 * answers somebody, and may set the leader's own loops to work: with hundreds of clients all answers would go out in one long turn,
 * all new requests come in in the next, and heartbeats wait meanwhile.
 */
const LED_BYTES_PER_TURN = 512 * 1024;

export interface ReadyWorkOptions {
  readonly id: PeerId;
  readonly log: LogStore;
  /** The state machine of raft, ready to be changed. */
  readonly core: () => RawNode;
  readonly applier: Applier;
  readonly writes: WriteQueue;
  readonly outbox: Outbox;
  readonly reads: ReadRequests;
  /** Whether this node leads and takes proposals. */
  readonly isLeading: () => boolean;
  readonly softStateChanged: (state: SoftState) => void;
}

/** Does the work the state machine of raft hands out: writes go to the log, messages to peers, committed entries are applied. */
export class ReadyWork {
  readonly #options: ReadyWorkOptions;

  constructor(options: ReadyWorkOptions) {
    this.#options = options;
  }

  /** Does what there is to do now. What the disk does meanwhile is handled in a later turn, or here if it is worth waiting for. */
  run(): void {
    const max = this.#options.isLeading() ? LED_BYTES_PER_TURN : Number.POSITIVE_INFINITY;
    const applied = this.#rounds(max);
    if (!this.#isWorthWaiting()) return;
    // A follower may share its machine with others of its group, which then write at the same time and need the cores.
    this.#options.log.waitBriefly(isAlone(this.#options.core()));
    this.#options.writes.settle();
    this.#rounds(max - applied);
  }

  /** Hands answers to whom they are for: this node itself or a peer. */
  deliver(responses: readonly Message[]): void {
    const { id, core, outbox } = this.#options;
    for (const response of responses) {
      if (response.to === id) core().step(response);
      else outbox.add(response);
    }
  }

  /** Applies entries until they are worth so many bytes; returns how many it were. */
  #rounds(max: number): number {
    const { core, applier, writes } = this.#options;
    let applied = 0;
    for (let round = 0; round < ROUNDS_PER_TURN; round++) {
      if (!writes.isRestoring) applied += applier.pump(max - applied);
      this.#campaignIfAlone();
      const raw = core();
      if (!raw.hasReady()) break;
      this.#handle(raw.ready());
    }
    this.#options.outbox.flush();
    return applied;
  }

  /**
   * One small write is under way and nobody but the disk is waited for: then the way through the event loop and back would take longer
   * than the write. A leader with followers has better to do: the entries are on their way to them.
   */
  #isWorthWaiting(): boolean {
    const { core, writes } = this.#options;
    if (!writes.isLone) return false;
    const raw = core();
    return raw.role === 'follower' || isAlone(raw);
  }

  #handle(ready: Ready): void {
    const { applier, outbox, reads, softStateChanged } = this.#options;
    for (const message of ready.messages) {
      if (message.to === APPEND_THREAD) this.#append(message);
      else if (message.to === APPLY_THREAD) applier.add(message.entries, message.responses);
      else outbox.add(message);
    }
    // Others get the entries while the own disk is still writing them.
    outbox.flush();
    if (ready.softState !== undefined) softStateChanged(ready.softState);
    if (ready.readStates.length > 0) reads.confirmed(ready.readStates);
  }

  #append(message: Message): void {
    const { snapshot, term, vote, commit, entries } = message;
    const hardState = term === 0 && commit === 0 ? undefined : { term, vote, commit };
    const due = snapshot === undefined ? [] : this.#options.applier.discard();
    this.#options.writes.append({ snapshot, entries, hardState }, [...message.responses, ...due]);
  }

  /** A group of one need not wait for an election timeout. */
  #campaignIfAlone(): void {
    const { core, writes, applier } = this.#options;
    const raw = core();
    if (raw.role !== 'follower' || writes.isRestoring || applier.applied.index < raw.commitIndex) return;
    if (isAlone(raw)) raw.campaign();
  }
}

/** The only voter, in a configuration that is not being changed. */
function isAlone(raw: RawNode): boolean {
  const { voters, votersOutgoing } = raw.confState;
  return voters.length === 1 && voters[0] === raw.id && votersOutgoing.length === 0;
}

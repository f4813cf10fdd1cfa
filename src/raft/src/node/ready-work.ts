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
const LED_BYTES_PER_TURN = 256 * 1024;
/** A leader that wrote so many single entries in a row, each after the one before it was settled, serves one client. */
const LONE_WRITES = 8;
/** How much of the time that all else took a leader may go on applying in its turn: else it would fall behind where turns are long. */
const SHARE = 1 / 3;

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
  /** Time that has passed, in ms. */
  readonly monotonic: () => number;
  readonly softStateChanged: (state: SoftState) => void;
}

/** Does the work the state machine of raft hands out: writes go to the log, messages to peers, committed entries are applied. */
export class ReadyWork {
  readonly #options: ReadyWorkOptions;
  /** Writes of a single entry with nothing else under way, since there was another one. */
  #loneWrites = 0;

  constructor(options: ReadyWorkOptions) {
    this.#options = options;
  }

  /**
   * Does what there is to do now. What the disk does meanwhile is handled in a later turn, or here if it is worth waiting for.
   * @param waitedMs since the turn was asked for
   */
  run(waitedMs: number): void {
    const { applier, writes, monotonic, isLeading } = this.#options;
    const end = monotonic() + waitedMs * SHARE;
    const max = isLeading() ? LED_BYTES_PER_TURN : Number.POSITIVE_INFINITY;
    const applied = this.#rounds(max);
    while (applier.isBehind && !writes.isRestoring && monotonic() < end) this.#rounds(max);
    if (!writes.isLone || !this.#hasNothingBetter()) return;
    this.#options.log.writeNow();
    writes.settle();
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
   * With one small write nobody but the disk is waited for, and waking the log's thread would take as long as the disk. A leader with
   * followers has better to do, since more proposals come in meanwhile, unless it serves a single client: that one waits as well.
   */
  #hasNothingBetter(): boolean {
    const raw = this.#options.core();
    return raw.role === 'follower' || this.#loneWrites >= LONE_WRITES || isAlone(raw);
  }

  #handle(ready: Ready): void {
    const { applier, outbox, reads, softStateChanged } = this.#options;
    const isLocal = ({ to }: Message): boolean => to === APPEND_THREAD || to === APPLY_THREAD;
    for (const message of ready.messages) if (!isLocal(message)) outbox.add(message);
    // Others get the entries before the own disk does.
    outbox.flush();
    for (const message of ready.messages) {
      if (message.to === APPEND_THREAD) this.#append(message);
      else if (message.to === APPLY_THREAD) applier.add(message.entries, message.responses);
    }
    if (ready.softState !== undefined) softStateChanged(ready.softState);
    if (ready.readStates.length > 0) reads.confirmed(ready.readStates);
  }

  #append(message: Message): void {
    const { applier, writes } = this.#options;
    const { snapshot, term, vote, commit, entries } = message;
    const hardState = term === 0 && commit === 0 ? undefined : { term, vote, commit };
    if (entries.length > 0) this.#loneWrites = entries.length === 1 && writes.isEmpty ? this.#loneWrites + 1 : 0;
    const due = snapshot === undefined ? [] : applier.discard();
    const isAwaited = snapshot === undefined && entries.length === 1 && this.#hasNothingBetter();
    writes.append({ snapshot, entries, hardState, isAwaited }, [...message.responses, ...due]);
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

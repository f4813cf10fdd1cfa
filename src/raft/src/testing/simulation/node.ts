/** A node with its disk and application, which can crash at any moment and lose what was not yet written. */
import { APPEND_THREAD, APPLY_THREAD, EntryType, MessageType } from '../../types.ts';
import type { ConfState, Entry, HardState, Message, PeerId, Snapshot } from '../../types.ts';
import { decodeConfChange } from '../../codec/conf-change-codec.ts';
import type { RaftConfig } from '../../config.ts';
import type { Raft } from '../../machine/raft.ts';
import { MemoryStorage } from '../../memory-storage.ts';
import { RawNode } from '../../raw-node.ts';
import type { ReadState } from '../../read-only.ts';
import type { SeededRandom } from '../random.ts';
import type { Ledger } from './ledger.ts';
import { SafetyViolation } from './ledger.ts';

/** Lets the checks look inside. */
export class InspectedNode extends RawNode {
  get inside(): Raft {
    return this.raft;
  }
}

export type NodeOptions = Omit<RaftConfig, 'id' | 'storage' | 'applied'>;

export interface NodeEvents {
  /** A message for the network, its promises already durable. */
  readonly send: (node: SimulatedNode, message: Message) => void;
  readonly read: (node: SimulatedNode, read: ReadState) => void;
}

export class SimulatedNode {
  readonly id: PeerId;
  readonly storage = new MemoryStorage();
  readonly #options: NodeOptions;
  readonly #events: NodeEvents;
  readonly #ledger: Ledger;
  /** Undefined while crashed. */
  core: InspectedNode | undefined;
  /** Writes and applies that were handed out and not done. */
  writes: Message[] = [];
  applies: Message[] = [];
  /** The application: index and hash of everything applied, and the configuration then. */
  applied = 0;
  #state = 0;
  #confState: ConfState | undefined;

  constructor(id: PeerId, options: NodeOptions, events: NodeEvents, ledger: Ledger, start: Snapshot | undefined) {
    this.id = id;
    this.#options = options;
    this.#events = events;
    this.#ledger = ledger;
    if (start !== undefined) this.storage.applySnapshot(start);
    this.start();
  }

  /** Starts from what is on disk; the application restarts from the newest snapshot. */
  start(): void {
    const snapshot = this.storage.snapshot();
    this.#restore(snapshot);
    this.core = new InspectedNode({ ...this.#options, id: this.id, storage: this.storage, applied: this.applied });
  }

  /** Loses everything in memory. Writes on their way may or may not have reached the disk, in order. */
  crash(random: SeededRandom): void {
    const survivors = random.below(this.writes.length + 1);
    for (const message of this.writes.slice(0, survivors)) this.#write(message);
    this.core = undefined;
    this.writes = [];
    this.applies = [];
  }

  /** Takes all work there is. */
  pump(): void {
    const { core } = this;
    if (core === undefined || !core.hasReady()) return;
    const ready = core.ready();
    for (const read of ready.readStates) this.#events.read(this, read);
    if (this.#options.asyncStorageWrites !== true) {
      if (ready.hardState !== undefined) this.#writeHardState(ready.hardState);
      if (ready.snapshot !== undefined) this.#writeSnapshot(ready.snapshot);
      this.storage.append(ready.entries);
      for (const message of ready.messages) this.#events.send(this, message);
      this.#apply(ready.committedEntries);
      core.advance();
      return;
    }
    for (const message of ready.messages) {
      if (message.to === APPEND_THREAD) this.writes.push(message);
      else if (message.to === APPLY_THREAD) this.applies.push(message);
      else this.#events.send(this, message);
    }
  }

  /** Finishes the oldest write, or several at once when they pile up, as a disk would. */
  finishWrites(): void {
    const batch = this.writes.splice(0, 1 + (this.writes.length >> 2));
    for (const message of batch) this.#write(message);
    for (const message of batch) this.#deliver(message.responses);
  }

  /** Finishes the oldest apply. */
  finishApply(): void {
    const message = this.applies.shift();
    if (message === undefined) return;
    this.#apply(message.entries);
    this.#deliver(message.responses);
  }

  /** Snapshots the application and drops entries it covers, keeping some for slow followers. */
  compact(trailing: number): void {
    if (this.#confState === undefined || this.applied <= this.storage.snapshot().metadata.index) return;
    const { hardState } = this.storage.initialState();
    // What a snapshot covers must be known to be committed after a restart.
    if (hardState.commit < this.applied) this.storage.setHardState({ ...hardState, commit: this.applied });
    if (this.applied > this.storage.lastIndex()) return;
    this.storage.createSnapshot(this.applied, this.#confState, encodeState(this.#state));
    const keepFrom = this.applied - trailing;
    if (keepFrom >= this.storage.firstIndex()) this.storage.compact(keepFrom);
  }

  /** Own answers come back at once; those to others go out. */
  #deliver(responses: readonly Message[]): void {
    for (const response of responses) {
      if (response.to === this.id) this.core?.step(response);
      else this.#events.send(this, response);
    }
  }

  #write(message: Message): void {
    if (message.term !== 0) {
      this.#writeHardState({ term: message.term, vote: message.vote, commit: message.commit });
    }
    if (message.snapshot !== undefined) this.#writeSnapshot(message.snapshot);
    this.storage.append(message.entries);
  }

  /** A commit index written with a snapshot must not be lowered by a write that was already on its way. */
  #writeHardState(state: HardState): void {
    const { commit } = this.storage.initialState().hardState;
    this.storage.setHardState({ ...state, commit: Math.max(state.commit, commit) });
  }

  #writeSnapshot(snapshot: Snapshot): void {
    if (this.storage.applySnapshot(snapshot) !== undefined) return;
    if (decodeState(snapshot.data) !== this.#ledger.state(snapshot.metadata.index)) {
      throw new SafetyViolation(`snapshot at ${snapshot.metadata.index} differs from the state applied there`);
    }
    this.#restore(snapshot);
  }

  #restore({ data, metadata }: Snapshot): void {
    this.applied = metadata.index;
    this.#state = decodeState(data);
    this.#confState = metadata.index === 0 ? undefined : metadata.confState;
  }

  #apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      // A snapshot may have overtaken entries that were already handed out.
      if (entry.index <= this.applied) continue;
      if (entry.index !== this.applied + 1) {
        throw new SafetyViolation(`node ${this.id} applies ${entry.index} after ${this.applied}`);
      }
      this.#state = this.#ledger.apply(this.id, this.#state, entry);
      this.applied = entry.index;
      if (entry.type === EntryType.Normal) continue;
      const decoded = decodeConfChange(entry.type, entry.data);
      if (!decoded.ok) throw new SafetyViolation(`entry ${entry.index}: ${decoded.error}`);
      this.#confState = this.core?.applyConfChange(decoded.value, entry.index);
    }
    if (this.#confState === undefined) this.#confState = this.core?.confState;
  }
}

function encodeState(state: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, state);
  return bytes;
}

function decodeState(bytes: Uint8Array): number {
  return bytes.length === 4 ? new DataView(bytes.buffer, bytes.byteOffset, 4).getInt32(0) : 0;
}

/** True for answers that promise something is on disk. */
export function promisesDurability({ type, reject }: Message): boolean {
  return !reject && (type === MessageType.MsgAppResp || type === MessageType.MsgVoteResp);
}

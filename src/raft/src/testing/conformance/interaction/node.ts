/** One node of a script: the state machine, its storage, and an application that remembers everything it applied. */
import { EntryType } from '../../../types.ts';
import type { Entry, HardState, Message, PeerId, Snapshot } from '../../../types.ts';
import { decodeConfChange } from '../../../codec/conf-change-codec.ts';
import type { RaftConfig } from '../../../config.ts';
import type { Raft } from '../../../machine/raft.ts';
import { MemoryStorage } from '../../../memory-storage.ts';
import { RawNode } from '../../../raw-node.ts';
import { EMPTY_SNAPSHOT, isEmptyHardState } from '../../../storage.ts';
import type { InitialState } from '../../../storage.ts';
import { CommandError } from '../command-error.ts';

/** Shows the state machine to the commands that print or change its inside. */
class InspectedNode extends RawNode {
  get inside(): Raft {
    return this.raft;
  }
}

/** A storage whose snapshot is whatever the application applied last. */
class ScriptStorage extends MemoryStorage {
  readonly history: Snapshot[] = [];

  override snapshot(): Snapshot {
    return this.history.at(-1) ?? EMPTY_SNAPSHOT;
  }

  /** The configuration at the newest state, be it applied or restored from a snapshot. */
  override initialState(): InitialState {
    const { hardState, confState } = super.initialState();
    const newest = this.snapshot().metadata;
    return { hardState, confState: newest.index > super.snapshot().metadata.index ? newest.confState : confState };
  }
}

export type NodeOptions = Omit<RaftConfig, 'id' | 'storage' | 'applied'>;

export class ScriptNode {
  readonly id: PeerId;
  readonly storage = new ScriptStorage();
  readonly options: NodeOptions;
  core: InspectedNode;
  appendWork: Message[] = [];
  applyWork: Message[] = [];

  /** `applied` 0 leaves it to the storage. */
  constructor(id: PeerId, options: NodeOptions, snapshot: Snapshot | undefined) {
    this.id = id;
    this.options = options;
    if (snapshot !== undefined) this.#writeSnapshot(snapshot);
    this.storage.history.push(snapshot ?? EMPTY_SNAPSHOT);
    this.core = new InspectedNode({ ...options, id, storage: this.storage, applied: snapshot?.metadata.index ?? 0 });
  }

  /** A new state machine on the same storage; work handed out and not done is lost. */
  restart(): void {
    const { hardState } = this.storage.initialState();
    const covered = this.storage.firstIndex() - 1;
    // The commit index may not have been durable yet when the entries it covers were applied.
    const applied = Math.min(this.storage.snapshot().metadata.index, Math.max(hardState.commit, covered));
    this.appendWork = [];
    this.applyWork = [];
    const config = { ...this.options, id: this.id, storage: this.storage, applied: Math.max(applied, covered) };
    this.core = new InspectedNode(config);
  }

  get inside(): Raft {
    return this.core.inside;
  }

  get usesAsyncWrites(): boolean {
    return this.options.asyncStorageWrites === true;
  }

  /** Writes what a Ready or an append message asks for. */
  append(hardState: HardState, entries: readonly Entry[], snapshot: Snapshot | undefined): void {
    if (!isEmptyHardState(hardState)) this.storage.setHardState(hardState);
    if (snapshot !== undefined) {
      if (entries.length > 0) throw new CommandError("can't apply snapshot and entries at the same time");
      this.#writeSnapshot(snapshot);
    } else {
      this.storage.append(entries);
    }
  }

  /** Applies entries: the state is everything that was ever put in, one after the other. */
  apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const before = this.storage.snapshot();
      let update = entry.data;
      let { confState } = before.metadata;
      if (entry.type !== EntryType.Normal) {
        const decoded = decodeConfChange(entry.type, entry.data);
        if (!decoded.ok) throw new CommandError(decoded.error);
        update = decoded.value.context;
        confState = this.core.applyConfChange(decoded.value);
      }
      const data = new Uint8Array(before.data.length + update.length);
      data.set(before.data);
      data.set(update, before.data.length);
      this.storage.history.push({ data, metadata: { index: entry.index, term: entry.term, confState } });
    }
  }

  #writeSnapshot(snapshot: Snapshot): void {
    if (this.storage.applySnapshot(snapshot) !== undefined) {
      throw new CommandError('requested index is older than the existing snapshot');
    }
  }
}

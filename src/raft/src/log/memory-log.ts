import { createHash } from 'node:crypto';
import { entriesBytes } from '../entry-size.ts';
import { MemoryStorage } from '../memory-storage.ts';
import { EMPTY_HARD_STATE } from '../storage.ts';
import type { InitialState, StorageError } from '../storage.ts';
import type { ConfState, Entry, HardState, Snapshot, SnapshotMetadata } from '../types.ts';
import type { LogBatch, LogStore } from './log-store.ts';
import type { SnapshotContent } from './snapshot-reader.ts';
import { snapshotFileName } from './snapshot-format.ts';

/**
 * A log that forgets everything with the process, for tests and simulations: `defer` decides when a write counts as durable. It keeps
 * the promises of {@link LogStore} otherwise, and can be handed to the next run of a node as if it had been read from disk.
 */
export class MemoryLog implements LogStore {
  readonly #storage = new MemoryStorage();
  readonly #defer: (task: () => void) => void;
  readonly #contents = new Map<string, Uint8Array>();
  #hardState: HardState = EMPTY_HARD_STATE;
  #confState: ConfState | undefined;
  #isEmpty = true;
  #bytes = 0;
  durableCommit = 0;
  isDiskFull = false;

  constructor(defer: (task: () => void) => void = setImmediate) {
    this.#defer = defer;
  }

  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  get bytesSinceSnapshot(): number {
    return this.#bytes;
  }

  get snapshotBytes(): number {
    return this.#contents.get(nameOf(this.snapshot().metadata))?.length ?? 0;
  }

  initialState(): InitialState {
    return { hardState: this.#hardState, confState: this.#confState ?? this.snapshot().metadata.confState };
  }

  entries(lo: number, hi: number, maxBytes: number): readonly Entry[] | StorageError {
    return this.#storage.entries(lo, hi, maxBytes);
  }

  term(index: number): number | StorageError {
    return this.#storage.term(index);
  }

  firstIndex(): number {
    return this.#storage.firstIndex();
  }

  lastIndex(): number {
    return this.#storage.lastIndex();
  }

  snapshot(): Snapshot {
    return this.#storage.snapshot();
  }

  append(batch: LogBatch, done: () => void): void {
    const { snapshot, truncateFrom, entries = [], hardState, confState } = batch;
    this.#isEmpty = false;
    if (snapshot !== undefined) {
      this.#storage.applySnapshot(snapshot);
      this.#raiseCommit(snapshot.metadata.index);
      this.#confState = undefined;
      this.#bytes = 0;
    }
    if (truncateFrom !== undefined) this.#truncate(truncateFrom);
    this.#storage.append(entries);
    this.#bytes += entriesBytes(entries);
    if (hardState !== undefined)
      this.#hardState = { ...hardState, commit: Math.max(hardState.commit, this.#hardState.commit) };
    if (confState !== undefined) this.#confState = confState;
    const { commit } = this.#hardState;
    this.#defer(() => {
      this.durableCommit = Math.max(this.durableCommit, commit);
      done();
    });
  }

  writeNow(): void {
    // Nothing here takes time.
  }

  async createSnapshot(
    metadata: SnapshotMetadata,
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<boolean> {
    const parts: Uint8Array[] = [];
    for await (const part of content) parts.push(part);
    if (metadata.index <= this.snapshot().metadata.index) return false;
    this.#contents.set(nameOf(metadata), Buffer.concat(parts));
    this.#raiseCommit(metadata.index);
    this.#storage.createSnapshot(metadata.index, metadata.confState, new TextEncoder().encode(nameOf(metadata)));
    this.#confState = undefined;
    this.#bytes = 0;
    return true;
  }

  /** Puts the content of a peer's snapshot here, as a transport does before it hands its message to the node. */
  receive(metadata: SnapshotMetadata, content: Uint8Array): void {
    this.#contents.set(nameOf(metadata), content);
  }

  hasSnapshot(metadata: SnapshotMetadata): boolean {
    return this.#contents.has(nameOf(metadata));
  }

  openSnapshot(metadata: SnapshotMetadata): Promise<SnapshotContent> {
    const content = this.#contents.get(nameOf(metadata));
    if (content === undefined) return Promise.reject(new Error(`there is no snapshot ${nameOf(metadata)}`));
    return Promise.resolve({
      metadata,
      contentBytes: content.length,
      digest: createHash('sha256').update(content).digest(),
      async *chunks() {
        yield content;
      },
      close: () => Promise.resolve(),
    });
  }

  compact(index: number): void {
    const until = Math.min(index, this.snapshot().metadata.index);
    if (until >= this.firstIndex()) this.#storage.compact(until);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #raiseCommit(index: number): void {
    this.#hardState = { ...this.#hardState, commit: Math.max(this.#hardState.commit, index) };
    this.durableCommit = Math.max(this.durableCommit, index);
  }

  #truncate(from: number): void {
    const kept = this.#storage.entries(from - 1, from, Infinity);
    if (typeof kept === 'string') throw new Error(`can not drop entries from ${String(from)} on: ${kept}`);
    this.#storage.append(kept);
  }
}

function nameOf(metadata: SnapshotMetadata): string {
  return snapshotFileName(metadata.index, metadata.term);
}

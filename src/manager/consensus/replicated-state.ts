/** The state the group replicates: the store and the list of members, as the raft node applies, restores and snapshots them. */
import type { Entry, SnapshotContent, StateMachine } from 'raft-ts';
import { decodeSnapshot, encodeSnapshot } from '../store/snapshot.ts';
import type { Store } from '../store/store.ts';
import type { MemberList } from './member-list.ts';

const NOTHING = new Uint8Array(0);

export interface ReplicatedStateEvents {
  /** A snapshot replaced everything. */
  restored(): void;
  /** Entries were applied, or a snapshot was. */
  changed(): void;
}

export class ReplicatedState implements StateMachine {
  readonly #store: Store;
  readonly #members: MemberList;
  readonly #events: ReplicatedStateEvents;
  readonly #pause: () => Promise<void>;
  #waiting: { readonly index: number; readonly resolve: () => void }[] = [];

  /** @param pause resolves when the next piece of a snapshot may be encoded, so that other work has its turn in between */
  constructor(store: Store, members: MemberList, events: ReplicatedStateEvents, pause: () => Promise<void>) {
    this.#store = store;
    this.#members = members;
    this.#events = events;
    this.#pause = pause;
  }

  apply(entries: readonly Entry[]): void {
    for (const entry of entries) this.#store.applyEntry(entry.index, entry.type === 0 ? entry.data : NOTHING);
    this.#events.changed();
    this.#wake();
  }

  /** Resolves when the entry of an index is applied. */
  applied(index: number): Promise<void> {
    if (this.#store.version >= index) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push({ index, resolve });
    });
  }

  async restore(content: SnapshotContent): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of content.chunks()) chunks.push(chunk);
    const { state, membership } = decodeSnapshot(Buffer.concat(chunks));
    this.#store.restore(state);
    this.#members.restore(membership);
    this.#events.restored();
    this.#events.changed();
    this.#wake();
  }

  async *snapshot(): AsyncGenerator<Uint8Array> {
    // Taken before the first await, so that the view is of this very moment.
    const pieces = encodeSnapshot(this.#store.capture(), this.#members.toSnapshot());
    for (const piece of pieces) {
      yield piece;
      await this.#pause();
    }
  }

  #wake(): void {
    if (this.#waiting.length === 0) return;
    const { version } = this.#store;
    const due = this.#waiting.filter((waiter) => waiter.index <= version);
    this.#waiting = this.#waiting.filter((waiter) => waiter.index > version);
    for (const { resolve } of due) resolve();
  }
}

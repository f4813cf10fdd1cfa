/**
 * Linearizable reads waiting for proof that this leader still leads (Ongaro's thesis §6.4). Every request gets a number, every heartbeat
 * carries the number of the newest request, and an answer confirms exactly the requests up to the number it echoes. So neither a request
 * repeated with the same context nor a late answer can confirm a newer read.
 */
import type { Message, PeerId } from './types.ts';
import { readUint64, UINT64_BYTES, writeUint64 } from './codec/uint64.ts';
import { NO_BYTES } from './messages.ts';

/** `safe`: a quorum confirms each read. `lease-based`: the leader trusts its lease, which needs check-quorum and bounded clock drift. */
export type ReadOnlyOption = 'safe' | 'lease-based';

/** A read that may now be served from any state applied up to `index`. */
export interface ReadState {
  readonly index: number;
  /** What the request was made with. */
  readonly context: Uint8Array;
}

export interface PendingRead {
  readonly number: number;
  /** Commit index when the request arrived. */
  readonly index: number;
  readonly request: Message;
}

export class ReadOnlyQueue {
  #pending: PendingRead[] = [];
  /** Highest number confirmed by each peer. */
  readonly #confirmed = new Map<PeerId, number>();
  /** Never starts over, so that a number means one request for the whole life of this node. */
  #last = 0;

  get confirmed(): ReadonlyMap<PeerId, number> {
    return this.#confirmed;
  }

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  /** Queues a request; the leader itself confirms it at once. */
  add(index: number, request: Message, leader: PeerId): void {
    this.#last++;
    this.#pending.push({ number: this.#last, index, request });
    this.#confirmed.set(leader, this.#last);
  }

  /** What a heartbeat must carry: 8 bytes, little endian, or nothing if no read waits. */
  heartbeatContext(): Uint8Array {
    if (this.#pending.length === 0) return NO_BYTES;
    const bytes = new Uint8Array(UINT64_BYTES);
    writeUint64(bytes, 0, this.#last);
    return bytes;
  }

  /** Takes the context of a heartbeat answer; false if it confirms nothing. */
  confirm(from: PeerId, context: Uint8Array): boolean {
    if (context.length !== UINT64_BYTES) return false;
    const number = readUint64(context, 0);
    if (number > this.#last || number <= (this.#confirmed.get(from) ?? 0)) return false;
    this.#confirmed.set(from, number);
    return true;
  }

  /** Removes and returns the requests with a number of at most `number`, oldest first. */
  release(number: number): readonly PendingRead[] {
    let count = 0;
    while (count < this.#pending.length && (this.#pending[count] as PendingRead).number <= number) count++;
    return count === 0 ? [] : this.#pending.splice(0, count);
  }

  /** Forgets all requests: this node no longer leads, or leads anew. */
  reset(): void {
    this.#pending = [];
    this.#confirmed.clear();
  }
}

/**
 * What happened on many connections, as one message between two threads. A message costs more than what is in it: all that happens in
 * a turn of an event loop goes in one, as columns of numbers and one block of bytes, which is handed over and not copied.
 */

/**
 * `end`: no more will be written. `gone`: the connection is closed, or is to be closed once what was written is out. `heard`: a large
 * batch has been taken, whatever connections it was of.
 */
export const EventKind = { open: 0, data: 1, end: 2, gone: 3, pause: 4, resume: 5, written: 6, heard: 7 } as const;
export type EventKind = (typeof EventKind)[keyof typeof EventKind];

/** From so many bytes on it is told that a batch of requests was heard: others are soon, and too small to matter. */
export const LARGE_BATCH_BYTES = 64 * 1024;

/** The n-th event is `kinds[n]` of connection `connections[n]`. */
export interface Batch {
  readonly kinds: EventKind[];
  readonly connections: number[];
  /** `data`: bytes taken from `bytes`, in order. `written`: bytes that left. `heard`: bytes of the batch. `open`: 1 if by a unix socket. */
  readonly counts: number[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface BatchEvent {
  readonly kind: EventKind;
  readonly connection: number;
  readonly count: number;
  /** Of `data`, else empty. A part of the batch's block. */
  readonly data: Uint8Array;
}

/** Gathers events until they are taken. */
export class BatchWriter {
  #kinds: EventKind[] = [];
  #connections: number[] = [];
  #counts: number[] = [];
  #pieces: Uint8Array[] = [];
  #length = 0;

  get isEmpty(): boolean {
    return this.#kinds.length === 0;
  }

  add(kind: Exclude<EventKind, typeof EventKind.data>, connection: number, count = 0): void {
    this.#kinds.push(kind);
    this.#connections.push(connection);
    this.#counts.push(count);
  }

  /** @param piece must not change until it is taken */
  addData(connection: number, piece: Uint8Array): void {
    this.#kinds.push(EventKind.data);
    this.#connections.push(connection);
    this.#counts.push(piece.length);
    this.#pieces.push(piece);
    this.#length += piece.length;
  }

  /** All gathered since it was last called. */
  take(): Batch {
    const bytes = new Uint8Array(this.#length);
    let at = 0;
    for (const piece of this.#pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    const batch = { kinds: this.#kinds, connections: this.#connections, counts: this.#counts, bytes };
    this.#kinds = [];
    this.#connections = [];
    this.#counts = [];
    this.#pieces = [];
    this.#length = 0;
    return batch;
  }
}

const NOTHING = new Uint8Array(0);

/** The events of a batch in the order in which they happened. */
export function* eventsOf({ kinds, connections, counts, bytes }: Batch): Generator<BatchEvent, void, undefined> {
  let at = 0;
  for (const [i, kind] of kinds.entries()) {
    const connection = connections[i] ?? 0;
    const count = counts[i] ?? 0;
    if (kind !== EventKind.data) {
      yield { kind, connection, count, data: NOTHING };
      continue;
    }
    yield { kind, connection, count, data: bytes.subarray(at, at + count) };
    at += count;
  }
}

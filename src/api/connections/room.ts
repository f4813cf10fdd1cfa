/** How much may be under way to clients that read slowly. */

/** Bytes a connection may have under way whatever the others have, those it may have while there is room, and the room for all of them. */
const OWN_BYTES = 64 * 1024;
const MOST_BYTES = 8 * 1024 * 1024;
const SHARED_BYTES = 32 * 1024 * 1024;

/** A connection that waits until it may write. */
export interface Waiting {
  /** Goes on if there is room now. */
  goOn(): void;
}

/** The room that all connections share. */
export class Room {
  #taken = 0;
  readonly #waiting = new Set<Waiting>();

  /** Tells how many bytes a connection has under way, before and now. */
  changed(before: number, now: number): void {
    this.#taken += ofShared(now) - ofShared(before);
  }

  /** Whether a connection that has so many bytes under way may write. */
  isFor(bytes: number): boolean {
    return bytes <= OWN_BYTES || (bytes <= MOST_BYTES && this.#taken <= SHARED_BYTES);
  }

  wait(one: Waiting): void {
    this.#waiting.add(one);
  }

  leave(one: Waiting): void {
    this.#waiting.delete(one);
  }

  /** Called when something has left. */
  wake(): void {
    if (this.#taken > SHARED_BYTES) return;
    for (const one of this.#waiting) one.goOn();
  }
}

const ofShared = (bytes: number): number => Math.max(0, bytes - OWN_BYTES);

/** Whether this node has a session with a manager, and since when not: what decides between reporting and acting alone. */
import type { Clock } from '../common/clock.ts';

export class ManagerContact {
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  #lostAtMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lostAtMs = clock.monotonic();
  }

  get isConnected(): boolean {
    return this.#lostAtMs === undefined;
  }

  /** How long there has been no session, in ms; 0 while there is one. */
  get lostForMs(): number {
    return this.#lostAtMs === undefined ? 0 : this.#clock.monotonic() - this.#lostAtMs;
  }

  connected(): void {
    if (this.#lostAtMs === undefined) return;
    this.#lostAtMs = undefined;
    this.#tell();
  }

  lost(): void {
    if (this.#lostAtMs !== undefined) return;
    this.#lostAtMs = this.#clock.monotonic();
    this.#tell();
  }

  /** Calls `listener` whenever contact is made or lost until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

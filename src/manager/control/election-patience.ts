/**
 * How long calls wait for a leader. While an election is under way they do; once the cluster has been without a leader
 * for longer than elections take, they fail at once instead of each waiting in vain.
 */
import { Backoff } from '../../common/backoff.ts';
import { sleep, type Clock } from '../../common/clock.ts';
import type { SwarmError } from '../../common/errors.ts';
import type { Random } from '../../common/random.ts';

const PAUSE = { baseMs: 20, maxMs: 250 };

export class ElectionPatience {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #patienceMs: number;
  /** Since when and until when calls have met no leader, monotonic ms; undefined when the last one met one. */
  #failing: { readonly since: number; readonly last: number } | undefined;

  /** @param patienceMs how long the cluster may be without a leader before calls fail at once */
  constructor(clock: Clock, random: Random, patienceMs: number) {
    this.#clock = clock;
    this.#random = random;
    this.#patienceMs = patienceMs;
  }

  /** Call when a leader answered. */
  succeeded(): void {
    this.#failing = undefined;
  }

  /** One call's share: pauses between its tries, growing a little each time. */
  begin(): { pause(error: SwarmError, signal?: AbortSignal): Promise<void> } {
    const backoff = new Backoff(PAUSE, this.#random);
    let firstFailure: number | undefined;
    return {
      /** Waits before the next try; throws `error` when patience is at its end. */
      pause: async (error, signal) => {
        const now = this.#clock.monotonic();
        firstFailure ??= now;
        const since = Math.min(this.#failed(now), firstFailure);
        if (now - since >= this.#patienceMs) throw error;
        await sleep(this.#clock, backoff.next(), signal);
      },
    };
  }

  /** Notes a failure and returns since when there have been nothing but failures; a long silence starts the count afresh. */
  #failed(now: number): number {
    const isFresh = this.#failing === undefined || now - this.#failing.last > this.#patienceMs;
    const since = isFresh ? now : (this.#failing?.since ?? now);
    this.#failing = { since, last: now };
    return since;
  }
}

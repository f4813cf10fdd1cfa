/**
 * How long calls wait for a leader. While an election is under way they do; once the cluster has been without a leader
 * for longer than elections take, they fail at once instead of each waiting in vain.
 */
import { Backoff } from '../../common/backoff.ts';
import type { Clock } from '../../common/clock.ts';
import type { SwarmError } from '../../common/errors.ts';
import type { Random } from '../../common/random.ts';
import type { Leadership } from './leadership.ts';

const PAUSE = { baseMs: 20, maxMs: 250 };

export interface ElectionPatienceOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly leadership: Pick<Leadership, 'onChange'>;
}

export class ElectionPatience {
  readonly #options: ElectionPatienceOptions;
  readonly #patienceMs: number;
  /** Since when and until when calls have met no leader, monotonic ms; undefined when the last one met one. */
  #failing: { readonly since: number; readonly last: number } | undefined;

  /** @param patienceMs how long the cluster may be without a leader before calls fail at once */
  constructor(options: ElectionPatienceOptions, patienceMs: number) {
    this.#options = options;
    this.#patienceMs = patienceMs;
  }

  /** Call when a leader answered. */
  succeeded(): void {
    this.#failing = undefined;
  }

  /** One call's share: pauses between its tries, growing a little each time. */
  begin(): { pause(error: SwarmError, signal?: AbortSignal): Promise<void> } {
    const { clock, random } = this.#options;
    const backoff = new Backoff(PAUSE, random);
    let firstFailure: number | undefined;
    return {
      /** Waits before the next try, at most until somebody else leads; throws `error` when patience is at its end. */
      pause: async (error, signal) => {
        const now = clock.monotonic();
        firstFailure ??= now;
        const since = Math.min(this.#failed(now), firstFailure);
        if (now - since >= this.#patienceMs) throw error;
        await this.#changeOrTimer(backoff.next(), signal);
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

  #changeOrTimer(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancelTimer();
        stopListening();
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const cancelTimer = this.#options.clock.setTimer(delayMs, done);
      const stopListening = this.#options.leadership.onChange(done);
      signal?.addEventListener('abort', done, { once: true });
      if (signal?.aborted) done();
    });
  }
}

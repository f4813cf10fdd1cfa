/** How a task's runner is woken while it waits, and broken off while it works. */
import type { Clock } from '../common/clock.ts';
import { SwarmError } from '../common/errors.ts';

/** Why a step is broken off. */
const BROKEN_OFF = new SwarmError('cancelled', 'the task is wanted otherwise by now');

export class Attention {
  readonly #clock: Clock;
  #breakOff = new AbortController();
  #resolve: () => void = () => undefined;
  /** Something changed since the runner last looked. */
  #isStale = false;
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Ends the present or next wait. */
  wake(): void {
    this.#isStale = true;
    this.#resolve();
  }

  /** Breaks off the step under way. */
  interrupt(): void {
    this.#breakOff.abort(BROKEN_OFF);
  }

  /** Breaks off for good: no wait and no step gets anywhere from now on. */
  close(): void {
    this.#isClosed = true;
    this.interrupt();
    this.wake();
  }

  /** For the step under way. */
  get signal(): AbortSignal {
    return this.#breakOff.signal;
  }

  /** For a step that was chosen just now, knowing all that is wanted: earlier interruptions do not count. */
  freshSignal(): AbortSignal {
    if (this.#breakOff.signal.aborted && !this.#isClosed) this.#breakOff = new AbortController();
    return this.#breakOff.signal;
  }

  /** Waits for {@link wake}, or `forMs`. */
  async changed(forMs?: number): Promise<void> {
    if (!this.#isStale && !this.#isClosed) {
      await new Promise<void>((resolve) => {
        const cancel = forMs === undefined ? undefined : this.#clock.setTimer(forMs, resolve);
        this.#resolve = () => {
          cancel?.();
          resolve();
        };
      });
    }
    this.#isStale = false;
  }
}

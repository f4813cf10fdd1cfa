/**
 * Time as a dependency. Everything that waits takes a Clock, so tests and simulations move time by hand.
 */

/** Stops a timer; calling it twice or after the timer fired does nothing. */
export type CancelTimer = () => void;

export interface Clock {
  /** Wall-clock time in ms since 1970. */
  now(): number;
  /** Monotonic time in ms from an arbitrary start; use it for durations and deadlines. */
  monotonic(): number;
  /** Runs `action` once after `delayMs`. */
  setTimer(delayMs: number, action: () => void): CancelTimer;
}

/** setTimeout fires at once beyond this, so longer waits are cut into pieces. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (delayMs, action) => {
    let handle: NodeJS.Timeout;
    const arm = (remaining: number): void => {
      const wait = Math.min(remaining, MAX_TIMEOUT_MS);
      handle = setTimeout(() => (remaining > wait ? arm(remaining - wait) : action()), Math.max(0, wait));
    };
    arm(delayMs);
    return () => clearTimeout(handle);
  },
};

/**
 * The same clock, but its wall-clock time never goes back: when the system's is set back, it goes on from where it was, so
 * that delays reckoned from stored times end when they should. Set forward, it follows.
 */
export function forwardClock(clock: Clock): Clock {
  let aheadMs = Number.NEGATIVE_INFINITY;
  return {
    now: () => {
      const monotonic = clock.monotonic();
      aheadMs = Math.max(aheadMs, clock.now() - monotonic);
      return Math.round(monotonic + aheadMs);
    },
    monotonic: () => clock.monotonic(),
    setTimer: (delayMs, action) => clock.setTimer(delayMs, action),
  };
}

/** Waits `delayMs`; rejects with the signal's reason when aborted. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const cancel = clock.setTimer(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason as Error);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

interface FakeTimer {
  readonly at: number;
  readonly sequence: number;
  readonly action: () => void;
}

/** A clock that moves only when told; timers fire in order of time, then of creation. */
export class FakeClock implements Clock {
  #now: number;
  #jumpedMs = 0;
  #sequence = 0;
  readonly #timers = new Set<FakeTimer>();

  constructor(startMs = 1_700_000_000_000) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now + this.#jumpedMs;
  }

  /** Sets the wall clock forward, or back; monotonic time and timers take no notice. */
  jump(ms: number): void {
    this.#jumpedMs += ms;
  }

  monotonic(): number {
    return this.#now;
  }

  setTimer(delayMs: number, action: () => void): CancelTimer {
    const timer = { at: this.#now + Math.max(0, delayMs), sequence: this.#sequence++, action };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Timers waiting. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves time forward, firing what falls due; between timers all pending promise reactions run. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.action();
      await settle();
    }
    this.#now = end;
  }

  #next(end: number): FakeTimer | undefined {
    let first: FakeTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.at > end) continue;
      if (!first || timer.at < first.at || (timer.at === first.at && timer.sequence < first.sequence)) first = timer;
    }
    return first;
  }
}

/** Lets promise reactions that are already due run to a fixed point. */
const settle = async (): Promise<void> => {
  await new Promise<void>((resolve) => setImmediate(resolve));
};

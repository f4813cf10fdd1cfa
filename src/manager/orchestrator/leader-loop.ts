/**
 * The shape the loops of this room share: read and watch in one step, observe every commit, take a turn when something
 * happened or a time has come, try again with back-off when a write fails, start afresh when the watch fell behind.
 */
import { Backoff } from '../../common/backoff.ts';
import { sleep, type Clock } from '../../common/clock.ts';
import { isSwarmError, toSwarmError } from '../../common/errors.ts';
import type { IdSource } from '../../common/ids.ts';
import type { Logger } from '../../common/log.ts';
import type { Random } from '../../common/random.ts';
import type { ObjectKind } from '../store/objects.ts';
import type { Store } from '../store/store.ts';
import type { Reader } from '../store/transaction.ts';
import type { Commit, Watch } from '../store/watch.ts';

/** What every loop of this room is given. */
export interface LoopOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: IdSource;
  readonly log: Logger;
}

/** What a loop does; everything it knows comes from the store. */
export interface LeaderLoop {
  readonly kinds: readonly ObjectKind[];
  /** Forgets everything and marks what needs a look. */
  start(reader: Reader): void;
  /** Notes what changed. */
  observe(commits: readonly Commit[]): void;
  /** Decides and writes; returns when it wants a turn without an event (ms, wall clock). Must be safe to repeat after it threw. */
  turn(nowMs: number): Promise<number | undefined>;
}

const RETRY = { baseMs: 100, maxMs: 5000 };

/** Runs until the signal aborts; ends without an error then. */
export async function runLeaderLoop(loop: LeaderLoop, options: LoopOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const [, watch] = options.store.readAndWatch((reader) => loop.start(reader), { kinds: loop.kinds, signal });
    try {
      await takeTurns(loop, watch, options, signal);
    } catch (error) {
      if (!isSwarmError(error, 'resourceExhausted')) throw error;
      options.log.warn({ err: error }, 'watch fell behind, starting afresh');
    } finally {
      watch.close();
    }
  }
}

async function takeTurns(loop: LeaderLoop, watch: Watch, options: LoopOptions, signal: AbortSignal): Promise<void> {
  const backoff = new Backoff(RETRY, options.random);
  const waiter = new Waiter(watch, options.clock);
  while (!signal.aborted) {
    let wakeAtMs: number | undefined;
    try {
      wakeAtMs = await loop.turn(options.clock.now());
      backoff.reset();
    } catch (error) {
      if (signal.aborted) return;
      options.log.warn({ err: toSwarmError(error) }, 'could not store a decision, trying again');
      await sleep(options.clock, backoff.next(), signal).catch(() => undefined);
      loop.observe(watch.take());
      continue;
    }
    loop.observe(await waiter.next(wakeAtMs));
  }
}

/** Waits for commits or a time, whichever comes first. */
class Waiter {
  readonly #watch: Watch;
  readonly #clock: Clock;
  /** A wait for commits that outlived the time it was raced with. */
  #pending: Promise<readonly Commit[]> | undefined;

  constructor(watch: Watch, clock: Clock) {
    this.#watch = watch;
    this.#clock = clock;
  }

  async next(wakeAtMs: number | undefined): Promise<readonly Commit[]> {
    const commits = (this.#pending ??= this.#watch.next());
    if (wakeAtMs === undefined) {
      this.#pending = undefined;
      return commits;
    }
    let cancel = (): void => {};
    const timer = new Promise<undefined>((resolve) => {
      cancel = this.#clock.setTimer(Math.max(0, wakeAtMs - this.#clock.now()), () => resolve(undefined));
    });
    const first = await Promise.race([commits, timer]).finally(() => cancel());
    if (first !== undefined) this.#pending = undefined;
    return first ?? this.#watch.take();
  }
}

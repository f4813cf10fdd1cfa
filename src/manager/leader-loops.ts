/** Runs the leader's loops for as long as this manager leads; each term starts them afresh, and one that fails is started again. */
import { setMaxListeners } from 'node:events';
import { Backoff } from '../common/backoff.ts';
import { sleep, type Clock } from '../common/clock.ts';
import type { Logger } from '../common/log.ts';
import type { Random } from '../common/random.ts';

export interface LeaderLoop {
  readonly name: string;
  /** Ends when the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export interface LeaderLoopsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** The loops of a new term; each call makes new ones, so that nothing is carried over from an earlier term. */
  readonly create: () => readonly LeaderLoop[];
}

const RESTART = { baseMs: 200, maxMs: 10_000 };

export class LeaderLoops {
  readonly #options: LeaderLoopsOptions;
  #abort: AbortController | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: LeaderLoopsOptions) {
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#abort !== undefined;
  }

  start(): void {
    if (this.#abort) return;
    const abort = new AbortController();
    // Every loop and all it waits for listen to it.
    setMaxListeners(0, abort.signal);
    this.#abort = abort;
    // Loops of the term before must have ended: two of a kind would undo each other's work.
    this.#running = this.#running.then(async () => {
      if (abort.signal.aborted) return;
      await Promise.all(this.#options.create().map((loop) => this.#keepRunning(loop, abort.signal)));
    });
  }

  /** Resolves when all loops have ended. */
  stop(): Promise<void> {
    this.#abort?.abort();
    this.#abort = undefined;
    return this.#running;
  }

  async #keepRunning(loop: LeaderLoop, signal: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#options;
    const backoff = new Backoff(RESTART, random);
    while (!signal.aborted) {
      try {
        await loop.run(signal);
        if (!signal.aborted) log.warn({ loop: loop.name }, 'a leader loop ended early, starting it again');
      } catch (error) {
        if (signal.aborted) return;
        log.error({ loop: loop.name, err: error }, 'a leader loop failed, starting it again');
      }
      await sleep(clock, backoff.next(), signal).catch(() => undefined);
    }
  }
}

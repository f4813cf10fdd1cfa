/**
 * Reads the log at rest now and then and verifies it, so that damage is found while the other managers still have what it
 * hit. One file after the other, seldom, and on each manager at its own time.
 */
import { sleep, type Clock } from '../../common/clock.ts';
import { errorText } from '../../common/errors.ts';
import type { Logger } from '../../common/log.ts';
import type { Random } from '../../common/random.ts';

/** Ms from the start of the manager to the first check, at least; up to twice as long. */
const FIRST_AFTER_MS = 10 * 60_000;
/** Ms between two checks, at least; up to an eighth more, so that managers started together drift apart. */
const EVERY_MS = 24 * 3_600_000;

/** What the last check found. */
export interface LogCheckResult {
  /** When it ended, ms since 1970. */
  readonly checkedAtMs: number;
  readonly tookMs: number;
  /** File, byte and what is wrong there; empty when all is well. */
  readonly damage: string;
}

export interface LogCheckOptions {
  /** Rejects at the first damage. */
  readonly scrub: () => Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export class LogCheck {
  readonly #options: LogCheckOptions;
  readonly #abort = new AbortController();
  #last: LogCheckResult | undefined;

  constructor(options: LogCheckOptions) {
    this.#options = options;
  }

  /** undefined before the first check. */
  get last(): LogCheckResult | undefined {
    return this.#last;
  }

  start(): void {
    void this.#run();
  }

  stop(): void {
    this.#abort.abort();
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#options;
    const { signal } = this.#abort;
    let waitMs = FIRST_AFTER_MS * (1 + random());
    while (!signal.aborted) {
      await sleep(clock, waitMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      await this.#check(signal);
      waitMs = EVERY_MS * (1 + random() / 8);
    }
  }

  async #check(signal: AbortSignal): Promise<void> {
    const { scrub, clock, log } = this.#options;
    const startedMs = clock.monotonic();
    const damage = await scrub().then(() => '', errorText);
    // A log that was closed meanwhile says nothing about its health.
    if (signal.aborted) return;
    const tookMs = Math.round(clock.monotonic() - startedMs);
    this.#last = { checkedAtMs: clock.now(), tookMs, damage };
    if (damage === '') log.info({ tookMs }, 'the raft log at rest was checked: no damage');
    else {
      log.error(
        { damage },
        'the raft log of this manager is damaged: start it again while the others are well, and it takes their copy',
      );
    }
  }
}

/**
 * Keeps the node's certificate fresh: renews at a random point between 50 and 80 % of its life, or at once when asked
 * (role change, root rotation). Failures are retried with back-off, also after expiry.
 */
import { Backoff } from '../common/backoff.ts';
import type { CancelTimer, Clock } from '../common/clock.ts';
import { errorText } from '../common/errors.ts';
import type { Logger } from '../common/log.ts';
import type { Random } from '../common/random.ts';
import { renewCertificate } from './enroll.ts';
import type { NodeIdentity } from './node-identity.ts';

export interface RenewalOptions {
  readonly identity: NodeIdentity;
  /** Addresses of the managers known at the moment. */
  readonly managers: () => readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Share of its life for which a new certificate is left alone, however old it looks to a node whose clock is ahead. */
const REST_SHARE = 0.1;
const RETRY = { baseMs: 1_000, maxMs: 5 * 60_000 };

export class CertificateRenewal {
  readonly #options: RenewalOptions;
  readonly #backoff: Backoff;
  readonly #abort = new AbortController();
  #cancelTimer: CancelTimer | undefined;
  #running: Promise<void> | undefined;
  #again = false;

  constructor(options: RenewalOptions) {
    this.#options = options;
    this.#backoff = new Backoff(RETRY, options.random);
  }

  start(): void {
    this.#schedule(this.#dueInMs());
  }

  stop(): void {
    this.#abort.abort();
    this.#cancelTimer?.();
  }

  /** Renews now; a call during a renewal makes one more follow it. Resolves when an attempt has ended, however it went. */
  renewNow(): Promise<void> {
    if (this.#running) {
      this.#again = true;
      return this.#running;
    }
    this.#cancelTimer?.();
    this.#running = this.#renew().finally(() => {
      this.#running = undefined;
      if (this.#again && !this.#abort.signal.aborted) {
        this.#again = false;
        void this.renewNow();
      }
    });
    return this.#running;
  }

  async #renew(): Promise<void> {
    const { identity, managers, log, clock } = this.#options;
    try {
      const pair = await renewCertificate(managers(), identity.current, { clock, log, signal: this.#abort.signal });
      await identity.replace(pair);
      this.#backoff.reset();
      log.info(
        { role: identity.current.role, notAfter: new Date(identity.current.notAfterMs).toISOString() },
        'certificate renewed',
      );
      const { notBeforeMs, notAfterMs } = identity.current;
      this.#schedule(Math.max(this.#dueInMs(), (notAfterMs - notBeforeMs) * REST_SHARE));
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      const wait = this.#backoff.next();
      log.warn({ error: errorText(error), retryMs: Math.round(wait) }, 'certificate renewal failed');
      this.#schedule(wait);
    }
  }

  #dueInMs(): number {
    const { notBeforeMs, notAfterMs } = this.#options.identity.current;
    const share = 0.5 + 0.3 * this.#options.random();
    return Math.max(0, notBeforeMs + (notAfterMs - notBeforeMs) * share - this.#options.clock.now());
  }

  #schedule(delayMs: number): void {
    this.#cancelTimer?.();
    if (this.#abort.signal.aborted) return;
    this.#cancelTimer = this.#options.clock.setTimer(delayMs, () => void this.renewNow());
  }
}

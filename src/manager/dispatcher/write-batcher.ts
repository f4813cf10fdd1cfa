/**
 * Gathers writes by key and stores them together: the newest per key wins, one batch is on its way at a time, and what
 * gathers meanwhile goes into the next. Nothing accepted is dropped while the term lasts: a batch that could not be
 * stored is tried again, and an item that can never be stored is refused alone.
 */
import { Backoff } from '../../common/backoff.ts';
import { sleep, type Clock } from '../../common/clock.ts';
import { isSwarmError, SwarmError, toSwarmError } from '../../common/errors.ts';
import type { Logger } from '../../common/log.ts';
import type { Random } from '../../common/random.ts';
import { Wake } from '../../common/wake.ts';

export interface WriteBatcherOptions<V> {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Items wait this long for others. */
  readonly gatherMs: number;
  /** With this many waiting, a batch goes at once and {@link WriteBatcher.room} closes. */
  readonly limit: number;
  /** What remains of two values for one key. @default the newer */
  readonly merge?: (older: V, newer: V) => V;
  /** Stores values; must be safe to repeat. */
  readonly write: (values: readonly V[]) => Promise<unknown>;
}

interface Item<V> {
  value: V;
  readonly waiting: Waiter[];
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: SwarmError) => void;
}

const stopped = (): SwarmError =>
  new SwarmError(
    'unavailable',
    'this manager stopped leading the cluster before the state was stored: report it again',
  );

export class WriteBatcher<V> {
  readonly #options: WriteBatcherOptions<V>;
  readonly #backoff: Backoff;
  readonly #wake = new Wake();
  readonly #roomWaiters = new Set<() => void>();
  #pending = new Map<string, Item<V>>();
  #isStopped = false;
  #endGathering: (() => void) | undefined;

  constructor(options: WriteBatcherOptions<V>) {
    this.#options = options;
    this.#backoff = new Backoff({ baseMs: 50, maxMs: 2_000 }, options.random);
  }

  /** Keys waiting to be stored. */
  get size(): number {
    return this.#pending.size;
  }

  get isFull(): boolean {
    return this.#pending.size >= this.#options.limit;
  }

  /** Takes a value without telling when it is stored. */
  put(key: string, value: V): void {
    this.#add(key, value, []);
  }

  /** Takes a value and resolves when it, or a newer one for the key, is stored. */
  stored(key: string, value: V): Promise<void> {
    if (this.#isStopped) return Promise.reject(stopped());
    return new Promise((resolve, reject) => this.#add(key, value, [{ resolve, reject }]));
  }

  /** Resolves when there is room for more, the caller has gone or the batcher stopped. */
  async room(signal: AbortSignal): Promise<void> {
    while (this.isFull && !this.#isStopped && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const go = (): void => {
          this.#roomWaiters.delete(go);
          signal.removeEventListener('abort', go);
          resolve();
        };
        this.#roomWaiters.add(go);
        signal.addEventListener('abort', go);
      });
    }
  }

  /** Stores what comes until the signal aborts; then everything not stored is refused. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = (): void => {
      this.#endGathering?.();
      this.#wake.set();
    };
    signal.addEventListener('abort', stop, { once: true });
    try {
      while (!signal.aborted) {
        if (this.#pending.size === 0) {
          await this.#wake.wait();
          continue;
        }
        await this.#gather();
        if (!signal.aborted) await this.#flush(signal);
      }
    } finally {
      signal.removeEventListener('abort', stop);
      this.#isStopped = true;
      for (const item of this.#take().values()) for (const waiter of item.waiting) waiter.reject(stopped());
    }
  }

  #add(key: string, value: V, waiting: readonly Waiter[]): void {
    if (this.#isStopped) return;
    const item = this.#pending.get(key);
    if (item) {
      item.value = this.#options.merge ? this.#options.merge(item.value, value) : value;
      item.waiting.push(...waiting);
    } else {
      this.#pending.set(key, { value, waiting: [...waiting] });
    }
    this.#wake.set();
    if (this.isFull) this.#endGathering?.();
  }

  async #gather(): Promise<void> {
    if (this.isFull) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.setTimer(this.#options.gatherMs, resolve);
      this.#endGathering = () => {
        cancel();
        resolve();
      };
    });
    this.#endGathering = undefined;
  }

  #take(): Map<string, Item<V>> {
    const taken = this.#pending;
    this.#pending = new Map();
    for (const go of this.#roomWaiters) go();
    return taken;
  }

  async #flush(signal: AbortSignal): Promise<void> {
    const batch = this.#take();
    const failure = await this.#write([...batch.values()]);
    if (!failure) {
      this.#backoff.reset();
      return;
    }
    if (failure.isRetryable) {
      this.#putBack(batch);
      if (!signal.aborted) await sleep(this.#options.clock, this.#backoff.next(), signal).catch(() => undefined);
      return;
    }
    // Something in the batch can never be stored: only that is refused.
    for (const [key, item] of batch) {
      const refusal = await this.#write([item]);
      if (!refusal) continue;
      if (refusal.isRetryable) {
        this.#putBack(new Map([[key, item]]));
        continue;
      }
      this.#options.log.error({ err: refusal, key }, 'reported state cannot be stored and is dropped');
      for (const waiter of item.waiting) waiter.reject(refusal);
    }
  }

  /** Stores items and tells who waits; returns what went wrong. */
  async #write(items: readonly Item<V>[]): Promise<SwarmError | undefined> {
    try {
      await this.#options.write(items.map((item) => item.value));
    } catch (error) {
      const failure = toSwarmError(error);
      if (!isSwarmError(error)) this.#options.log.error({ err: error }, 'storing reported state failed');
      return failure;
    }
    for (const item of items) for (const waiter of item.waiting) waiter.resolve();
    return undefined;
  }

  #putBack(batch: ReadonlyMap<string, Item<V>>): void {
    const newer = this.#pending;
    this.#pending = new Map();
    for (const [key, item] of [...batch, ...newer]) this.#add(key, item.value, item.waiting);
  }
}

import type { ReadState } from '../read-only.ts';
import type { NodeRefusal } from './refusal.ts';
import { RaftRefusedError } from './refusal.ts';

interface Waiter {
  /** Tick at which it is given up. */
  readonly deadline: number;
  readonly resolve: (index: number) => void;
  readonly reject: (error: Error) => void;
}

interface Round {
  readonly context: Uint8Array;
  readonly askedAt: number;
  readonly waiters: Waiter[];
}

/**
 * Linearizable reads. All that wait share one round of heartbeats; those that come while a round is on its way share the next one,
 * since an index asked for before a read began proves nothing for it.
 */
export class ReadRequests {
  readonly #ask: (context: Uint8Array) => boolean;
  readonly #retryTicks: number;
  readonly #timeoutTicks: number;
  /** Makes contexts of this run of the node different from those of earlier runs. */
  readonly #salt: Uint8Array;
  #counter = 0;
  #now = 0;
  #waiting: Waiter[] = [];
  #round: Round | undefined;
  /** Confirmed, waiting for the state machine to catch up. */
  #confirmed: { readonly index: number; readonly waiters: readonly Waiter[] }[] = [];
  #applied = 0;

  constructor(options: {
    /** Passes a request on; false if no leader is known. */
    readonly ask: (context: Uint8Array) => boolean;
    readonly random: () => number;
    /** Ticks after which an unanswered round is asked again. */
    readonly retryTicks: number;
    /** Ticks after which a read is refused. */
    readonly timeoutTicks: number;
  }) {
    this.#ask = options.ask;
    this.#retryTicks = options.retryTicks;
    this.#timeoutTicks = options.timeoutTicks;
    this.#salt = Uint8Array.from({ length: 8 }, () => Math.floor(options.random() * 256));
  }

  /** Resolves with an index at which a read is linearizable, once the state machine has applied it. */
  add(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ deadline: this.#now + this.#timeoutTicks, resolve, reject });
    });
  }

  /** Begins a round if reads wait and none is on its way. */
  pump(): void {
    if (this.#round !== undefined || this.#waiting.length === 0) return;
    const context = this.#newContext();
    if (!this.#ask(context)) return;
    this.#round = { context, askedAt: this.#now, waiters: this.#waiting };
    this.#waiting = [];
  }

  /** One tick: gives up reads that waited too long, asks again where an answer may have been lost. */
  tick(): void {
    this.#now++;
    const round = this.#round;
    if (round !== undefined && this.#now - round.askedAt >= this.#retryTicks) {
      this.#round = undefined;
      this.#waiting = [...round.waiters, ...this.#waiting];
    }
    const late = this.#waiting.filter((waiter) => waiter.deadline <= this.#now);
    if (late.length === 0) return;
    this.#waiting = this.#waiting.filter((waiter) => waiter.deadline > this.#now);
    for (const waiter of late) waiter.reject(new RaftRefusedError('read', 'no-leader'));
  }

  confirmed(states: readonly ReadState[]): void {
    for (const { index, context } of states) {
      const round = this.#round;
      if (round === undefined || Buffer.compare(round.context, context) !== 0) continue;
      this.#round = undefined;
      this.#confirmed.push({ index, waiters: round.waiters });
    }
    this.applied(this.#applied);
  }

  /** The state machine has applied everything up to `index`. */
  applied(index: number): void {
    this.#applied = Math.max(this.#applied, index);
    const ready = this.#confirmed.filter((read) => read.index <= this.#applied);
    if (ready.length === 0) return;
    this.#confirmed = this.#confirmed.filter((read) => read.index > this.#applied);
    for (const { index: at, waiters } of ready) for (const waiter of waiters) waiter.resolve(at);
  }

  rejectAll(reason: NodeRefusal): void {
    const waiters = [
      ...this.#waiting,
      ...(this.#round?.waiters ?? []),
      ...this.#confirmed.flatMap((read) => read.waiters),
    ];
    this.#waiting = [];
    this.#round = undefined;
    this.#confirmed = [];
    for (const waiter of waiters) waiter.reject(new RaftRefusedError('read', reason));
  }

  #newContext(): Uint8Array {
    const context = new Uint8Array(16);
    context.set(this.#salt);
    const view = new DataView(context.buffer);
    this.#counter++;
    view.setUint32(8, Math.floor(this.#counter / 2 ** 32));
    view.setUint32(12, this.#counter % 2 ** 32);
    return context;
  }
}

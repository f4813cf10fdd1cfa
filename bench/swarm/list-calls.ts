/** A client that lists things all the time, as a dashboard would, and watches whether workers lose their sessions. */
import { percentile } from '../support/statistics.ts';
import { pause } from '../support/waiting.ts';
import type { Arena } from './arena.ts';

const BETWEEN_MS = 100;

export interface ListFindings {
  /** Seconds within which this share (0 to 1) of the calls was answered. */
  readonly latencies: (share: number) => number;
  /** Most workers without a session at a time. */
  readonly lost: number;
}

export class ListCalls {
  readonly #arena: Arena;
  readonly #seconds: number[] = [];
  readonly #working: Promise<void>;
  readonly #sessions: number;
  #lost = 0;
  #isStopped = false;

  constructor(arena: Arena) {
    this.#arena = arena;
    this.#sessions = arena.counts.connected;
    this.#working = this.#work();
  }

  async stop(): Promise<ListFindings> {
    this.#isStopped = true;
    await this.#working;
    return { latencies: (share) => percentile(this.#seconds, share), lost: this.#lost };
  }

  async #work(): Promise<void> {
    while (!this.#isStopped) {
      const services =
        await this.#ask<readonly { readonly Spec: { readonly Name: string } }[]>('/services?status=true');
      await this.#ask('/nodes');
      const [first] = services;
      if (first) {
        const filters = encodeURIComponent(JSON.stringify({ service: [first.Spec.Name] }));
        await this.#ask(`/tasks?filters=${filters}`);
      }
      this.#lost = Math.max(this.#lost, this.#sessions - this.#arena.counts.connected);
    }
  }

  async #ask<T>(path: string): Promise<T> {
    const from = performance.now();
    const answer = await this.#arena.ask<T>('GET', path);
    this.#seconds.push((performance.now() - from) / 1000);
    await pause(BETWEEN_MS);
    return answer;
  }
}

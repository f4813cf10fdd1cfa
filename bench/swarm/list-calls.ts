/** A client that lists things all the time, as a dashboard would, and watches whether workers lose their sessions. */
import { getText } from '../support/http-load.ts';
import { percentile } from '../support/statistics.ts';
import { pause } from '../support/waiting.ts';
import type { Arena } from './arena.ts';

const BETWEEN_MS = 100;

export const LISTS = ['GET /services?status=true', 'GET /nodes', 'GET /tasks of a service'] as const;
export type List = (typeof LISTS)[number];

export interface ListFindings {
  /** Seconds within which this share (0 to 1) of the calls of a list was answered. */
  readonly latencies: (list: List, share: number) => number;
  /** Most workers without a session at a time. */
  readonly lost: number;
}

export class ListCalls {
  readonly #arena: Arena;
  readonly #seconds = new Map<List, number[]>(LISTS.map((list) => [list, []]));
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
    return { latencies: (list, share) => percentile(this.#seconds.get(list) ?? [], share), lost: this.#lost };
  }

  async #work(): Promise<void> {
    const [services, nodes, tasks] = LISTS;
    while (!this.#isStopped) {
      const answer = await this.#ask(services, '/services?status=true');
      await this.#ask(nodes, '/nodes');
      const [first] = JSON.parse(answer) as readonly { readonly Spec: { readonly Name: string } }[];
      if (first) {
        const filters = encodeURIComponent(JSON.stringify({ service: [first.Spec.Name] }));
        await this.#ask(tasks, `/tasks?filters=${filters}`);
      }
      this.#lost = Math.max(this.#lost, this.#sessions - this.#arena.counts.connected);
    }
  }

  /** The answer as it came: reading what is in it would take processor time from the manager. */
  async #ask(list: List, path: string): Promise<string> {
    const from = performance.now();
    const answer = await getText(this.#arena.contender.socket, path);
    this.#seconds.get(list)?.push((performance.now() - from) / 1000);
    await pause(BETWEEN_MS);
    return answer;
  }
}

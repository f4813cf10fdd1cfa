/**
 * What tasks use of their nodes, in the leader's memory only. Agents report while somebody looks, which the leader's session
 * messages tell them; agents of Docker Engines never do. Nothing of it is stored, so it costs no write and a new leader
 * begins with nothing.
 */
import { sleep, type Clock } from '../../common/clock.ts';
import { SwarmError } from '../../common/errors.ts';
import { unary } from '../../common/rpc-client.ts';
import type { ServiceMethods } from '../../common/rpc.ts';
import { TaskState } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { TaskUsage, UsageClient, UsageService } from '../../proto/generated/docker/swarmkit/v1/usage.ts';
import type { Store } from '../store/store.ts';

/** Between two reports of an agent. */
const INTERVAL_MS = 1_000;
/** Agents go on reporting this long after the last look. */
const INTEREST_MS = 10_000;
/** A report that is older says nothing about now. */
const FRESH_MS = 4_000;
/** The first look waits this long for agents that do not report, as those of Docker Engines. */
const PATIENCE_MS = 2_500;
const POLL_MS = 50;
const RPC_TIMEOUT_MS = 10_000;

export interface UsageBookOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** Undefined while this manager leads. Throws unavailable while nobody does. */
  readonly leader: () => UsageClient | undefined;
}

interface NodeUsage {
  readonly atMs: number;
  readonly tasks: readonly TaskUsage[];
}

export class UsageBook {
  readonly #options: UsageBookOptions;
  readonly #reports = new Map<string, NodeUsage>();
  readonly #listeners = new Set<() => void>();
  /** Since when somebody looks, on the monotonic clock; undefined when nobody does. */
  #lookedAtSinceMs: number | undefined;
  #lastLookMs = 0;

  constructor(options: UsageBookOptions) {
    this.#options = options;
  }

  /** How often agents are to report, in ms; undefined while nobody looks. */
  get intervalMs(): number | undefined {
    return this.#lookedAtSinceMs === undefined ? undefined : INTERVAL_MS;
  }

  /** Calls `listener` when {@link intervalMs} changed; returns how to stop. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The newest figures of all tasks that have some, asking the leader. Throws unavailable while there is none. */
  async read(signal?: AbortSignal): Promise<readonly TaskUsage[]> {
    const leader = this.#options.leader();
    if (!leader) return this.#readOwn(signal);
    const options = { timeoutMs: RPC_TIMEOUT_MS, signal };
    const { tasks } = await unary(leader.readUsage.bind(leader), {}, options);
    return tasks;
  }

  get methods(): ServiceMethods<typeof UsageService> {
    return {
      reportUsage: {
        access: 'member',
        handle: ({ tasks }, { caller }) => {
          this.#take(caller.nodeId, tasks);
          return {};
        },
      },
      readUsage: {
        access: 'manager',
        handle: async (_request, { signal }) => {
          if (this.#options.leader()) {
            throw new SwarmError('unavailable', 'this manager does not lead any more: ask the new leader');
          }
          return { tasks: await this.#readOwn(signal) };
        },
      },
    };
  }

  async #readOwn(signal: AbortSignal | undefined): Promise<readonly TaskUsage[]> {
    const { clock } = this.#options;
    const since = this.#look();
    while (!this.#isComplete() && clock.monotonic() - since < PATIENCE_MS) await sleep(clock, POLL_MS, signal);
    return this.#freshReports().flatMap(([, { tasks }]) => tasks);
  }

  /** Says since when somebody looks. */
  #look(): number {
    this.#lastLookMs = this.#options.clock.monotonic();
    if (this.#lookedAtSinceMs === undefined) {
      this.#lookedAtSinceMs = this.#lastLookMs;
      this.#watchInterest();
      this.#tell();
    }
    return this.#lookedAtSinceMs;
  }

  #watchInterest(): void {
    const { clock } = this.#options;
    const leftMs = this.#lastLookMs + INTEREST_MS - clock.monotonic();
    if (leftMs > 0) return void clock.setTimer(leftMs, () => this.#watchInterest());
    this.#lookedAtSinceMs = undefined;
    this.#reports.clear();
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  /** A node speaks of its own tasks only, and only when asked. */
  #take(nodeId: string, tasks: readonly TaskUsage[]): void {
    if (this.#lookedAtSinceMs === undefined) return;
    const own = tasks.filter(({ taskId }) => this.#options.store.read.task.get(taskId)?.nodeId === nodeId);
    this.#reports.set(nodeId, { atMs: this.#options.clock.monotonic(), tasks: own });
  }

  #freshReports(): readonly (readonly [string, NodeUsage])[] {
    const oldest = this.#options.clock.monotonic() - FRESH_MS;
    return [...this.#reports].filter(([, { atMs }]) => atMs >= oldest);
  }

  /** Whether there are figures of all running tasks. */
  #isComplete(): boolean {
    const known = new Set(this.#freshReports().flatMap(([, { tasks }]) => tasks.map(({ taskId }) => taskId)));
    return this.#options.store.read.task
      .all()
      .every(({ id, status }) => status?.state !== TaskState.RUNNING || known.has(id));
  }
}

/** All events of the cluster as long as this node is a manager, with the latest kept for those who ask what happened before. */
import type { Clock } from '../../common/clock.ts';
import { errorText } from '../../common/errors.ts';
import type { Logger } from '../../common/log.ts';
import type { Swarm, SwarmPort } from '../ports.ts';
import { eventOf, type ClusterEvent } from './event.ts';

/** Events kept for `since`. */
const KEPT_EVENTS = 256;

export interface EventBusOptions {
  readonly swarm: SwarmPort;
  readonly clock: Clock;
  readonly log: Logger;
}

export class EventBus {
  readonly #options: EventBusOptions;
  readonly #listeners = new Set<(event: ClusterEvent) => void>();
  #kept: ClusterEvent[] = [];
  #watched: Swarm | undefined;
  #stopWatch: AbortController | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(options: EventBusOptions) {
    this.#options = options;
  }

  start(): void {
    this.#unsubscribe = this.#options.swarm.subscribe(() => this.#follow());
    this.#follow();
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#stopWatch?.abort();
    this.#listeners.clear();
  }

  /** Events still known, oldest first. */
  get kept(): readonly ClusterEvent[] {
    return this.#kept;
  }

  /** How many listen now. */
  get listenerCount(): number {
    return this.#listeners.size;
  }

  /** Calls `listener` for each event from now on, until the returned function is called. */
  subscribe(listener: (event: ClusterEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #follow(): void {
    const swarm = this.#options.swarm.current();
    if (swarm === this.#watched) return;
    this.#stopWatch?.abort();
    this.#watched = swarm;
    if (!swarm) return;
    const stop = new AbortController();
    this.#stopWatch = stop;
    void this.#watch(swarm, stop.signal);
  }

  async #watch(swarm: Swarm, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const watch = swarm.store.watch({ kinds: ['service', 'node', 'secret', 'config', 'network'], signal });
        for await (const commits of watch) {
          for (const { changes } of commits) {
            for (const change of changes) {
              const event = eventOf(change, this.#options.clock.now());
              if (event) this.#publish(event);
            }
          }
        }
      } catch (error) {
        this.#options.log.warn({ err: errorText(error) }, 'some events were lost: the watch fell behind');
      }
    }
  }

  #publish(event: ClusterEvent): void {
    this.#kept.push(event);
    if (this.#kept.length > 2 * KEPT_EVENTS) this.#kept = this.#kept.slice(-KEPT_EVENTS);
    for (const listener of this.#listeners) listener(event);
  }
}

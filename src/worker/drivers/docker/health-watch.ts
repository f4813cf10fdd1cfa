/** What the engine's health check says of a container, told by its events; a look now and then makes up for events that were missed. */
import type Dockerode from 'dockerode';
import { engineError } from './engine-error.ts';
import { healthEvents } from './engine-stream.ts';

export type Health = 'healthy' | 'unhealthy' | 'ended';

/** Events are prompt; this is only for those lost while the engine was away. */
const LOOK_AGAIN_MS = 2_000;

export class HealthWatch {
  readonly #engine: Dockerode;
  readonly #container: Dockerode.Container;
  readonly #signal: AbortSignal;

  constructor(engine: Dockerode, container: Dockerode.Container, signal: AbortSignal) {
    this.#engine = engine;
    this.#container = container;
    this.#signal = signal;
  }

  /** Resolves when the container is healthy, unhealthy or gone. Throws unavailable when the engine is not there. */
  settled(): Promise<Health> {
    return this.#until((health) => (health === 'starting' ? undefined : health));
  }

  /** Resolves true when the container turns unhealthy, false when it ends. */
  async unhealthy(): Promise<boolean> {
    return (
      (await this.#until((health) => (health === 'unhealthy' || health === 'ended' ? health : undefined))) ===
      'unhealthy'
    );
  }

  async #until(pick: (health: Health | 'starting') => Health | undefined): Promise<Health> {
    try {
      return await this.#watch(pick);
    } catch (error) {
      this.#signal.throwIfAborted();
      throw engineError(error);
    }
  }

  async #watch(pick: (health: Health | 'starting') => Health | undefined): Promise<Health> {
    const { Id } = await this.#container.inspect();
    const events = await healthEvents(this.#engine, Id, this.#signal);
    let wake: () => void = () => undefined;
    events.on('data', () => wake());
    events.on('error', () => wake());
    try {
      for (;;) {
        const changed = new Promise<void>((resolve) => {
          wake = resolve;
        });
        const picked = pick(await this.#look());
        if (picked) return picked;
        this.#signal.throwIfAborted();
        const timer = setTimeout(() => wake(), LOOK_AGAIN_MS);
        await changed;
        clearTimeout(timer);
      }
    } finally {
      events.destroy();
    }
  }

  async #look(): Promise<Health | 'starting'> {
    const { State } = await this.#container.inspect();
    if (!State.Running) return 'ended';
    const status = State.Health?.Status;
    return status === 'healthy' || status === 'unhealthy'
      ? status
      : status === undefined || status === 'none'
        ? 'healthy'
        : 'starting';
  }
}

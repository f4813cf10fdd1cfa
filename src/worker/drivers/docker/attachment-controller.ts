/**
 * A container that somebody started by hand in a network of the swarm. Nothing is run for it: the network is made on this
 * engine and its name is told, until the container ends.
 */
import type Dockerode from 'dockerode';
import { setTimeout } from 'node:timers/promises';
import type { Task } from '../../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { ExitStatus, LogLine, ResourceUse, RuntimeStatus, TaskController } from '../driver.ts';
import { engineError, hasStatus } from './engine-error.ts';
import type { EngineNetworks } from './engine-networks.ts';

export interface AttachmentControllerOptions {
  readonly engine: Dockerode;
  readonly task: Task;
  readonly containerId: string;
  readonly networks: EngineNetworks;
}

/** How long a container may take to start again before its place is given up. */
const RESTART_GRACE_MS = 1_000;

const DETACHED: ExitStatus = { exitCode: 0, reason: '' };

export class AttachmentController implements TaskController {
  readonly #options: AttachmentControllerOptions;
  readonly #letGo = new AbortController();

  constructor(options: AttachmentControllerOptions) {
    this.#options = options;
  }

  prepare(): Promise<void> {
    return this.#options.networks.join(this.#options.task);
  }

  start(): Promise<void> {
    return this.prepare();
  }

  restart(): Promise<void> {
    return this.prepare();
  }

  async wait(signal: AbortSignal): Promise<ExitStatus> {
    const { networks, task } = this.#options;
    await networks.join(task);
    networks.announce(task, true);
    try {
      await this.#untilEnded(AbortSignal.any([signal, this.#letGo.signal]));
    } finally {
      networks.announce(task, false);
    }
    await networks.leave(task);
    return DETACHED;
  }

  /** The container is not ours to stop. */
  async stop(): Promise<void> {
    await this.#options.networks.leave(this.#options.task);
  }

  async remove(): Promise<void> {
    await this.#options.networks.leave(this.#options.task);
  }

  status(): Promise<RuntimeStatus> {
    return Promise.resolve({ containerId: this.#options.containerId, pid: 0, ports: [] });
  }

  async *logs(): AsyncGenerator<LogLine> {
    // What the container prints is not the swarm's.
  }

  stats(): Promise<ResourceUse | undefined> {
    return Promise.resolve(undefined);
  }

  detach(): void {
    this.#letGo.abort();
  }

  /** A container that is started again, by hand or by its restart policy, keeps its place. */
  async #untilEnded(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#untilNextEnd(signal);
      await setTimeout(RESTART_GRACE_MS, undefined, { signal });
      if (!(await this.#runsAgain())) return;
    }
  }

  async #runsAgain(): Promise<boolean> {
    try {
      const { State } = await this.#options.engine.getContainer(this.#options.containerId).inspect();
      return State.Running || State.Restarting;
    } catch (error) {
      if (hasStatus(error, 404)) return false;
      throw engineError(error);
    }
  }

  /** It may still have to be started: what counts is its next end, unless it has ended already. */
  async #untilNextEnd(signal: AbortSignal): Promise<void> {
    const container = this.#options.engine.getContainer(this.#options.containerId);
    const looked = new AbortController();
    const ended = container.wait({ condition: 'next-exit', abortSignal: AbortSignal.any([signal, looked.signal]) });
    ended.catch(() => undefined);
    try {
      const { State } = await container.inspect();
      if (State.Status === 'exited' || State.Status === 'dead') return;
      await ended;
    } catch (error) {
      signal.throwIfAborted();
      if (!hasStatus(error, 404)) throw engineError(error);
    } finally {
      looked.abort();
    }
  }
}

/**
 * A runtime without anything inside: every task starts at once and runs until it is stopped. For thousands of pretend
 * nodes that speak the real protocol; a task costs a few hundred bytes.
 */
import type { NodeDescription } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { describeHost } from '../host-description.ts';
import type { ExitStatus, LeftoverTask, LogLine, RuntimeDriver, RuntimeStatus, TaskController } from './driver.ts';

export interface HollowDriverOptions {
  readonly hostname: string;
  readonly engineVersion: string;
  /** What the pretend node offers. @default 8 CPUs, 16 GiB */
  readonly nanoCpus?: number;
  readonly memoryBytes?: number;
}

export class HollowDriver implements RuntimeDriver {
  readonly name = 'hollow';
  readonly #description: NodeDescription;
  readonly #tasks = new Map<string, HollowTask>();

  constructor(options: HollowDriverOptions) {
    const { hostname, engineVersion, nanoCpus = 8e9, memoryBytes = 16 * 1024 ** 3 } = options;
    const host = describeHost({ hostname, engineVersion, labels: {}, plugins: PLUGINS });
    this.#description = { ...host, resources: { nanoCpus, memoryBytes, generic: [] } };
  }

  describe(): Promise<NodeDescription> {
    return Promise.resolve(this.#description);
  }

  controller(task: Task): TaskController {
    let held = this.#tasks.get(task.id);
    if (!held) {
      held = new HollowTask(task.id, () => this.#tasks.delete(task.id));
      this.#tasks.set(task.id, held);
    }
    return held;
  }

  leftovers(): Promise<readonly LeftoverTask[]> {
    return Promise.resolve(
      [...this.#tasks]
        .filter(([, task]) => task.exists)
        .map(([taskId, task]) => ({ taskId, isRunning: task.isRunning })),
    );
  }

  removeLeftover(taskId: string): Promise<void> {
    this.#tasks.delete(taskId);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** What a Docker node has, so that any service can be placed on a pretend one. */
const PLUGINS = [
  { type: 'Runtime', name: 'hollow' },
  { type: 'Runtime', name: 'process' },
  { type: 'Runtime', name: 'docker' },
  { type: 'Log', name: 'json-file' },
  { type: 'Network', name: 'bridge' },
  { type: 'Network', name: 'host' },
  { type: 'Network', name: 'overlay' },
  { type: 'Volume', name: 'local' },
];

class HollowTask implements TaskController {
  readonly #id: string;
  readonly #onRemove: () => void;
  #state: 'new' | 'prepared' | 'running' | 'ended' = 'new';
  #onEnd: ((exit: ExitStatus) => void) | undefined;

  constructor(id: string, onRemove: () => void) {
    this.#id = id;
    this.#onRemove = onRemove;
  }

  get exists(): boolean {
    return this.#state !== 'new';
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  prepare(): Promise<void> {
    if (this.#state === 'new') this.#state = 'prepared';
    return Promise.resolve();
  }

  start(): Promise<void> {
    if (this.#state !== 'ended') this.#state = 'running';
    return Promise.resolve();
  }

  restart(): Promise<void> {
    this.#state = 'running';
    return Promise.resolve();
  }

  wait(signal: AbortSignal): Promise<ExitStatus> {
    if (this.#state !== 'running') return Promise.resolve(STOPPED);
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const onAbort = (): void => reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#onEnd = (exit) => {
        signal.removeEventListener('abort', onAbort);
        resolve(exit);
      };
    });
  }

  stop(): Promise<void> {
    if (this.#state === 'running') {
      this.#state = 'ended';
      this.#onEnd?.(STOPPED);
    }
    return Promise.resolve();
  }

  async remove(): Promise<void> {
    await this.stop();
    this.#state = 'new';
    this.#onRemove();
  }

  status(): Promise<RuntimeStatus | undefined> {
    return Promise.resolve(
      this.exists ? { containerId: `hollow-${this.#id}`, pid: this.isRunning ? 1 : 0, ports: [] } : undefined,
    );
  }

  async *logs(): AsyncIterable<LogLine> {
    // Prints nothing.
  }

  stats(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  detach(): void {
    // The task is this object; there is nothing to let go of.
  }
}

/** As a process ended by SIGTERM. */
const STOPPED: ExitStatus = { exitCode: 143, reason: '' };

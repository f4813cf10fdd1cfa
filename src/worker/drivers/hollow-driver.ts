/**
 * A runtime without anything inside: a task starts and ends as a plan says, by default at once and never. For thousands of
 * pretend nodes that speak the real protocol; a task costs a few hundred bytes.
 */
import { sleep, systemClock, type CancelTimer, type Clock } from '../../common/clock.ts';
import { SwarmError } from '../../common/errors.ts';
import { systemRandom, type Random } from '../../common/random.ts';
import type { NodeDescription } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { describeHost } from '../host-description.ts';
import type {
  Ability,
  ExitStatus,
  LeftoverTask,
  LogLine,
  RuntimeDriver,
  RuntimeStatus,
  TaskController,
} from './driver.ts';

export interface HollowDriverOptions {
  readonly hostname: string;
  readonly engineVersion: string;
  /** What the pretend node offers. @default 8 CPUs, 16 GiB */
  readonly nanoCpus?: number;
  readonly memoryBytes?: number;
  /** @default starts at once, never fails, never ends */
  readonly plan?: HollowPlan;
  readonly counts?: HollowCounts;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** From and to, in ms; each task draws its own. */
export type RangeMs = readonly [number, number];

/** How pretend tasks behave. */
export interface HollowPlan {
  /** How long a task takes to start. */
  readonly startMs?: RangeMs;
  /** Share of the tasks, from 0 to 1, that fail when they are started. */
  readonly failureRate?: number;
  /** How long a task runs until it ends by itself, with exit code 1. */
  readonly runMs?: RangeMs;
}

/** What became of tasks so far, counted over all drivers that share it. */
export class HollowCounts {
  /** Tasks that reached a node. */
  assigned = 0;
  started = 0;
  failed = 0;
  ended = 0;
  removed = 0;
}

export class HollowDriver implements RuntimeDriver {
  static readonly abilities: readonly Ability[] = ['survives the driver'];
  readonly name = 'hollow';
  readonly abilities = HollowDriver.abilities;
  readonly #description: NodeDescription;
  readonly #tasks = new Map<string, HollowTask>();
  readonly #behaviour: Behaviour;

  constructor(options: HollowDriverOptions) {
    const { hostname, engineVersion, nanoCpus = 8e9, memoryBytes = 16 * 1024 ** 3 } = options;
    const { plan = {}, counts = new HollowCounts(), clock = systemClock, random = systemRandom } = options;
    const host = describeHost({ hostname, engineVersion, labels: {}, plugins: PLUGINS });
    this.#description = { ...host, resources: { nanoCpus, memoryBytes, generic: [] } };
    this.#behaviour = { plan, counts, clock, random };
  }

  describe(): Promise<NodeDescription> {
    return Promise.resolve(this.#description);
  }

  controller(task: Task): TaskController {
    let held = this.#tasks.get(task.id);
    if (!held) {
      held = new HollowTask(task.id, this.#behaviour, () => this.#tasks.delete(task.id));
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

interface Behaviour {
  readonly plan: HollowPlan;
  readonly counts: HollowCounts;
  readonly clock: Clock;
  readonly random: Random;
}

class HollowTask implements TaskController {
  readonly #id: string;
  readonly #behaviour: Behaviour;
  readonly #onRemove: () => void;
  #state: 'new' | 'prepared' | 'running' | 'ended' = 'new';
  #exit = STOPPED;
  #onEnd: ((exit: ExitStatus) => void) | undefined;
  #cancelEnd: CancelTimer | undefined;

  constructor(id: string, behaviour: Behaviour, onRemove: () => void) {
    this.#id = id;
    this.#behaviour = behaviour;
    this.#onRemove = onRemove;
    behaviour.counts.assigned++;
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

  async start(signal: AbortSignal): Promise<void> {
    const { plan, counts, clock, random } = this.#behaviour;
    if (plan.startMs) await sleep(clock, draw(plan.startMs, random), signal);
    if (this.#state === 'ended') return;
    if (plan.failureRate !== undefined && random() < plan.failureRate) {
      counts.failed++;
      throw new SwarmError('internal', 'this pretend task was planned to fail');
    }
    this.#run();
  }

  restart(): Promise<void> {
    this.#run();
    return Promise.resolve();
  }

  wait(signal: AbortSignal): Promise<ExitStatus> {
    if (this.#state !== 'running') return Promise.resolve(this.#exit);
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
    this.#end(STOPPED);
    return Promise.resolve();
  }

  async remove(): Promise<void> {
    await this.stop();
    this.#state = 'new';
    this.#behaviour.counts.removed++;
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
    this.#cancelEnd?.();
  }

  #run(): void {
    const { plan, counts, clock, random } = this.#behaviour;
    this.#state = 'running';
    counts.started++;
    if (plan.runMs) this.#cancelEnd = clock.setTimer(draw(plan.runMs, random), () => this.#end(FAILED));
  }

  #end(exit: ExitStatus): void {
    this.#cancelEnd?.();
    if (this.#state !== 'running') return;
    this.#state = 'ended';
    this.#exit = exit;
    this.#behaviour.counts.ended++;
    this.#onEnd?.(exit);
  }
}

const draw = ([from, to]: RangeMs, random: Random): number => from + random() * (to - from);

/** As a process ended by SIGTERM. */
const STOPPED: ExitStatus = { exitCode: 143, reason: '' };
const FAILED: ExitStatus = { exitCode: 1, reason: '' };

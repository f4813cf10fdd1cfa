/**
 * A runtime that plays a script (script.ts) instead of running anything. Time comes from a clock, so tests move it by hand.
 * What runs lives in a world apart from the driver and survives it, as containers survive an agent.
 */
import { sleep, type CancelTimer, type Clock } from '../../common/clock.ts';
import { SwarmError } from '../../common/errors.ts';
import type { Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { NodeDescription } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { UNHEALTHY_REASON } from '../health-check.ts';
import { describeHost } from '../host-description.ts';
import type {
  Ability,
  ExitStatus,
  LeftoverTask,
  LogLine,
  LogOptions,
  RuntimeDriver,
  RuntimeStatus,
  TaskController,
  TaskDependencies,
} from './driver.ts';
import { scriptOf, type FailingStep, type Script } from './script.ts';
import { TaskEndedError } from './task-ended-error.ts';

/** All that runs; hand it to a new driver to play an agent restart. */
export class ScriptedWorld {
  readonly tasks = new Map<string, ScriptedRun>();
  /** Calls made for a task, in order, for tests to look at. */
  readonly calls: { readonly taskId: string; readonly call: string }[] = [];

  callsFor(taskId: string): readonly string[] {
    return this.calls.filter((entry) => entry.taskId === taskId).map(({ call }) => call);
  }
}

export interface ScriptedDriverOptions {
  readonly clock: Clock;
  readonly engineVersion: string;
  readonly world?: ScriptedWorld;
}

export class ScriptedDriver implements RuntimeDriver {
  static readonly abilities: readonly Ability[] = [
    'ends by itself',
    'refuses tasks',
    'logs',
    'health',
    'survives the driver',
  ];
  readonly name = 'scripted';
  readonly abilities = ScriptedDriver.abilities;
  readonly world: ScriptedWorld;
  readonly #clock: Clock;
  #description: NodeDescription;

  constructor(options: ScriptedDriverOptions) {
    this.#clock = options.clock;
    this.world = options.world ?? new ScriptedWorld();
    const { engineVersion } = options;
    this.#description = describeHost({ engineVersion, labels: {}, plugins: [{ type: 'Runtime', name: 'scripted' }] });
  }

  describe(): Promise<NodeDescription> {
    return Promise.resolve(this.#description);
  }

  /** Changes what the node says of itself. */
  setDescription(description: NodeDescription): void {
    this.#description = description;
  }

  controller(task: Task, dependencies: TaskDependencies): TaskController {
    const script = scriptOf(task);
    if (script.failAt === 'controller') throw new SwarmError('invalidArgument', 'the script refuses this task');
    return new ScriptedController(task.id, script, dependencies, this.world, this.#clock);
  }

  leftovers(): Promise<readonly LeftoverTask[]> {
    return Promise.resolve(
      [...this.world.tasks].map(([taskId, run]) => ({ taskId, isRunning: run.state === 'running' })),
    );
  }

  removeLeftover(taskId: string): Promise<void> {
    this.world.calls.push({ taskId, call: 'removeLeftover' });
    this.world.tasks.get(taskId)?.end(KILLED);
    this.world.tasks.delete(taskId);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const TERMINATED: ExitStatus = { exitCode: 143, reason: '' };
const KILLED: ExitStatus = { exitCode: 137, reason: '' };

/** What goes on in the world for one task. */
class ScriptedRun {
  state: 'prepared' | 'running' | 'ended' = 'prepared';
  exit: ExitStatus | undefined;
  /** Names of the secrets and configs seen when it was prepared. */
  readonly seen: readonly string[];
  readonly lines: LogLine[] = [];
  readonly #listeners = new Set<() => void>();
  #cancel: CancelTimer | undefined;

  constructor(seen: readonly string[]) {
    this.seen = seen;
  }

  run(script: Script, clock: Clock): void {
    this.state = 'running';
    this.exit = undefined;
    for (const text of script.log) {
      this.lines.push({ stream: 'stdout', timeMs: clock.now(), data: Buffer.from(text) });
    }
    if (script.runMs !== undefined) {
      this.#cancel = clock.setTimer(script.runMs, () => this.end({ exitCode: script.exitCode, reason: '' }));
    }
    this.#tell();
  }

  end(exit: ExitStatus): void {
    if (this.state !== 'running') return;
    this.#cancel?.();
    this.state = 'ended';
    this.exit = exit;
    this.#tell();
  }

  /** Resolves at the next change; rejects with the signal's reason. */
  changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        this.#listeners.delete(done);
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = (): void => {
        this.#listeners.delete(done);
        reject(signal.reason as Error);
      };
      this.#listeners.add(done);
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
    });
  }

  #tell(): void {
    for (const done of this.#listeners) done();
  }
}

class ScriptedController implements TaskController {
  readonly #id: string;
  readonly #script: Script;
  readonly #dependencies: TaskDependencies;
  readonly #world: ScriptedWorld;
  readonly #clock: Clock;
  #failuresLeft: number;

  constructor(id: string, script: Script, dependencies: TaskDependencies, world: ScriptedWorld, clock: Clock) {
    this.#id = id;
    this.#script = script;
    this.#dependencies = dependencies;
    this.#world = world;
    this.#clock = clock;
    this.#failuresLeft = script.failTimes ?? 0;
  }

  get #run(): ScriptedRun | undefined {
    return this.#world.tasks.get(this.#id);
  }

  async prepare(signal: AbortSignal): Promise<void> {
    if (this.#run) return;
    await this.#step('prepare', signal);
    const { secrets, configs } = this.#dependencies;
    this.#world.tasks.set(this.#id, new ScriptedRun([...secrets.keys(), ...configs.keys()]));
  }

  async start(signal: AbortSignal): Promise<void> {
    const run = this.#run;
    if (!run) throw new SwarmError('failedPrecondition', `task ${this.#id} was not prepared`);
    if (run.state !== 'prepared') return;
    await this.#step('start', signal);
    run.run(this.#script, this.#clock);
    if (this.#script.isHealthy) return;
    run.end(TERMINATED);
    throw new TaskEndedError({ ...TERMINATED, reason: UNHEALTHY_REASON });
  }

  async restart(signal: AbortSignal): Promise<void> {
    const run = this.#run;
    if (!run) throw new SwarmError('failedPrecondition', `task ${this.#id} was not prepared`);
    this.#note('restart');
    if (this.#script.stepMs.start > 0) await sleep(this.#clock, this.#script.stepMs.start, signal);
    if (run.state !== 'running') run.run(this.#script, this.#clock);
  }

  async wait(signal: AbortSignal): Promise<ExitStatus> {
    for (;;) {
      const run = this.#run;
      if (!run) return KILLED;
      if (run.exit) return run.exit;
      await run.changed(signal);
    }
  }

  async stop(signal: AbortSignal): Promise<void> {
    if (this.#run?.state !== 'running') return;
    await this.#step('stop', signal);
    this.#run?.end(TERMINATED);
  }

  async remove(signal: AbortSignal): Promise<void> {
    await this.#step('remove', signal);
    this.#run?.end(TERMINATED);
    this.#world.tasks.delete(this.#id);
  }

  status(): Promise<RuntimeStatus | undefined> {
    const run = this.#run;
    return Promise.resolve(
      run && { containerId: `scripted-${this.#id}`, pid: run.state === 'running' ? 1 : 0, ports: [] },
    );
  }

  async *logs(options: LogOptions, signal: AbortSignal): AsyncIterable<LogLine> {
    const run = this.#run;
    if (!run) return;
    const wanted = (line: LogLine): boolean => options[line.stream] && line.timeMs >= options.sinceMs;
    let at = run.lines.length;
    const known = run.lines.filter(wanted);
    const { tail } = options;
    yield* tail === undefined ? known : tail === 0 ? [] : known.slice(-tail);
    while (options.follow && run.state !== 'ended') {
      await run.changed(signal);
      for (; at < run.lines.length; at++) {
        const line = run.lines[at];
        if (line && wanted(line)) yield line;
      }
    }
  }

  stats(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  detach(): void {
    // The world goes on by itself.
  }

  #note(call: string): void {
    this.#world.calls.push({ taskId: this.#id, call });
  }

  async #step(step: FailingStep, signal: AbortSignal): Promise<void> {
    this.#note(step);
    const lasting = this.#script.stepMs[step];
    if (lasting > 0) await sleep(this.#clock, lasting, signal);
    if (this.#script.failAt !== step) return;
    if (this.#script.failTimes === undefined) throw new SwarmError('internal', `the script fails at ${step}`);
    if (this.#failuresLeft-- > 0) throw new SwarmError('unavailable', `the script fails at ${step} for now`);
  }
}

/**
 * Carries one task through its life: asks next-state.ts for the next step, has the driver do it, keeps and reports the
 * outcome, until nothing is left to do. One runner per task; steps of one task never overlap.
 */
import type { Clock } from '../common/clock.ts';
import { sleep } from '../common/clock.ts';
import { errorText } from '../common/errors.ts';
import type { Logger } from '../common/log.ts';
import { timestampOfMs } from '../common/time.ts';
import type { Task } from '../proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState, type TaskStatus } from '../proto/generated/docker/swarmkit/v1/types.ts';
import { Attention } from './attention.ts';
import type {
  ExitStatus,
  LogLine,
  LogOptions,
  ResourceUse,
  RuntimeDriver,
  TaskController,
  TaskDependencies,
} from './drivers/driver.ts';
import { localRestartDelayMs, withRestart } from './local-restart.ts';
import type { ManagerContact } from './manager-contact.ts';
import {
  consequence,
  isTerminal,
  nextStep,
  RETRY_MS,
  type Call,
  type Consequence,
  type Outcome,
} from './next-state.ts';
import type { BookEntry } from './task-book.ts';
import { runtimeStatusOf } from './task-status.ts';

export interface TaskRunnerOptions {
  readonly entry: BookEntry;
  readonly driver: RuntimeDriver;
  readonly dependencies: TaskDependencies;
  readonly contact: ManagerContact;
  readonly clock: Clock;
  readonly log: Logger;
  /** Without a session for this long, in ms, tasks that end are run again on the spot by their restart policy. */
  readonly cutOffMs: number;
  /** False while a task that has not been prepared yet has to wait, because its secrets may still be on their way. */
  readonly mayPrepare: () => boolean;
  /** Keeps the entry; called before anything else happens. */
  readonly onChange: (entry: BookEntry) => void;
  /** Whether the manager has the newest status. */
  readonly isAccepted: () => boolean;
}

/** Longest wait between tries to remove what is left of a withdrawn task, in ms. */
const MAX_REMOVE_WAIT_MS = 30_000;

export class TaskRunner {
  readonly #options: Omit<TaskRunnerOptions, 'entry'>;
  #entry: BookEntry;
  #controller: TaskController | undefined;
  readonly #attention: Attention;
  #isDetached = false;
  #isWithdrawn = false;
  #isFinished = false;
  #isRemoved = false;
  /** How the task ended, while nobody but us knows. */
  #end: ExitStatus | undefined;
  readonly #done: Promise<void>;

  constructor({ entry, ...options }: TaskRunnerOptions) {
    this.#options = options;
    this.#entry = entry;
    this.#attention = new Attention(options.clock);
    this.#isWithdrawn = !entry.isAssigned;
    const stopListening = options.contact.onChange(() => this.wake());
    this.#done = this.#run().finally(stopListening);
  }

  get task(): Task {
    return this.#entry.task;
  }

  get status(): TaskStatus {
    return this.#entry.status;
  }

  get isWithdrawn(): boolean {
    return this.#isWithdrawn;
  }

  /** Whether it was withdrawn and nothing of it is left. */
  get isRemoved(): boolean {
    return this.#isRemoved;
  }

  /** Looks again whether something can be done. */
  wake(): void {
    this.#attention.wake();
  }

  /** The manager sent the task again. What is wanted of it only grows; our own status stays. */
  update(task: Task): void {
    const managerSaysEnded = isTerminal(task.status?.state ?? TaskState.NEW) && !isTerminal(this.status.state);
    const wanted = managerSaysEnded ? TaskState.SHUTDOWN : task.desiredState;
    const desiredState = Math.max(wanted, this.task.desiredState) as TaskState;
    const isKnown = task.meta?.version?.index === this.task.meta?.version?.index;
    if (isKnown && desiredState === this.task.desiredState) return;
    const isNowToStop = desiredState >= TaskState.SHUTDOWN && this.task.desiredState < TaskState.SHUTDOWN;
    this.#put({ ...this.#entry, task: { ...task, desiredState, status: undefined } });
    if (isNowToStop) this.#attention.interrupt();
    this.wake();
  }

  /** The manager withdrew the task: it is stopped and every trace removed. Resolves when that is done. */
  async withdraw(): Promise<void> {
    if (!this.#isWithdrawn) {
      this.#isWithdrawn = true;
      const isStopping = this.task.desiredState >= TaskState.SHUTDOWN;
      this.#put({ ...this.#entry, isAssigned: false });
      if (!isStopping) this.#attention.interrupt();
      this.wake();
    }
    await this.#done;
  }

  /** Lets go: the agent ends, the task goes on. */
  async detach(): Promise<void> {
    this.#isDetached = true;
    this.#attention.close();
    await this.#done;
    this.#controller?.detach();
  }

  /** Lines the task printed; empty before it was prepared. */
  async *logs(options: LogOptions, signal: AbortSignal): AsyncIterable<LogLine> {
    if (this.#controller) yield* this.#controller.logs(options, signal);
  }

  /** What it has used so far; undefined while nothing runs. */
  async stats(): Promise<ResourceUse | undefined> {
    return this.#controller?.stats();
  }

  get #desired(): TaskState {
    return this.#isWithdrawn ? TaskState.REMOVE : this.task.desiredState;
  }

  async #run(): Promise<void> {
    // The constructor of the pool has to come back first.
    await Promise.resolve();
    while (!this.#isDetached && !this.#isRemoved) {
      try {
        await this.#step();
      } catch (error) {
        // A bug in a step must cost neither the agent nor the other tasks.
        this.#options.log.error({ taskId: this.task.id, err: error }, 'a step of a task broke down; trying again');
        await sleep(this.#options.clock, RETRY_MS, this.#attention.freshSignal()).catch(() => undefined);
      }
    }
  }

  async #step(): Promise<void> {
    if (await this.#mayReviveNow()) return;
    const step = nextStep(this.status.state, this.#desired);
    // Returned, not awaited: a task may stay in a step for days, and need not keep the way there in memory.
    if (step.kind === 'rest' && this.#isWithdrawn && isTerminal(this.status.state)) return this.#removeTraces();
    if (step.kind === 'rest') return this.#rest();
    if (step.kind === 'move') return this.#move(step.state, step.message, '');
    if (this.#hasToWaitForSecrets(step.call)) return this.#attention.changed();
    return this.#do(step.call);
  }

  #hasToWaitForSecrets(call: Call): boolean {
    return call === 'prepare' && !this.#options.mayPrepare();
  }

  async #do(call: Call): Promise<void> {
    const signal = this.#attention.freshSignal();
    const outcome = await this.#perform(call, signal);
    if (this.#isDetached || (signal.aborted && call !== 'stop')) return;
    if (outcome.kind === 'exited') {
      this.#end = outcome.exit;
      if (!this.#options.contact.isConnected && (await this.#runAgain(outcome.exit))) return;
      if (this.#isDetached) return;
    }
    await this.#apply(consequence(this.status.state, call, outcome));
  }

  async #perform(call: Call, signal: AbortSignal): Promise<Outcome> {
    try {
      const controller = this.#obtainController();
      if (call === 'wait') return { kind: 'exited', exit: await controller.wait(signal) };
      if (call !== 'resolve') await controller[call](signal);
      return { kind: 'done' };
    } catch (error) {
      return { kind: 'failed', error };
    }
  }

  async #apply(result: Consequence): Promise<void> {
    if (result.kind === 'move') {
      await this.#move(result.state, result.message ?? this.status.message, result.error, result.exitCode);
      return;
    }
    if (result.error !== this.status.err) {
      this.#put({ ...this.#entry, status: { ...this.status, err: result.error, timestamp: this.#timestamp() } });
    }
    await sleep(this.#options.clock, result.afterMs, this.#attention.signal).catch(() => undefined);
  }

  async #move(state: TaskState, message: string, err: string, exitCode?: number): Promise<void> {
    const runtime = await runtimeStatusOf(this.#controller, this.status, exitCode);
    const status = { ...this.status, ...runtime, state, message, err, timestamp: this.#timestamp() };
    this.#put({ ...this.#entry, status });
  }

  /**
   * Runs an ended task again without asking a manager, once the node counts as cut off and the policy's delay is over.
   * Returns false when it is left ended, because the policy says so or a manager is back in reach.
   */
  async #runAgain(exit: ExitStatus): Promise<boolean> {
    const { clock, contact, cutOffMs } = this.#options;
    const endedAt = clock.monotonic();
    const delay = localRestartDelayMs({ task: this.task, exit, history: this.#entry.restarts, nowMs: clock.now() });
    if (delay === undefined) return false;
    for (;;) {
      const left = Math.max(endedAt + delay - clock.monotonic(), cutOffMs - contact.lostForMs);
      if (this.#desired > TaskState.COMPLETE || this.#isDetached || contact.isConnected) return false;
      if (left <= 0) break;
      await this.#attention.changed(left);
    }
    return this.#restart();
  }

  async #restart(): Promise<boolean> {
    const { clock, log } = this.#options;
    const restarts = withRestart(this.#entry.restarts, this.task.spec?.restart, clock.now());
    this.#put({ ...this.#entry, restarts });
    log.info({ taskId: this.task.id, restarts: restarts.count }, 'no manager in reach: running an ended task again');
    const signal = this.#attention.freshSignal();
    try {
      await this.#obtainController().restart(signal);
    } catch (error) {
      // Asked to stop meanwhile: the next step sees to that.
      if (signal.aborted) return true;
      this.#end = undefined;
      await this.#move(
        TaskState.FAILED,
        this.status.message,
        `running it again on the node failed: ${errorText(error)}`,
      );
      return true;
    }
    this.#end = undefined;
    const times = restarts.count === 1 ? 'once' : `${restarts.count} times`;
    await this.#move(TaskState.RUNNING, `started (run again ${times} on the node while no manager was in reach)`, '');
    return true;
  }

  /** A task whose end no manager heard of yet can still be run again, although it is already written down as ended. */
  get #isRevivable(): boolean {
    return this.#end !== undefined && !this.#options.isAccepted() && this.#desired <= TaskState.COMPLETE;
  }

  async #mayReviveNow(): Promise<boolean> {
    if (!isTerminal(this.status.state) || !this.#isRevivable || this.#options.contact.isConnected) return false;
    return this.#runAgain(this.#end as ExitStatus);
  }

  async #rest(): Promise<void> {
    if (isTerminal(this.status.state) && !this.#isFinished && !this.#isRevivable) {
      this.#isFinished = true;
      try {
        await this.#obtainController().finish?.();
      } catch (error) {
        this.#options.log.debug({ taskId: this.task.id, err: error }, 'nothing private of an ended task was removed');
      }
    }
    await this.#attention.changed();
  }

  async #removeTraces(): Promise<void> {
    const { clock, driver, log } = this.#options;
    const signal = this.#attention.freshSignal();
    for (let waitMs = 1000; !this.#isDetached; waitMs = Math.min(2 * waitMs, MAX_REMOVE_WAIT_MS)) {
      try {
        if (this.#controller) await this.#controller.remove(signal);
        else await driver.removeLeftover(this.task.id);
        this.#isRemoved = true;
        return;
      } catch (error) {
        if (this.#isDetached) return;
        log.warn({ taskId: this.task.id, err: error, waitMs }, 'a withdrawn task could not be removed; trying again');
        await sleep(clock, waitMs, signal).catch(() => undefined);
      }
    }
  }

  #put(entry: BookEntry): void {
    this.#entry = entry;
    this.#options.onChange(entry);
  }

  #obtainController(): TaskController {
    this.#controller ??= this.#options.driver.controller(this.task, this.#options.dependencies);
    return this.#controller;
  }

  #timestamp(): TaskStatus['timestamp'] {
    return timestampOfMs(this.#options.clock.now());
  }
}

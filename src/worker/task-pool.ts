/**
 * All tasks of this node: takes over what the book remembers, follows the manager's assignments, and removes what no
 * manager wants any more.
 */
import type { Clock } from '../common/clock.ts';
import type { Logger } from '../common/log.ts';
import type { Task } from '../proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState, TaskStatus } from '../proto/generated/docker/swarmkit/v1/types.ts';
import type { AssignmentSet } from './assignments.ts';
import type { Balancer } from './balancer/balancer.ts';
import { Dependencies } from './dependencies.ts';
import type { RuntimeDriver } from './drivers/driver.ts';
import { NO_RESTARTS } from './local-restart.ts';
import type { ManagerContact } from './manager-contact.ts';
import type { Reporter } from './reporter.ts';
import type { BookEntry, TaskBook } from './task-book.ts';
import { TaskRunner } from './task-runner.ts';

export interface TaskPoolOptions {
  readonly driver: RuntimeDriver;
  /** Undefined for nodes that lead no connections. */
  readonly balancer?: Balancer | undefined;
  readonly book: TaskBook;
  readonly reporter: Reporter;
  readonly contact: ManagerContact;
  readonly clock: Clock;
  readonly log: Logger;
  /** See {@link TaskRunnerOptions.cutOffMs}. */
  readonly cutOffMs: number;
}

export class TaskPool {
  readonly #options: TaskPoolOptions;
  readonly #dependencies = new Dependencies();
  readonly #runners = new Map<string, TaskRunner>();
  readonly #listeners = new Set<(runner: TaskRunner) => void>();
  readonly #removals = new Set<Promise<void>>();
  readonly #removing = new Set<TaskRunner>();
  /** Assigned again while what was left of them is still being removed. */
  readonly #comingBack = new Map<string, Task>();
  #hasCompleteSet = false;
  #isDetached = false;

  constructor(options: TaskPoolOptions) {
    this.#options = options;
  }

  get runners(): readonly TaskRunner[] {
    return [...this.#runners.values()];
  }

  /** Takes up every task of the book where it was left; running ones go on untouched. */
  resume(): void {
    for (const entry of this.#options.book.entries()) {
      this.#start(entry);
      if (!entry.isAssigned) this.#withdraw(entry.task.id);
    }
  }

  /** Follows one message of the manager. Secrets and configs come first, tasks may need them. */
  apply(set: AssignmentSet): void {
    this.#dependencies.apply(set);
    this.#options.driver.meetPeers?.(set.peers, set.isComplete);
    this.#options.balancer?.meetPeers(set.peers, set.isComplete);
    for (const task of set.tasks.updated) this.#assign(task);
    for (const id of set.tasks.removed) this.#withdraw(id);
    if (set.isComplete) this.#dropAllBut(new Set(set.tasks.updated.map((task) => task.id)));
  }

  /** Reports every task, as a manager that is new to us needs. */
  reportAll(): void {
    for (const [id, runner] of this.#runners) this.#options.reporter.report(id, runner.status);
  }

  /** The manager has the newest status of the task. */
  accepted(taskId: string): void {
    this.#runners.get(taskId)?.wake();
  }

  /** Calls `listener` for every task that is new or changed its status until the returned function is called. */
  onChange(listener: (runner: TaskRunner) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Lets go of every task; they go on without the agent. */
  async detach(): Promise<void> {
    this.#isDetached = true;
    await Promise.all(this.runners.map((runner) => runner.detach()));
    await Promise.all(this.#removals);
  }

  #assign(task: Task): void {
    const known = this.#runners.get(task.id);
    if (known?.isWithdrawn) this.#comingBack.set(task.id, task);
    else if (known) known.update(task);
    else this.#begin(task);
  }

  #begin(task: Task): void {
    const status = task.status ?? TaskStatus.fromPartial({ state: TaskState.ASSIGNED });
    const entry: BookEntry = { task: { ...task, status: undefined }, status, isAssigned: true, restarts: NO_RESTARTS };
    this.#options.book.put(entry);
    this.#start(entry);
  }

  #start(entry: BookEntry): void {
    const { book, reporter, balancer, ...rest } = this.#options;
    const { id } = entry.task;
    let reported = entry.status;
    void balancer?.note(entry.task, entry.status);
    const runner = new TaskRunner({
      ...rest,
      entry,
      dependencies: this.#dependencies.viewFor(entry.task),
      mayPrepare: () => this.#hasCompleteSet,
      isAccepted: () => reporter.isAccepted(id),
      onChange: (changed) => {
        book.put(changed);
        void balancer?.note(changed.task, changed.status);
        if (changed.status === reported) return;
        reported = changed.status;
        if (changed.isAssigned) reporter.report(id, changed.status);
        for (const listener of this.#listeners) listener(runner);
      },
    });
    this.#runners.set(id, runner);
    for (const listener of this.#listeners) listener(runner);
  }

  #withdraw(taskId: string): void {
    const runner = this.#runners.get(taskId);
    this.#comingBack.delete(taskId);
    if (!runner || this.#removing.has(runner)) return;
    this.#removing.add(runner);
    const removal = runner.withdraw().then(() => {
      this.#removals.delete(removal);
      this.#removing.delete(runner);
      // A runner that was let go before it was done leaves the rest to the next run of the agent.
      if (runner.isRemoved) this.#forget(taskId);
    });
    this.#removals.add(removal);
  }

  #forget(taskId: string): void {
    this.#runners.delete(taskId);
    this.#options.reporter.forget(taskId);
    this.#options.book.delete(taskId);
    const task = this.#comingBack.get(taskId);
    this.#comingBack.delete(taskId);
    if (task) this.#begin(task);
  }

  #dropAllBut(wanted: ReadonlySet<string>): void {
    for (const id of this.#runners.keys()) if (!wanted.has(id)) this.#withdraw(id);
    if (this.#hasCompleteSet) return;
    this.#hasCompleteSet = true;
    for (const runner of this.#runners.values()) runner.wake();
    void this.#removeLeftovers();
  }

  /** Whatever the runtime still holds of tasks that neither the manager nor the book knows. Never rejects. */
  async #removeLeftovers(): Promise<void> {
    const { driver, log } = this.#options;
    try {
      for (const { taskId, isRunning } of await driver.leftovers()) {
        if (this.#isDetached) return;
        if (this.#runners.has(taskId)) continue;
        log.info({ taskId, isRunning }, 'removing what is left of a task that is not assigned to this node');
        await driver.removeLeftover(taskId);
      }
    } catch (error) {
      log.error(
        { err: error },
        'remains of earlier tasks could not be removed; the next start of the agent tries again',
      );
    }
  }
}

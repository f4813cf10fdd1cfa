/**
 * The scheduler: gives every task that waits for a node one that fits, or says on the task why there is none.
 * Owns PENDING→ASSIGNED (and PENDING→SHUTDOWN of tasks nobody wants) with node, assigned generic resources and status.
 */
import { sleep, type CancelTimer, type Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/log.ts';
import type { Random } from '../../common/random.ts';
import { timestampOfMs } from '../../common/time.ts';
import { Wake } from '../../common/wake.ts';
import type { Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { Change } from '../store/change.ts';
import type { Store } from '../store/store.ts';
import type { Reader } from '../store/transaction.ts';
import type { Watch } from '../store/watch.ts';
import { ClusterView } from './cluster-view.ts';
import { writeDecision, type Decision } from './decision.ts';
import { PendingTasks } from './pending-tasks.ts';
import { decideRound } from './round.ts';

export interface SchedulerOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** For strategy random. */
  readonly random: Random;
  readonly log: Logger;
  /** How long changes gather before a round, in ms. @default 1 */
  readonly gatherMs?: number;
  /** After nodes change, the reasons on waiting tasks are brought up to date within this time, in ms. @default 1000 */
  readonly refreshMs?: number;
}

const GATHER_MS = 1;
const REFRESH_MS = 1000;
/** Decisions made before other work of the process has its turn; some tens of ms of work at most. */
const DECISIONS_PER_TURN = 1000;
/** Turns whose decisions are stored together; what is undecided then waits until they are. */
const TURNS_PER_ROUND = 2;

export class Scheduler {
  readonly name = 'scheduler';
  readonly #options: SchedulerOptions;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /**
   * Works until the signal aborts. Call it on the leader only; each call starts afresh from the store.
   * Throws when the store cannot be written or the watch fell behind: then call it again.
   */
  async run(signal: AbortSignal): Promise<void> {
    const [session, watch] = this.#options.store.readAndWatch((reader) => new Session(this.#options, reader), {
      kinds: ['node', 'task', 'service'],
      signal,
    });
    await session.run(watch, signal);
  }
}

/** One run, from a reading of the store to the end of its watch. */
class Session {
  readonly #options: SchedulerOptions;
  readonly #view: ClusterView;
  readonly #pending = new PendingTasks();
  readonly #wake = new Wake();
  #cancelRefresh: CancelTimer | undefined;

  constructor(options: SchedulerOptions, reader: Reader) {
    this.#options = options;
    this.#view = ClusterView.of(reader, options.clock.now());
    for (const task of reader.task.all()) this.#pending.set(task);
    if (this.#pending.hasReady) this.#wake.set();
  }

  async run(watch: Watch, signal: AbortSignal): Promise<void> {
    const ended = new AbortController();
    const stop = AbortSignal.any([signal, ended.signal]);
    stop.addEventListener('abort', this.#wake.set, { once: true });
    try {
      await Promise.all([this.#follow(watch), this.#work(stop)]);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      ended.abort();
      watch.close();
      this.#cancelRefresh?.();
    }
  }

  /** Takes over changes as they commit; decisions are made elsewhere, so that many changes meet in one round. */
  async #follow(watch: Watch): Promise<void> {
    for await (const commits of watch) {
      for (const { changes } of commits) for (const change of changes) this.#apply(change);
      this.#pending.wake(this.#view.takeGains());
      if (this.#pending.hasReady) this.#wake.set();
    }
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { store, clock, gatherMs = GATHER_MS } = this.#options;
    while (!signal.aborted) {
      await this.#wake.wait();
      // Lets I/O have its turn, and changes gather.
      await sleep(clock, gatherMs, signal);
      const decisions = [...this.#decide()];
      for (let turn = 1; turn < TURNS_PER_ROUND && this.#pending.hasReady; turn++) {
        await store.pause();
        decisions.push(...this.#decide());
      }
      if (signal.aborted) return;
      await this.#write(decisions);
      if (this.#pending.hasReady) this.#wake.set();
    }
  }

  #decide(): readonly Decision[] {
    const { clock, random, store } = this.#options;
    return decideRound({
      view: this.#view,
      pending: this.#pending,
      reader: store.read,
      nowMs: clock.now(),
      random,
      limit: DECISIONS_PER_TURN,
    });
  }

  /** Stores decisions; those that no longer hold are taken back and their tasks looked at again. */
  async #write(decisions: readonly Decision[]): Promise<void> {
    const { clock, store, log } = this.#options;
    if (decisions.length === 0) return;
    const outdated: Decision[] = [];
    const timestamp = timestampOfMs(clock.now());
    await store.batch(decisions, (tx, decision) => {
      if (!writeDecision(tx, decision, timestamp)) outdated.push(decision);
    });
    if (outdated.length > 0) {
      // What they clashed with may not have committed yet, and then trying again at once would clash again.
      await store.update(() => undefined);
      for (const decision of outdated) this.#takeBack(decision);
    }
    log.debug({ decisions: decisions.length, waiting: this.#pending.size }, 'scheduled');
  }

  #takeBack({ task: { id } }: Decision): void {
    const current = this.#options.store.read.task.get(id);
    if (current) this.#setTask(current);
    else this.#removeTask(id);
  }

  #apply(change: Change): void {
    const isGone = change.action === 'delete';
    if (change.kind === 'task') {
      if (isGone) this.#removeTask(change.object.id);
      else this.#setTask(change.object);
    } else if (change.kind === 'node') {
      if (isGone) this.#view.removeNode(change.object.id);
      else this.#view.setNode(change.object);
      this.#refreshSoon();
    } else if (change.kind === 'service' && isGone) {
      this.#pending.removeService(change.object.id);
    }
  }

  #setTask(task: Task): void {
    this.#view.setTask(task, this.#options.clock.now());
    this.#pending.set(task);
  }

  #removeTask(id: string): void {
    this.#view.removeTask(id);
    this.#pending.remove(id);
  }

  /** A changed node may change the reasons even of tasks it does not help. */
  #refreshSoon(): void {
    if (this.#cancelRefresh || !this.#pending.hasWaiting) return;
    this.#cancelRefresh = this.#options.clock.setTimer(this.#options.refreshMs ?? REFRESH_MS, () => {
      this.#cancelRefresh = undefined;
      this.#pending.wakeAll();
      this.#wake.set();
    });
  }
}

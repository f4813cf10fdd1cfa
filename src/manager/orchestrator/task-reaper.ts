/**
 * Deletes tasks nobody needs any more: those that were to be removed and have stopped, and history beyond the limit.
 * Work gathers for a moment, so that one transaction takes many.
 */
import type { Cluster, Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { Change } from '../store/change.ts';
import { slotKey, type ObjectKind } from '../store/objects.ts';
import type { Reader } from '../store/transaction.ts';
import type { Commit } from '../store/watch.ts';
import { runLeaderLoop, type LeaderLoop, type LoopOptions } from './leader-loop.ts';
import { namesSlotsByNode } from './service-mode.ts';
import type { Slot } from './slots.ts';
import { DEFAULT_HISTORY_LIMIT, historyLimit, isRemovable, tasksToForget } from './task-history.ts';
import { hasEnded, isWanted, willNeverRun } from './task-life.ts';

/** How long marks gather. */
const GATHER_MS = 250;
/** More marks than this are worked off at once. */
const GATHER_MAX = 1000;
/** Marks of each kind worked off per turn; a few milliseconds of work. */
const MARKS_PER_TURN = 2000;

export class TaskReaper {
  readonly #options: LoopOptions;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  /** Works until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await runLeaderLoop(new ReaperLoop(this.#options), this.#options, signal);
  }
}

class ReaperLoop implements LeaderLoop {
  readonly kinds: readonly ObjectKind[] = ['task', 'cluster'];
  readonly #options: LoopOptions;
  #reader: Reader;
  /** Tasks to delete. */
  #removable = new Set<string>();
  /** Slots whose history may have grown too long, by key, with their service. */
  #slots = new Map<string, string>();
  /** When the marks are worked off. */
  #dueMs: number | undefined;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#reader = options.store.read;
  }

  start(reader: Reader): void {
    this.#reader = reader;
    this.#removable = new Set();
    this.#slots = new Map();
    this.#dueMs = undefined;
    for (const task of reader.task.all()) this.#mark(task);
  }

  observe(commits: readonly Commit[]): void {
    for (const { changes } of commits) for (const change of changes) this.#note(change);
  }

  async turn(nowMs: number): Promise<number | undefined> {
    const marks = this.#removable.size + this.#slots.size;
    if (marks === 0) return undefined;
    this.#dueMs ??= nowMs + GATHER_MS;
    if (nowMs < this.#dueMs && marks <= GATHER_MAX) return this.#dueMs;
    const removable = [...this.#removable].slice(0, MARKS_PER_TURN);
    const slots = [...this.#slots].slice(0, MARKS_PER_TURN);
    await this.#options.store.batch(this.#doomed(removable, slots), (tx, id) => {
      if (tx.task.get(id)) tx.task.delete(id);
    });
    for (const id of removable) this.#removable.delete(id);
    for (const [key] of slots) this.#slots.delete(key);
    // What is left is worked off at once; the process has had a breath.
    if (this.#removable.size + this.#slots.size > 0) return nowMs;
    this.#dueMs = undefined;
    return undefined;
  }

  #note(change: Change): void {
    if (change.kind === 'cluster' && change.action === 'update') {
      if (limitOf(change.old) !== limitOf(change.object)) for (const task of this.#reader.task.all()) this.#mark(task);
    }
    if (change.kind === 'task' && change.action !== 'delete') this.#mark(change.object);
  }

  #mark(task: Task): void {
    const service = task.serviceId === '' ? undefined : this.#reader.service.get(task.serviceId);
    if (isRemovable(task, service !== undefined)) this.#removable.add(task.id);
    else if (service && ((hasEnded(task) && !isWanted(task)) || willNeverRun(task) || isSuccessor(task)))
      this.#slots.set(slotKey(task, namesSlotsByNode(service)), task.serviceId);
  }

  #doomed(removable: readonly string[], slots: readonly SlotOfService[]): ReadonlySet<string> {
    const doomed = new Set(removable);
    const clusterLimit = limitOf(this.#reader.cluster.byName('default'));
    for (const [serviceId, keys] of byService(slots)) {
      const service = this.#reader.service.get(serviceId);
      if (!service) continue;
      const limit = historyLimit(service, clusterLimit);
      for (const key of keys) {
        const slot: Slot = { key, number: 0, nodeId: '', tasks: this.#reader.task.by('slot', key) };
        for (const task of tasksToForget(service, slot, limit)) doomed.add(task.id);
      }
    }
    return doomed;
  }
}

/** Slot key and service. */
type SlotOfService = readonly [string, string];

function byService(slots: readonly SlotOfService[]): ReadonlyMap<string, readonly string[]> {
  const services = new Map<string, string[]>();
  for (const [key, serviceId] of slots) {
    const keys = services.get(serviceId);
    if (keys) keys.push(key);
    else services.set(serviceId, [key]);
  }
  return services;
}

/** A task that replaces another brings the number of tasks in its slot up. */
const isSuccessor = (task: Task): boolean => task.startAfter !== undefined;

const limitOf = (cluster: Cluster | undefined): number =>
  cluster?.spec?.orchestration?.taskHistoryRetentionLimit ?? DEFAULT_HISTORY_LIMIT;

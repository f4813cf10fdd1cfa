/**
 * The orchestrator: keeps every service and job at the tasks it asks for.
 *
 * It runs on the leader. Commits mark services and slots; a turn plans all that is marked (pure decisions on committed
 * state) and stores the steps of many services as one batch. Nothing it remembers outlives a term.
 */
import { toSwarmError } from '../../common/errors.ts';
import type { Node, Service, Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Change } from '../store/change.ts';
import { slotKey, type ObjectKind } from '../store/objects.ts';
import type { Reader } from '../store/transaction.ts';
import type { Commit } from '../store/watch.ts';
import { Alarms } from './alarms.ts';
import { Attention } from './attention.ts';
import { runLeaderLoop, type LeaderLoop, type LoopOptions } from './leader-loop.ts';
import { differsForTasks } from './node-fitness.ts';
import { globalMark, planService, type ServicePlan } from './service-plan.ts';
import { namesSlotsByNode } from './service-mode.ts';
import type { Surroundings } from './slot-decision.ts';
import { placeOf } from './slots.ts';
import { applyStep, type Step } from './step.ts';
import { hasEnded, isRunning, isWanted, specVersionOf, stateOf, statusTimeMs } from './task-life.ts';
import type { UpdateRun } from './update-run.ts';

export class Orchestrator {
  readonly #options: LoopOptions;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  /** Works until the signal aborts (leadership lost, shutdown). */
  async run(signal: AbortSignal): Promise<void> {
    await runLeaderLoop(new ServiceLoop(this.#options), this.#options, signal);
  }
}

/** An alarm for a slot ("service NUL place"), for an update ("service") or for everything ("service NUL *"). */
type AlarmKey = string;
const WHOLE = '*';
/** Slots planned per turn; a few milliseconds of work. */
const SLOTS_PER_TURN = 2000;
/** A service whose steps could not be stored is tried again after this. */
const FAILED_SERVICE_RETRY_MS = 10_000;

class ServiceLoop implements LeaderLoop {
  readonly kinds: readonly ObjectKind[] = ['service', 'task', 'node'];
  readonly #options: LoopOptions;
  #reader: Reader;
  #attention = new Attention();
  #alarms = new Alarms<AlarmKey>();
  #runs = new Map<string, UpdateRun>();
  /** Services and jobs that have a slot on each node. */
  #globalServices = new Set<string>();
  /** How long tasks ran that have ended since the last turn. */
  #ranMs = new Map<string, number>();

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#reader = options.store.read;
  }

  start(reader: Reader): void {
    this.#reader = reader;
    this.#attention = new Attention();
    this.#alarms = new Alarms();
    this.#runs = new Map();
    this.#ranMs = new Map();
    this.#globalServices = new Set();
    for (const service of reader.service.all()) this.#noteService(service);
    for (const task of reader.task.all()) {
      if (task.serviceId !== '' && !reader.service.get(task.serviceId)) this.#attention.service(task.serviceId);
    }
  }

  observe(commits: readonly Commit[]): void {
    for (const { changes } of commits) for (const change of changes) this.#note(change);
  }

  async turn(nowMs: number): Promise<number | undefined> {
    for (const key of this.#alarms.takeDue(nowMs)) this.#ring(key);
    if (!this.#attention.isEmpty) {
      const steps = this.#plan(nowMs);
      try {
        await this.#store(steps, nowMs);
      } catch (error) {
        for (const serviceId of steps.keys()) this.#startOver(serviceId);
        throw error;
      }
    }
    if (!this.#attention.isEmpty) return nowMs;
    this.#ranMs.clear();
    return this.#alarms.next;
  }

  /** What was planned for a service could not be stored: its update is found again in the store. */
  #startOver(serviceId: string): void {
    this.#runs.delete(serviceId);
    this.#attention.service(serviceId);
  }

  /** Steps by service. A turn plans a limited number of slots, so that it never holds the process up for long. */
  #plan(nowMs: number): ReadonlyMap<string, readonly Step[]> {
    const { newId, random } = this.#options;
    const around: Surroundings = {
      nowMs,
      node: (id) => this.#reader.node.get(id),
      ranMs: (taskId) => this.#ranMs.get(taskId),
      newId,
      random,
    };
    const steps = new Map<string, readonly Step[]>();
    let slots = 0;
    for (const [serviceId, marks] of this.#attention.take()) {
      const run = this.#runs.get(serviceId);
      const plan = planService({ serviceId, marks, run, reader: this.#reader, around });
      this.#keep(serviceId, plan);
      slots += plan.slotCount;
      if (plan.steps.length > 0) steps.set(serviceId, plan.steps);
      if (slots >= SLOTS_PER_TURN) break;
    }
    return steps;
  }

  /** Stores the steps of all services as one batch. Throws when nothing can be stored now. */
  async #store(steps: ReadonlyMap<string, readonly Step[]>, nowMs: number): Promise<void> {
    const { store, log } = this.#options;
    const apply = (some: readonly Step[]): Promise<number> =>
      store.batch(some, (tx, step) => void applyStep(tx, step, nowMs));
    try {
      await apply([...steps.values()].flat());
    } catch (error) {
      if (toSwarmError(error).isRetryable) throw error;
      // One service cannot be stored (its tasks may be too large): the others must not wait for it.
      for (const [serviceId, own] of steps) {
        try {
          await apply(own);
        } catch (cause) {
          if (toSwarmError(cause).isRetryable) throw cause;
          this.#runs.delete(serviceId);
          log.error({ err: cause, serviceId }, 'could not store what a service needs, trying again later');
          this.#alarms.set(`${serviceId}\0${WHOLE}`, nowMs + FAILED_SERVICE_RETRY_MS);
        }
      }
    }
  }

  #keep(serviceId: string, plan: ServicePlan): void {
    if (plan.run) this.#runs.set(serviceId, plan.run);
    else this.#runs.delete(serviceId);
    if (plan.updateWakeMs !== undefined) this.#alarms.set(serviceId, plan.updateWakeMs);
    for (const [key, atMs] of plan.slotWakes) this.#alarms.set(key, atMs);
  }

  #ring(key: AlarmKey): void {
    const [serviceId = '', place] = key.split('\0');
    if (place === undefined) this.#attention.update(serviceId);
    else if (place === WHOLE) this.#attention.service(serviceId);
    else this.#attention.slot(serviceId, { key, nodeId: this.#nodeOf(serviceId, place), nodeChanged: false });
  }

  #nodeOf(serviceId: string, place: string): string {
    return this.#globalServices.has(serviceId) ? place : '';
  }

  #note(change: Change): void {
    switch (change.kind) {
      case 'service':
        if (change.action === 'delete') {
          this.#globalServices.delete(change.object.id);
          this.#attention.service(change.object.id);
        } else if (change.action === 'create' || asksForWork(change.old, change.object))
          this.#noteService(change.object);
        return;
      case 'task':
        if (change.object.serviceId !== '') this.#noteTask(change.action, change.object, change.old);
        return;
      case 'node':
        if (change.action !== 'update' || differsForTasks(change.old, change.object)) this.#noteNode(change.object);
        return;
      default:
        // Other kinds are not watched.
        return;
    }
  }

  #noteService(service: Service): void {
    this.#attention.service(service.id);
    if (namesSlotsByNode(service)) this.#globalServices.add(service.id);
  }

  #noteTask(action: Change['action'], task: Task, old: Task | undefined): void {
    if (action === 'create' && task.desiredState !== TaskState.READY) return;
    if (action === 'update' && old) {
      if (!movedOn(old, task)) return;
      if (isRunning(old) && hasEnded(task)) this.#ranMs.set(task.id, statusTimeMs(task) - statusTimeMs(old));
    }
    const isGlobal = this.#globalServices.has(task.serviceId);
    // A wanted task of a replicated service was deleted by hand: its slot is filled again. A global one is not.
    if (action === 'delete' && isWanted(task) && !isGlobal) this.#attention.service(task.serviceId);
    else this.#attention.slot(task.serviceId, { key: slotKey(task), nodeId: placeOf(task).nodeId, nodeChanged: false });
  }

  #noteNode(node: Node): void {
    for (const task of this.#reader.task.by('node', node.id)) {
      if (task.serviceId === '' || (hasEnded(task) && !isWanted(task))) continue;
      this.#attention.slot(task.serviceId, { key: slotKey(task), nodeId: placeOf(task).nodeId, nodeChanged: true });
    }
    for (const serviceId of this.#globalServices) this.#attention.slot(serviceId, globalMark(serviceId, node.id, true));
  }
}

/** Whether a change of a service is more than news about itself (ports, job counts). */
const asksForWork = (old: Service, now: Service): boolean =>
  old.spec !== now.spec ||
  specVersionOf(old) !== specVersionOf(now) ||
  old.updateStatus?.state !== now.updateStatus?.state;

/** Whether a change of a task can ask for a decision: it began to run, ended, or is wanted otherwise. */
const movedOn = (old: Task, now: Task): boolean =>
  old.desiredState !== now.desiredState ||
  (stateOf(old) !== stateOf(now) && stateOf(now) >= TaskState.RUNNING) ||
  old.nodeId !== now.nodeId;

/**
 * Tells the manager how tasks are. Of each task only the newest status is kept and sent until it is accepted; an older
 * one never follows. What is reported in a turn of the event loop shares a call, and while one is under way the next
 * batch gathers: many tasks share a call when it matters, and a single one is told at once.
 */
import type { UpdateTaskStatusRequest_TaskStatusUpdate as StatusUpdate } from '../proto/generated/docker/swarmkit/v1/dispatcher.ts';
import type { TaskStatus } from '../proto/generated/docker/swarmkit/v1/types.ts';

/** Most statuses in one call. */
const MAX_BATCH = 1000;

/** Sends one batch; rejects when the manager did not take it. */
export type SendStatuses = (updates: readonly StatusUpdate[]) => Promise<void>;

export interface ReporterOptions {
  /** Called when a status is with the manager and no newer one is waiting. */
  readonly onAccepted?: (taskId: string) => void;
}

export class Reporter {
  readonly #pending = new Map<string, TaskStatus>();
  readonly #onAccepted: (taskId: string) => void;
  #inFlight: ReadonlyMap<string, TaskStatus> = new Map();
  #send: SendStatuses | undefined;
  #isSending = false;

  constructor(options: ReporterOptions = {}) {
    this.#onAccepted = options.onAccepted ?? (() => undefined);
  }

  /** Whether the manager has the newest status of the task. */
  isAccepted(taskId: string): boolean {
    return !this.#pending.has(taskId) && !this.#inFlight.has(taskId);
  }

  report(taskId: string, status: TaskStatus): void {
    this.#pending.set(taskId, status);
    void this.#flush();
  }

  /** The task is gone; nothing more is said of it. */
  forget(taskId: string): void {
    this.#pending.delete(taskId);
  }

  /** A session was opened: everything pending is sent through it until {@link detach}. */
  attach(send: SendStatuses): void {
    this.#send = send;
    void this.#flush();
  }

  /** The session ended; statuses wait for the next one. */
  detach(): void {
    this.#send = undefined;
  }

  async #flush(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      while (this.#send && this.#pending.size > 0) {
        // Lets everything of this turn into one call: a task that starts at once is told once, not in each state it passes.
        await new Promise((resolve) => setImmediate(resolve));
        await this.#sendBatch();
      }
    } finally {
      this.#isSending = false;
    }
  }

  async #sendBatch(): Promise<void> {
    const send = this.#send;
    // The session may have ended in this turn, or the tasks have gone.
    if (!send || this.#pending.size === 0) return;
    const batch = new Map([...this.#pending].slice(0, MAX_BATCH));
    for (const taskId of batch.keys()) this.#pending.delete(taskId);
    this.#inFlight = batch;
    try {
      await send([...batch].map(([taskId, status]) => ({ taskId, status })));
      this.#inFlight = new Map();
      for (const taskId of batch.keys()) if (!this.#pending.has(taskId)) this.#onAccepted(taskId);
    } catch {
      this.#inFlight = new Map();
      for (const [taskId, status] of batch) if (!this.#pending.has(taskId)) this.#pending.set(taskId, status);
      // The call that failed ends the session (session.ts); the next one brings a new way to send.
      if (this.#send === send) this.#send = undefined;
    }
  }
}

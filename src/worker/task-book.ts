/** What this node remembers of its tasks, so that a restart of the agent restarts nothing. Kept on disk by task-book-file.ts. */
import type { Task } from '../proto/generated/docker/swarmkit/v1/objects.ts';
import type { TaskStatus } from '../proto/generated/docker/swarmkit/v1/types.ts';
import type { RestartHistory } from './local-restart.ts';

export interface BookEntry {
  /** As the manager last sent it, without its `status`, which is not ours. */
  readonly task: Task;
  /** What we know and report. */
  readonly status: TaskStatus;
  /** False once the manager withdrew it: what is left of it has to be removed. */
  readonly isAssigned: boolean;
  readonly restarts: RestartHistory;
}

export interface TaskBook {
  entries(): readonly BookEntry[];
  /** Remembers the entry in place of the task's earlier one, before it returns. */
  put(entry: BookEntry): void;
  delete(taskId: string): void;
  /** Waits until everything is on disk. */
  close(): Promise<void>;
}

/** Remembers until the process ends; for pretend nodes. */
export class MemoryTaskBook implements TaskBook {
  readonly #entries = new Map<string, BookEntry>();

  entries(): readonly BookEntry[] {
    return [...this.#entries.values()];
  }

  put(entry: BookEntry): void {
    this.#entries.set(entry.task.id, entry);
  }

  delete(taskId: string): void {
    this.#entries.delete(taskId);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Agents to whom everything succeeds: a task runs soon after it may, and has stopped soon after it shall. Tasks of jobs run on. */
import type { Clock } from '../../common/clock.ts';
import { timestampOfMs } from '../../common/time.ts';
import type { Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeStatus_State, TaskState, TaskStatus } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Store } from '../store/store.ts';

export interface IdealAgentsOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** How long a step of a task takes, in ms. */
  readonly stepMs: (taskId: string) => number;
}

export class IdealAgents {
  readonly name = 'ideal agents';
  readonly #options: IdealAgentsOptions;
  /** Steps on their way, by task. */
  readonly #under = new Map<string, TaskState>();

  constructor(options: IdealAgentsOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { store } = this.#options;
    const [, watch] = store.readAndWatch((reader) => this.#look(reader.task.all()), { kinds: ['task'], signal });
    try {
      for await (const commits of watch) {
        const changed = commits.flatMap(({ changes }) =>
          changes.flatMap((change) => (change.kind === 'task' && change.action !== 'delete' ? [change.object] : [])),
        );
        this.#look(changed);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #look(tasks: readonly Task[]): void {
    const byDelay = new Map<number, string[]>();
    for (const { id } of tasks) {
      const next = this.#next(id);
      if (next === undefined || this.#under.get(id) === next) continue;
      this.#under.set(id, next);
      const delayMs = this.#options.stepMs(id);
      byDelay.set(delayMs, [...(byDelay.get(delayMs) ?? []), id]);
    }
    for (const [delayMs, ids] of byDelay) {
      this.#options.clock.setTimer(delayMs, () => void this.#take(ids));
    }
  }

  async #take(ids: readonly string[]): Promise<void> {
    const { store, clock } = this.#options;
    await store.batch(ids, (tx, id) => {
      this.#under.delete(id);
      const task = tx.task.get(id);
      const state = task && nextState(task);
      if (!task || state === undefined) return;
      const at = timestampOfMs(clock.now());
      const status = { ...(task.status ?? TaskStatus.fromPartial({})), state, timestamp: at, appliedAt: at, err: '' };
      tx.task.update({ ...task, status });
    });
  }

  /** What the node of a task would report next. */
  #next(id: string): TaskState | undefined {
    const { read } = this.#options.store;
    const task = read.task.get(id);
    const isUp = task && read.node.get(task.nodeId)?.status?.state === NodeStatus_State.READY;
    return isUp ? nextState(task) : undefined;
  }
}

function nextState(task: Task): TaskState | undefined {
  const state = task.status?.state ?? TaskState.NEW;
  if (state < TaskState.ASSIGNED || state > TaskState.RUNNING) return undefined;
  if (task.desiredState > TaskState.COMPLETE) return TaskState.SHUTDOWN;
  const goal = task.desiredState < TaskState.RUNNING ? task.desiredState : TaskState.RUNNING;
  return state < goal ? goal : undefined;
}

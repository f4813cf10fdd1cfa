/** Task states on their way from agents into the store. */
import type { CallContext } from '../../common/rpc.ts';
import { timestampOfMs } from '../../common/time.ts';
import type { UpdateTaskStatusRequest } from '../../proto/generated/docker/swarmkit/v1/dispatcher.ts';
import { TaskState, TaskStatus } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { isForAgent, needsDependencies } from './agent-view.ts';
import type { DispatcherOptions } from './options.ts';
import { foreignTask } from './refusals.ts';
import type { DispatcherSettings } from './settings.ts';
import { applyReport, isAgentState, laterReport, type StatusReport } from './task-status.ts';
import { WriteBatcher } from './write-batcher.ts';

export class StatusReports {
  readonly #options: DispatcherOptions;
  readonly #queue: WriteBatcher<StatusReport>;

  constructor(options: DispatcherOptions, settings: DispatcherSettings) {
    const { store, clock, random, log, nodeId } = options;
    this.#options = options;
    this.#queue = new WriteBatcher({
      clock,
      random,
      log,
      gatherMs: settings.statusGatherMs,
      limit: settings.statusQueueLimit,
      merge: laterReport,
      write: (reports) => {
        const stamp = { appliedBy: nodeId, appliedAt: timestampOfMs(clock.now()) };
        return store.batch(reports, (tx, report) => {
          const task = applyReport(tx.task.get(report.taskId), report, stamp);
          if (task) tx.task.update(task);
        });
      },
    });
  }

  /** Tasks whose new state waits to be stored. */
  get size(): number {
    return this.#queue.size;
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#queue.run(signal);
  }

  /**
   * Takes what a node reports and resolves before it is stored, because agents send reports one after another. Nothing is
   * lost by that: reports are tried until they are stored or the term ends; then every session ends too, and in its next
   * session each agent reports all it knows. Throws permissionDenied, taking nothing, when a task is not the node's.
   */
  async take(nodeId: string, updates: UpdateTaskStatusRequest['updates'], context: CallContext): Promise<void> {
    const reports: StatusReport[] = [];
    for (const { taskId, status } of updates) {
      const task = this.#options.store.read.task.get(taskId);
      if (!task || !status) continue;
      if (task.nodeId !== nodeId) throw foreignTask(nodeId, taskId);
      if (isAgentState(status.state)) reports.push({ taskId, nodeId, status });
      else this.#options.log.warn({ nodeId, taskId, state: status.state }, 'agent reported a state it may not set');
    }
    if (this.#queue.isFull) await this.#queue.room(context.signal);
    for (const report of reports) this.#queue.put(report.taskId, report);
  }

  /** Gives up what a long-lost node may still run. */
  orphanTasksOf(nodeId: string): void {
    const { store, clock, log } = this.#options;
    const timestamp = timestampOfMs(clock.now());
    const message = 'the node was down for too long';
    const lost = store.read.task.by('node', nodeId).filter((task) => isForAgent(task) && needsDependencies(task));
    for (const { id, status } of lost) {
      const orphaned = TaskStatus.fromPartial({ ...status, state: TaskState.ORPHANED, timestamp, message });
      this.#queue.put(id, { taskId: id, nodeId, status: orphaned });
    }
    log.warn({ nodeId, tasks: lost.length }, 'node was down for too long, its tasks are orphaned');
  }
}

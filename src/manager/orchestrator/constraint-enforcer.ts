/**
 * Watches nodes: when one changes its labels, role, description or resources, tasks that no longer belong there are
 * rejected, and the orchestrator restarts them elsewhere.
 */
import { timestampOfMs } from '../../common/time.ts';
import type { Node, Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeSpec_Availability } from '../../proto/generated/docker/swarmkit/v1/specs.ts';
import { TaskState, TaskStatus } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { ObjectKind } from '../store/objects.ts';
import type { Reader } from '../store/transaction.ts';
import type { Commit } from '../store/watch.ts';
import { misplacedTasks } from './compliance.ts';
import { runLeaderLoop, type LeaderLoop, type LoopOptions } from './leader-loop.ts';
import { differsForTasks } from './node-fitness.ts';
import { hasEnded } from './task-life.ts';

/** Nodes looked at per turn, so that a new leader is not held up by thousands. */
const NODES_PER_TURN = 200;

const REASON = 'assigned node no longer meets constraints';

export class ConstraintEnforcer {
  readonly #options: LoopOptions;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  /** Works until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await runLeaderLoop(new EnforcerLoop(this.#options), this.#options, signal);
  }
}

class EnforcerLoop implements LeaderLoop {
  readonly kinds: readonly ObjectKind[] = ['node'];
  readonly #options: LoopOptions;
  #reader: Reader;
  #nodes = new Set<string>();

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#reader = options.store.read;
  }

  start(reader: Reader): void {
    this.#reader = reader;
    this.#nodes = new Set(reader.node.all().map((node) => node.id));
  }

  observe(commits: readonly Commit[]): void {
    for (const { changes } of commits) {
      for (const change of changes) {
        if (change.kind === 'node' && change.action === 'update' && differsForTasks(change.old, change.object))
          this.#nodes.add(change.object.id);
      }
    }
  }

  async turn(nowMs: number): Promise<number | undefined> {
    const nodes = [...this.#nodes].slice(0, NODES_PER_TURN);
    const misplaced = nodes.flatMap((id) => this.#misplacedOn(this.#reader.node.get(id)));
    await this.#options.store.batch(misplaced, (tx, { id }) => {
      const task = tx.task.get(id);
      if (task && !hasEnded(task)) tx.task.update(rejected(task, nowMs));
    });
    for (const id of nodes) this.#nodes.delete(id);
    return this.#nodes.size > 0 ? nowMs : undefined;
  }

  /** Drained nodes are the orchestrator's business, and paused ones are left alone. */
  #misplacedOn(node: Node | undefined): readonly Task[] {
    if (!node || (node.spec?.availability ?? NodeSpec_Availability.ACTIVE) !== NodeSpec_Availability.ACTIVE) return [];
    return misplacedTasks(node, this.#reader.task.by('node', node.id), (id) => this.#reader.service.get(id));
  }
}

function rejected(task: Task, nowMs: number): Task {
  const now = timestampOfMs(nowMs);
  const status: TaskStatus = {
    ...(task.status ?? TaskStatus.fromPartial({})),
    state: TaskState.REJECTED,
    timestamp: now,
    appliedAt: now,
    message: REASON,
    err: REASON,
  };
  return { ...task, status };
}

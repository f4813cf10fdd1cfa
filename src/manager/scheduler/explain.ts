/** Why each task of a service is where it is or waits, read off a state of the store. */
import { msOfTimestamp } from '../../common/time.ts';
import type { Strategy as StrategyName } from '../../common/service-labels.ts';
import type { Service, Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Reader } from '../store/transaction.ts';
import { ClusterView, isWanted } from './cluster-view.ts';
import { noSuitableNode, Pipeline, explainTally, type Refusal } from './filters/pipeline.ts';
import { hypotheticalTask } from './hypothetical-task.ts';
import type { NodeInfo } from './node-info.ts';
import type { RankingContext, Strategy } from './strategies/strategy.ts';
import { strategyFor } from './strategy-choice.ts';
import { groupKeyOf, taskGroupOf } from './task-group.ts';

export interface ServiceExplanation {
  readonly serviceId: string;
  readonly strategy: StrategyName;
  readonly tasks: readonly TaskExplanation[];
  /** How every node would do for one more task, best first. */
  readonly next: readonly NodeExplanation[];
}

export interface TaskExplanation {
  readonly taskId: string;
  readonly slot: number;
  /** Empty while the task waits, unless its node is given. */
  readonly nodeId: string;
  /** One sentence: where it runs, or why it waits. */
  readonly summary: string;
  /**
   * Of a task with a node: that node, as if the task were not on it. Of a waiting task: all nodes, best first;
   * of several that wait for the same reasons only the first lists them.
   */
  readonly nodes: readonly NodeExplanation[];
}

export interface NodeExplanation {
  readonly nodeId: string;
  readonly hostname: string;
  readonly fits: boolean;
  /** Every filter the node fails, in the order they are asked; the node is charged to the first. */
  readonly refusals: readonly Refusal[];
  /** 100 for the best nodes, less for those after them, equal for equals; undefined for nodes that do not fit. */
  readonly score: number | undefined;
  /** What the strategy looked at, most important first. */
  readonly terms: Readonly<Record<string, number>>;
}

type ExplainReader = Pick<Reader, 'node' | 'task' | 'network' | 'cluster'>;

/**
 * Explains the tasks of a service that shall run.
 * @param nowMs time at which the age of failures is measured; by default that of the service's newest task status
 */
export function explainService(
  reader: ExplainReader,
  service: Service,
  nowMs: number = newestStatusMs(reader.task.by('service', service.id)),
): ServiceExplanation {
  const explainer = new Explainer(ClusterView.of(reader, nowMs), strategyFor(reader, service), nowMs);
  const tasks = reader.task
    .by('service', service.id)
    .filter((task) => isWanted(task) && stateOf(task) <= TaskState.RUNNING)
    .sort((a, b) => a.slot - b.slot || (a.id < b.id ? -1 : 1));
  return {
    serviceId: service.id,
    strategy: strategyFor(reader, service).name,
    tasks: tasks.map((task) => explainer.task(task)),
    next: explainer.all(hypotheticalTask(reader, service, 'next')),
  };
}

class Explainer {
  readonly #view: ClusterView;
  readonly #strategy: Strategy;
  readonly #nowMs: number;
  /** Groups whose nodes were listed already. */
  readonly #listed = new Set<string>();

  constructor(view: ClusterView, strategy: Strategy, nowMs: number) {
    this.#view = view;
    this.#strategy = strategy;
    this.#nowMs = nowMs;
  }

  task(task: Task): TaskExplanation {
    const about = { taskId: task.id, slot: task.slot, nodeId: task.nodeId };
    if (stateOf(task) >= TaskState.ASSIGNED) return { ...about, ...this.#placed(task) };
    if (stateOf(task) < TaskState.PENDING) {
      const reason = task.status?.err || task.status?.message || 'not looked at yet';
      return { ...about, summary: `waits for its network resources: ${reason}`, nodes: [] };
    }
    return { ...about, ...(task.nodeId === '' ? this.#waiting(task) : this.#preassigned(task)) };
  }

  /** All nodes for a task, best first. */
  all(task: Task): readonly NodeExplanation[] {
    return this.#explain(task, [...this.#view.nodes.values()]);
  }

  #placed(task: Task): Pick<TaskExplanation, 'summary' | 'nodes'> {
    const node = this.#view.nodes.get(task.nodeId);
    if (!node) return { summary: `was placed on node ${task.nodeId}, which no longer exists`, nodes: [] };
    this.#view.removeTask(task.id);
    const nodes = this.#explain(task, [node]);
    this.#view.setTask(task, this.#nowMs);
    const terms = Object.entries(nodes[0]?.terms ?? {}).map(([name, value]) => `${inWords(name)} ${value}`);
    const found = `${this.#strategy.name}; beside this task there: ${terms.join(', ')}`;
    return { summary: `is on node ${nodes[0]?.hostname || task.nodeId} (${found})`, nodes };
  }

  #preassigned(task: Task): Pick<TaskExplanation, 'summary' | 'nodes'> {
    const node = this.#view.nodes.get(task.nodeId);
    if (!node) return { summary: `waits for node ${task.nodeId}, which does not exist`, nodes: [] };
    const tally = new Pipeline(taskGroupOf(task)).tally([node]);
    const reason = tally.size === 0 ? 'its turn' : `its node: ${explainTally(tally)}`;
    return { summary: `waits for ${reason}`, nodes: this.#explain(task, [node]) };
  }

  #waiting(task: Task): Pick<TaskExplanation, 'summary' | 'nodes'> {
    const group = taskGroupOf(task);
    const tally = new Pipeline(group).tally(this.#view.nodes.values());
    const isFirst = !this.#listed.has(groupKeyOf(task));
    this.#listed.add(group.key);
    const refused = [...tally.values()].reduce((sum, count) => sum + count, 0);
    const summary =
      refused < this.#view.nodes.size ? 'waits for its turn, there are nodes that fit' : noSuitableNode(tally);
    return { summary, nodes: isFirst ? this.all(task) : [] };
  }

  #explain(task: Task, nodes: readonly NodeInfo[]): readonly NodeExplanation[] {
    const group = taskGroupOf(task);
    const pipeline = new Pipeline(group);
    // Ranks and terms take no chances, so no random source is needed.
    const context: RankingContext = { group, nowMs: this.#nowMs, random: () => 0 };
    const judged = nodes.map((node) => ({
      node,
      refusals: pipeline.refusals(node),
      rank: this.#strategy.rank(node, context),
    }));
    const fitting = judged.filter(({ refusals }) => refusals.length === 0).sort((a, b) => a.rank - b.rank);
    const better = new Map<number, number>();
    for (const [index, { rank }] of fitting.entries()) if (!better.has(rank)) better.set(rank, index);
    const score = (rank: number): number => Math.round(100 * (1 - (better.get(rank) ?? 0) / fitting.length));
    return judged
      .map(({ node, refusals, rank }) => ({
        nodeId: node.id,
        hostname: node.node?.description?.hostname ?? '',
        fits: refusals.length === 0,
        refusals,
        score: refusals.length === 0 ? score(rank) : undefined,
        terms: this.#strategy.terms(node, context),
      }))
      .sort((a, b) => (b.score ?? -1) - (a.score ?? -1) || (a.nodeId < b.nodeId ? -1 : 1));
  }
}

/** "tasksOfService" as people read it. */
const inWords = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

const stateOf = (task: Task): TaskState => task.status?.state ?? TaskState.NEW;

const newestStatusMs = (tasks: readonly Task[]): number =>
  tasks.reduce((newest, { status }) => Math.max(newest, status?.timestamp ? msOfTimestamp(status.timestamp) : 0), 0);

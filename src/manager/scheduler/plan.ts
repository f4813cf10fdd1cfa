/** Where tasks of a service would go if there were more of them, without changing anything. */
import type { Random } from '../../common/random.ts';
import type { Service } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { Reader } from '../store/transaction.ts';
import { ClusterView } from './cluster-view.ts';
import { noSuitableNode, Pipeline } from './filters/pipeline.ts';
import { hypotheticalTask } from './hypothetical-task.ts';
import { nodesFor } from './place.ts';
import { strategyFor } from './strategy-choice.ts';
import { taskGroupOf } from './task-group.ts';

export interface PlanInput {
  readonly reader: Pick<Reader, 'node' | 'task' | 'network' | 'service' | 'cluster'>;
  /** As stored, or as it would be. */
  readonly service: Service;
  /** Tasks to place, beside those the service has. */
  readonly count: number;
  /** Wall-clock time in ms. */
  readonly nowMs: number;
  readonly random: Random;
}

export interface PlacementPlan {
  /** Node ids in the order in which tasks would be placed. */
  readonly nodeIds: readonly string[];
  /** Why the rest would wait; undefined when all tasks find a node. */
  readonly reason: string | undefined;
}

/** Gives the nodes the scheduler would choose in the state the reader shows. */
export function planPlacement({ reader, service, count, nowMs, random }: PlanInput): PlacementPlan {
  const view = ClusterView.of(reader, nowMs);
  const group = taskGroupOf(hypotheticalTask(reader, service, 'planned'));
  const pipeline = new Pipeline(group);
  const picker = nodesFor({ source: view, group, pipeline, strategy: strategyFor(reader, service), nowMs, random });
  const nodeIds: string[] = [];
  while (nodeIds.length < count) {
    const node = picker.pick();
    if (!node) return { nodeIds, reason: noSuitableNode(pipeline.tally(view.nodes.values())) };
    view.reserve({ ...group.sample, id: `planned-${nodeIds.length}` }, group, node);
    nodeIds.push(node.id);
  }
  return { nodeIds, reason: undefined };
}

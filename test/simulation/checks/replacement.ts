/** Tasks that are made, with what they replace in the same transaction, and why that had to go. */
import { sameValue } from '../../../src/common/same-value.ts';
import type { Change } from '../../../src/manager/store/change.ts';
import { hasEnded, isWanted } from '../../../src/manager/orchestrator/task-life.ts';
import { enforcedConstraints, nodeSatisfies } from '../../../src/manager/placement/constraint.ts';
import type { Service, Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import type { World } from './world.ts';

export interface Replacement {
  readonly task: Task;
  readonly service: Service;
  /** What was wanted in its slot before and is asked to stop in the same transaction. */
  readonly replaced: readonly Task[];
}

/** All tasks made in a commit, for services that are there. */
export function replacementsIn(changes: readonly Change[], world: World): readonly Replacement[] {
  const found: Replacement[] = [];
  for (const change of changes) {
    if (change.kind !== 'task' || change.action !== 'create') continue;
    const task = change.object;
    const service = world.service(task.serviceId);
    if (!service) continue;
    const key = world.slotKeyOf(task);
    const replaced = changes.flatMap((other) =>
      other.kind === 'task' &&
      other.action === 'update' &&
      isWanted(other.old) &&
      other.object.desiredState === TaskState.SHUTDOWN &&
      other.object.serviceId === task.serviceId &&
      world.slotKeyOf(other.object) === key
        ? [other.object]
        : [],
    );
    found.push({ task, service, replaced });
  }
  return found;
}

/** Why a task had to make room for another. */
export type Cause =
  /** It had ended. */
  | 'ended'
  /** Its node is down, drained or gone. */
  | 'node'
  /** The service asks for something else now. */
  | 'changed'
  | 'none';

export function causeOf(old: Task, task: Task, world: World): Cause {
  if (hasEnded(old)) return 'ended';
  if (old.nodeId !== '' && world.wasUnfit(old.nodeId)) return 'node';
  return asksForOther(old, task, world) ? 'changed' : 'none';
}

/** Compared apart from the product's own idea of it: specs as they are, and placement only where the node no longer fits. */
function asksForOther(old: Task, task: Task, world: World): boolean {
  if (!sameValue(old.endpoint?.spec, task.endpoint?.spec) && old.endpoint !== undefined) return true;
  if (!sameValue({ ...old.spec, placement: undefined }, { ...task.spec, placement: undefined })) return true;
  const node = world.node(old.nodeId);
  return !sameValue(old.spec?.placement, task.spec?.placement) && !(node && fits(task, node));
}

const fits = (task: Task, node: Parameters<typeof nodeSatisfies>[1]): boolean =>
  nodeSatisfies(enforcedConstraints(task.spec?.placement?.constraints), node);

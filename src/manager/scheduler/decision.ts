/** What the scheduler decides about one task, and how that becomes a change in the store. */
import type { Timestamp } from '../../proto/generated/google/protobuf/timestamp.ts';
import { TaskStatus, TaskState } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Node, Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { genericListOf } from '../placement/generic-resource.ts';
import type { Writer } from '../store/transaction.ts';
import { isWanted } from './cluster-view.ts';
import type { Hold } from './node-info.ts';

export type Decision =
  /** The task goes to the node, as it was when it was found to fit, and `hold` is reserved there. */
  | { readonly kind: 'assign'; readonly task: Task; readonly node: Node; readonly hold: Hold }
  /** No node fits; `reason` says why. */
  | { readonly kind: 'wait'; readonly task: Task; readonly reason: string }
  /** Nobody wants the task any more and no agent has it. */
  | { readonly kind: 'end'; readonly task: Task };

const NO_STATUS = TaskStatus.fromPartial({});
const CHOSEN = 'scheduler assigned task to node';
const CONFIRMED = 'scheduler confirmed task can run on preassigned node';

/**
 * Writes a decision if the task and the node are still as they were when it was made.
 * Returns false when they are not: then nothing is written and the task must be looked at again.
 */
export function writeDecision(tx: Writer, decision: Decision, timestamp: Timestamp): boolean {
  const tasks = tx.task;
  const task = tasks.get(decision.task.id);
  if (!task?.status || !isSame(task, decision.task)) return false;
  switch (decision.kind) {
    case 'assign': {
      const { node, hold } = decision;
      // Any change to the node may have made it unfit.
      if (!isWanted(task) || !isSame(tx.node.get(node.id), node)) return false;
      tasks.update({
        ...task,
        nodeId: node.id,
        assignedGenericResources: genericListOf(hold.generic),
        status: {
          ...NO_STATUS,
          state: TaskState.ASSIGNED,
          timestamp,
          message: hold.isPreassigned ? CONFIRMED : CHOSEN,
        },
      });
      return true;
    }
    case 'wait':
      if (!isWanted(task)) return false;
      if (task.status.err !== decision.reason) {
        tasks.update({ ...task, status: { ...task.status, timestamp, err: decision.reason } });
      }
      return true;
    case 'end':
      if (isWanted(task)) return false;
      tasks.update({
        ...task,
        status: { ...task.status, state: TaskState.SHUTDOWN, timestamp, err: '' },
      });
      return true;
  }
}

const isSame = (now: Task | Node | undefined, then: Task | Node): boolean =>
  now?.meta?.version?.index === then.meta?.version?.index;

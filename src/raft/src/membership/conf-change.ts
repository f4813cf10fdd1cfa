/** What a proposed configuration change asks for. */
import { ConfChangeTransition } from '../types.ts';
import type { ConfChange, ConfChangeV2 } from '../types.ts';
import { NO_BYTES } from '../messages.ts';

/** Leaves a joint configuration. */
export const LEAVE_JOINT: ConfChangeV2 = { transition: ConfChangeTransition.Auto, changes: [], context: NO_BYTES };

export function isConfChangeV2(change: ConfChange | ConfChangeV2): change is ConfChangeV2 {
  return 'changes' in change;
}

/** Any change in the newer form. */
export function asConfChangeV2(change: ConfChange | ConfChangeV2): ConfChangeV2 {
  if (isConfChangeV2(change)) return change;
  return {
    transition: ConfChangeTransition.Auto,
    changes: [{ type: change.type, nodeId: change.nodeId }],
    context: change.context,
  };
}

/** True for a change that only leaves a joint configuration. */
export function leavesJoint(change: ConfChangeV2): boolean {
  return change.transition === ConfChangeTransition.Auto && change.changes.length === 0;
}

/** Whether the change goes through a joint configuration, and if so whether the leader leaves it by itself. */
export function jointTransition(change: ConfChangeV2): { readonly autoLeave: boolean } | undefined {
  if (change.transition === ConfChangeTransition.Auto && change.changes.length <= 1) return undefined;
  return { autoLeave: change.transition !== ConfChangeTransition.JointExplicit };
}

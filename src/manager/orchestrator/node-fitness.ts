/** What the state of a node means for the tasks on it. */
import type { Node } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeSpec_Availability } from '../../proto/generated/docker/swarmkit/v1/specs.ts';
import { NodeStatus_State } from '../../proto/generated/docker/swarmkit/v1/types.ts';

/** Its agent cannot be expected to stop anything any more. */
export const isLost = (node: Node | undefined): boolean => node?.status?.state === NodeStatus_State.DOWN || !node;

const isDrained = (node: Node): boolean => node.spec?.availability === NodeSpec_Availability.DRAIN;

/** Accepts neither new tasks nor updates, but keeps what it has. */
export const isPaused = (node: Node): boolean => node.spec?.availability === NodeSpec_Availability.PAUSE;

/**
 * Whether tasks may stay. Only a removed, DOWN or drained node loses its tasks: UNKNOWN and DISCONNECTED say that a
 * manager has not heard from it, which is no reason to move work.
 */
export const mayKeepTasks = (node: Node | undefined): node is Node =>
  node !== undefined && !isLost(node) && !isDrained(node);

/** Whether a change of a node can matter to where tasks run. */
export function differsForTasks(old: Node, now: Node): boolean {
  return (
    old.status?.state !== now.status?.state ||
    old.status?.addr !== now.status?.addr ||
    old.role !== now.role ||
    old.spec !== now.spec ||
    old.description !== now.description
  );
}

/** First phase: which nodes can take a task of a group at all. One filter knows one reason why a node cannot. */
import type { NodeInfo } from '../node-info.ts';
import type { TaskGroup } from '../task-group.ts';

/**
 * What can happen on a node that may make it fit where it did not:
 * `node` it appeared or its description, labels, state or availability changed; `capacity` resources were freed or added;
 * `ports` a host-mode port was freed; `slots` fewer tasks of some service are wanted there.
 */
export type Gain = 'node' | 'capacity' | 'ports' | 'slots';

/** A filter made ready for one group. Keeps no state: the answer depends on the node alone. */
export interface NodeCheck {
  passes(node: NodeInfo): boolean;
  /** Why a node that does not pass does not, for people. */
  why(node: NodeInfo): string;
}

export interface Filter {
  readonly name: string;
  /** Whether placing a task of the group on a node can change the answer for that node. */
  readonly isConsumed: boolean;
  readonly helpedBy: Gain;
  /** The check for a group; undefined when the group asks nothing of this filter. */
  applies(group: TaskGroup): NodeCheck | undefined;
  /** The reason for `count` refused nodes, in the words of Docker. */
  explain(count: number): string;
}

/** "1 node", "3 nodes". */
export const nodes = (count: number): string => (count === 1 ? '1 node' : `${count} nodes`);

/** Names of states in case files, and what tasks look like to them. */
import type { Node, Service, Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeStatus_State, TaskState } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aNode, aTask, type NodeGiven } from '../../support/builders.ts';

export function stateNamed(name: string): TaskState {
  const state = TaskState[name as keyof typeof TaskState];
  if (state === undefined) throw new Error(`the handler does not know task state ${name}`);
  return state;
}

export const nameOfState = (state: TaskState): string =>
  Object.keys(TaskState).find((name) => TaskState[name as keyof typeof TaskState] === state) ?? String(state);

/** A task as case files describe it. */
export interface CaseTask {
  readonly id?: string;
  readonly slot?: number;
  /** Running when left out. */
  readonly state?: string;
  readonly desired?: string;
  readonly node?: string | null;
}

export function taskOf(
  service: Service,
  given: CaseTask,
  place: { readonly slot?: number; readonly nodeId?: string },
): Task {
  const slot = given.slot ?? place.slot ?? 0;
  return aTask(service, {
    id: given.id ?? `task-${slot}-${place.nodeId ?? ''}`,
    slot,
    nodeId: given.node === null ? '' : (given.node ?? place.nodeId ?? ''),
    desiredState: given.desired === undefined ? TaskState.RUNNING : stateNamed(given.desired),
    status: { state: stateNamed(given.state ?? 'RUNNING') },
  });
}

/** A node whose condition is given by one word, as in case files: READY, DOWN, UNKNOWN, DISCONNECTED, drain, pause, active. */
export function nodeIn(id: string, condition: string | undefined, labels?: Readonly<Record<string, string>>): Node {
  return aNode(id, { ...nodeGiven(condition), ...(labels && { labels }) });
}

function nodeGiven(condition: string | undefined): NodeGiven {
  switch (condition) {
    case undefined:
    case 'READY':
      return {};
    case 'active':
    case 'drain':
    case 'pause':
      return { availability: condition };
    default: {
      const state = NodeStatus_State[condition as keyof typeof NodeStatus_State];
      if (state === undefined) throw new Error(`the handler does not know node condition ${condition}`);
      return { state };
    }
  }
}

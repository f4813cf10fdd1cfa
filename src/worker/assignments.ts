/**
 * Reads one assignment stream. A COMPLETE message stands for itself; an INCREMENTAL one counts only on exactly the
 * state it was made for. After a gap the whole session has to go: asking again on the same session would loop.
 */
import { SwarmError } from '../common/errors.ts';
import {
  AssignmentChange_AssignmentAction as Action,
  AssignmentsMessage_Type as Type,
  type AssignmentsMessage,
  type NetworkPeer,
} from '../proto/generated/docker/swarmkit/v1/dispatcher.ts';
import type { Config, Secret, Task } from '../proto/generated/docker/swarmkit/v1/objects.ts';

/** What one kind of object changes by. */
export interface Changes<T> {
  readonly updated: readonly T[];
  readonly removed: readonly string[];
}

export interface AssignmentSet {
  /** True when everything not named in `updated` is withdrawn. */
  readonly isComplete: boolean;
  readonly tasks: Changes<Task>;
  readonly secrets: Changes<Secret>;
  readonly configs: Changes<Config>;
  readonly peers: Changes<NetworkPeer>;
}

export class AssignmentStream {
  #position: string | undefined;

  /** Position after the last message; undefined before the first. */
  get position(): string | undefined {
    return this.#position;
  }

  /** The changes of the next message. Throws `outOfSequence` on a gap; then the session has to end. */
  accept(message: AssignmentsMessage): AssignmentSet {
    const isComplete = message.type === Type.COMPLETE;
    if (!isComplete && message.appliesTo !== this.#position) {
      const position = this.#position === undefined ? 'nothing' : `"${this.#position}"`;
      throw new SwarmError(
        'outOfSequence',
        `assignments for state "${message.appliesTo}" arrived on top of ${position}: registering anew`,
      );
    }
    this.#position = message.resultsIn;
    return sortChanges(message, isComplete);
  }
}

interface Collected<T> {
  readonly updated: T[];
  readonly removed: string[];
}

function sortChanges(message: AssignmentsMessage, isComplete: boolean): AssignmentSet {
  const tasks: Collected<Task> = { updated: [], removed: [] };
  const secrets: Collected<Secret> = { updated: [], removed: [] };
  const configs: Collected<Config> = { updated: [], removed: [] };
  const peers: Collected<NetworkPeer> = { updated: [], removed: [] };
  const put = <T extends { readonly id: string }>(into: Collected<T>, action: Action, value: T): void => {
    if (action === Action.REMOVE) into.removed.push(value.id);
    else into.updated.push(value);
  };
  for (const { assignment, action } of message.changes) {
    const item = assignment?.item;
    if (item?.$case === 'task') put(tasks, action, item.value);
    else if (item?.$case === 'secret') put(secrets, action, item.value);
    else if (item?.$case === 'config') put(configs, action, item.value);
    else if (item?.$case === 'peer') put(peers, action, item.value);
  }
  return { isComplete, tasks, secrets, configs, peers };
}

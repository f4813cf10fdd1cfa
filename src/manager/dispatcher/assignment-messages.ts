/** The messages of an Assignments stream: everything once, then what changes, each message naming the one it builds on. */
import {
  AssignmentsMessage_Type as Type,
  type AssignmentsMessage,
  type TasksMessage,
} from '../../proto/generated/docker/swarmkit/v1/dispatcher.ts';
import type { AssignmentFeed } from './assignment-feed.ts';

/** Never leaves a gap: an agent that met one would ask again in a hot loop. To start over, the stream is ended with an error. */
export async function* assignmentMessages(feed: AssignmentFeed): AsyncGenerator<AssignmentsMessage> {
  if (!feed.stream.isOpen()) return;
  let sequence = 1;
  yield { type: Type.COMPLETE, appliesTo: '', resultsIn: String(sequence), changes: feed.complete() };
  while (await feed.stream.next()) {
    while (feed.size > 0 && feed.stream.isOpen()) {
      const changes = feed.take();
      if (changes.length === 0) continue;
      const appliesTo = String(sequence++);
      yield { type: Type.INCREMENTAL, appliesTo, resultsIn: String(sequence), changes };
    }
  }
}

/** The call of older agents: all tasks of the node, again after every change. */
export async function* taskMessages(feed: AssignmentFeed): AsyncGenerator<TasksMessage> {
  if (!feed.stream.isOpen()) return;
  feed.complete();
  yield { tasks: feed.tasks };
  while (await feed.stream.next()) {
    let isChanged = false;
    while (feed.size > 0) isChanged = feed.take().length > 0 || isChanged;
    if (isChanged && feed.stream.isOpen()) yield { tasks: feed.tasks };
  }
}

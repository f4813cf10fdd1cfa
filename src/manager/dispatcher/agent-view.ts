/** What of an object an agent acts on: only a change of that is worth a message to it. */
import { Node, Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../proto/generated/docker/swarmkit/v1/types.ts';

const stateOf = (task: Task): TaskState => task.status?.state ?? TaskState.NEW;

/** Agents see tasks from the moment they are placed. */
export const isForAgent = (task: Task): boolean => stateOf(task) >= TaskState.ASSIGNED;

/** Whether the task may still need its secrets, configs and volumes. */
export const needsDependencies = (task: Task): boolean => stateOf(task) <= TaskState.RUNNING;

/**
 * Whether an agent that was sent `sent` must be sent `current`. From ACCEPTED on the status is the agent's own and is not
 * echoed; before that managers may still change it.
 */
export function mustResend(sent: Task, current: Task): boolean {
  if (sent === current) return false;
  if (stateOf(current) <= TaskState.ASSIGNED) return true;
  return !sameExcept(Task, TASK_ECHO, sent, current);
}

/** Whether a change from `old` to `current` can matter to the agent at all; cheap, and may err towards yes. */
export const mayConcernAgent = (old: Task, current: Task): boolean =>
  stateOf(current) <= TaskState.ASSIGNED ||
  needsDependencies(old) !== needsDependencies(current) ||
  !sameReferences(TASK_ECHO, old, current);

/** Whether two versions of a node look alike to its agent, which knows its own status and description. */
export const sameNodeForAgent = (a: Node, b: Node): boolean => sameExcept(Node, NODE_ECHO, a, b);

const TASK_ECHO: ReadonlySet<string> = new Set<keyof Task>(['meta', 'status']);
const NODE_ECHO: ReadonlySet<string> = new Set<keyof Node>(['meta', 'status', 'description', 'managerStatus']);

/** Writers copy what they do not change, so most comparisons end at identical references. */
function sameReferences<T extends object>(ignored: ReadonlySet<string>, a: T, b: T): boolean {
  for (const key in a) if (a[key] !== b[key] && !ignored.has(key)) return false;
  for (const key in b) if (a[key] !== b[key] && !ignored.has(key)) return false;
  return true;
}

function sameExcept<T extends object>(
  message: { encode(value: T): { finish(): Uint8Array } },
  ignored: ReadonlySet<string>,
  a: T,
  b: T,
): boolean {
  if (a === b || sameReferences(ignored, a, b)) return true;
  if (differsPlainly(ignored, a, b)) return false;
  const bytes = (value: T): Uint8Array => message.encode(without(value, ignored)).finish();
  return Buffer.compare(bytes(a), bytes(b)) === 0;
}

/** Whether a number, text or flag differs: then there is no need to encode both. */
function differsPlainly<T extends object>(ignored: ReadonlySet<string>, a: T, b: T): boolean {
  for (const key in a) {
    if (a[key] === b[key] || ignored.has(key)) continue;
    const kind = typeof a[key];
    if (kind === typeof b[key] && (kind === 'number' || kind === 'string' || kind === 'boolean')) return true;
  }
  return false;
}

const without = <T extends object>(value: T, ignored: ReadonlySet<string>): T =>
  Object.fromEntries(Object.entries(value).map(([key, v]) => [key, ignored.has(key) ? undefined : v])) as T;

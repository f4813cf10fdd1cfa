/**
 * The life of a task on its node as a pure table: which step comes next, and which state the outcome of a step leads to.
 * States only grow, a task never goes beyond what is wanted of it, and a task that was asked to stop ends as SHUTDOWN
 * whatever happened on the way, so that nobody takes its end for a failure.
 */
import { errorText, isSwarmError } from '../common/errors.ts';
import { TaskState } from '../proto/generated/docker/swarmkit/v1/types.ts';
import type { ExitStatus } from './drivers/driver.ts';
import { TaskEndedError } from './drivers/task-ended-error.ts';
import { exitText } from './exit-text.ts';

/** What the runtime can be asked to do for a task; `resolve` makes its controller. */
export type Call = 'resolve' | 'prepare' | 'start' | 'wait' | 'stop';

export type Step =
  /** Nothing to do until more is wanted of the task. */
  | { readonly kind: 'rest' }
  | { readonly kind: 'move'; readonly state: TaskState; readonly message: string }
  | { readonly kind: 'call'; readonly call: Call };

export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'exited'; readonly exit: ExitStatus }
  | { readonly kind: 'failed'; readonly error: unknown };

/** What an outcome means for the task's status. `message` and `error` are undefined where the old text stays. */
export type Consequence =
  | {
      readonly kind: 'move';
      readonly state: TaskState;
      readonly message: string | undefined;
      readonly error: string;
      readonly exitCode: number | undefined;
    }
  /** Same state, same call again after a while. */
  | { readonly kind: 'retry'; readonly afterMs: number; readonly error: string };

/** Wait before the same call is tried again after a temporary error, in ms. */
export const RETRY_MS = 1000;

export const isTerminal = (state: TaskState): boolean => state >= TaskState.COMPLETE;

const REST: Step = { kind: 'rest' };
const call = (name: Call): Step => ({ kind: 'call', call: name });
const move = (state: TaskState, message: string): Step => ({ kind: 'move', state, message });

/** The next step of a task in `state` of which `desired` is wanted. */
export function nextStep(state: TaskState, desired: TaskState): Step {
  if (isTerminal(state)) return REST;
  if (desired >= TaskState.SHUTDOWN) return call('stop');
  if (state > desired) return REST;
  // What was begun is carried through also when no more than this state is wanted.
  if (state === TaskState.PREPARING) return call('prepare');
  if (state === TaskState.STARTING) return call('start');
  if (state === TaskState.RUNNING) return call('wait');
  if (state === desired) return REST;
  if (state < TaskState.ACCEPTED) return call('resolve');
  if (state === TaskState.ACCEPTED) return move(TaskState.PREPARING, 'preparing');
  return move(TaskState.STARTING, 'starting');
}

const SUCCESS: Readonly<Record<Call, readonly [TaskState, string]>> = {
  resolve: [TaskState.ACCEPTED, 'accepted'],
  prepare: [TaskState.READY, 'prepared'],
  start: [TaskState.RUNNING, 'started'],
  wait: [TaskState.COMPLETE, 'finished'],
  stop: [TaskState.SHUTDOWN, 'shutdown'],
};

/** What the outcome of a call means for a task in `state`. */
export function consequence(state: TaskState, name: Call, outcome: Outcome): Consequence {
  if (outcome.kind === 'failed') return failure(state, name, outcome.error);
  const exit = outcome.kind === 'exited' ? outcome.exit : undefined;
  if (exit && hasFailed(exit)) {
    return {
      kind: 'move',
      state: TaskState.FAILED,
      message: undefined,
      error: exitText(exit),
      exitCode: exit.exitCode,
    };
  }
  // A task resumed beyond ACCEPTED gets its controller anew but keeps its state.
  if (name === 'resolve' && state >= TaskState.ACCEPTED) {
    return { kind: 'move', state, message: undefined, error: '', exitCode: undefined };
  }
  const [next, message] = SUCCESS[name];
  return { kind: 'move', state: next, message, error: '', exitCode: exit?.exitCode };
}

/** Whether an end counts as a failure; one with exit code 0 does when the runtime names a reason. */
export const hasFailed = (exit: ExitStatus): boolean => exit.exitCode !== 0 || exit.reason !== '';

function failure(state: TaskState, name: Call, error: unknown): Consequence {
  const text = errorText(error);
  if (isTemporary(error)) {
    // A running task stays what it is while its runtime is away; nobody would take the error back later.
    const isSilent = name === 'wait' || isCancelled(error);
    return { kind: 'retry', afterMs: RETRY_MS, error: isSilent ? '' : text };
  }
  if (name === 'stop') {
    return { kind: 'move', state: TaskState.SHUTDOWN, message: 'shutdown', error: text, exitCode: undefined };
  }
  // What has ended stays as it ended, also when its controller cannot be made any more.
  const end = isTerminal(state) ? state : state < TaskState.STARTING ? TaskState.REJECTED : TaskState.FAILED;
  const message = name === 'resolve' ? 'resolving controller failed' : undefined;
  const exitCode = error instanceof TaskEndedError ? error.exit.exitCode : undefined;
  return { kind: 'move', state: end, message, error: text, exitCode };
}

const isCancelled = (error: unknown): boolean =>
  isSwarmError(error, 'cancelled') || (error instanceof Error && error.name === 'AbortError');

/** Errors that may be gone when the same call is made again. */
const isTemporary = (error: unknown): boolean => isCancelled(error) || (isSwarmError(error) && error.isRetryable);

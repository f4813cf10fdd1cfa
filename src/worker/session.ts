/**
 * One session with one manager: register, then heartbeats, assignments, status reports and log subscriptions side by
 * side. Whichever of them fails or ends first ends them all; the agent then builds a new session.
 */
import { Metadata } from '@grpc/grpc-js';
import type { Clock } from '../common/clock.ts';
import { sleep } from '../common/clock.ts';
import { isSwarmError, SwarmError } from '../common/errors.ts';
import { WILL_RETURN } from '../common/farewell.ts';
import { unary } from '../common/rpc-client.ts';
import { msOfDuration } from '../common/time.ts';
import type {
  AssignmentsMessage,
  SessionMessage,
  UpdateTaskStatusRequest_TaskStatusUpdate as StatusUpdate,
} from '../proto/generated/docker/swarmkit/v1/dispatcher.ts';
import type { SubscriptionMessage } from '../proto/generated/docker/swarmkit/v1/logbroker.ts';
import type { NodeDescription } from '../proto/generated/docker/swarmkit/v1/types.ts';
import type { ManagerConnection } from './manager-connector.ts';
import type { SendStatuses } from './reporter.ts';
import { messagesOf } from './stream-messages.ts';

/** Longest that ending a session in good order may take, in ms. */
const FAREWELL_TIMEOUT_MS = 500;
/** An RPC not answered within this is taken as failed, in ms; a heartbeat may take its whole period if that is longer. */
const RPC_TIMEOUT_MS = 5000;
/**
 * The same for statuses. A manager that is gone is noticed by the heartbeats; one that has thousands of agents to hear takes its time, and
 * a session that ends for that has to be built anew, which costs it more.
 */
const STATUS_TIMEOUT_MS = 15_000;

export interface SessionOptions {
  readonly connection: ManagerConnection;
  readonly clock: Clock;
  readonly description: NodeDescription;
  /** Session to take up again; empty to register anew. */
  readonly sessionId: string;
  /** Ask for the tasks on other nodes that share networks with this node's. */
  readonly wantsPeers: boolean;
  /** Whether the agent comes back after the signal: then the manager is told, and waits for it. */
  readonly willReturn: () => boolean;
}

/** What the rest of the agent does with the session. Throwing from a handler ends the session. */
export interface SessionHandlers {
  /** Registered; `live` can be used until the session ends. */
  readonly onOpen: (live: LiveSession) => void;
  /** Called for the first message too. */
  readonly onMessage: (message: SessionMessage) => void;
  readonly onAssignments: (message: AssignmentsMessage) => void;
  readonly onHeartbeat: () => void;
  readonly onSubscription: (message: SubscriptionMessage, signal: AbortSignal) => void;
}

export interface LiveSession {
  readonly id: string;
  /** Rejects, and ends the session, when the manager did not take the statuses. */
  readonly sendStatuses: SendStatuses;
}

/** Runs a session until it ends; always rejects, with the reason. An aborted signal ends it with the signal's reason. */
export async function runSession(
  options: SessionOptions,
  handlers: SessionHandlers,
  signal: AbortSignal,
): Promise<never> {
  const { connection, clock, description, sessionId, willReturn, wantsPeers } = options;
  const { dispatcher, logBroker } = connection;
  const ending = new AbortController();
  const end = (reason: unknown): void => ending.abort(reason);
  const onAbort = (): void => void farewell().then(() => end(signal.reason));
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) end(signal.reason);
  const within = (timeoutMs: number) => ({ timeoutMs, signal: ending.signal });
  let id = '';

  const farewell = async (): Promise<void> => {
    if (id === '' || !willReturn()) return;
    const metadata = new Metadata();
    metadata.set(WILL_RETURN, '1');
    const soon = { timeoutMs: FAREWELL_TIMEOUT_MS, metadata };
    await unary(dispatcher.heartbeat.bind(dispatcher), { sessionId: id }, soon).catch(() => undefined);
  };

  const follow = async (): Promise<void> => {
    const deadline = clock.setTimer(RPC_TIMEOUT_MS, () =>
      end(new SwarmError('deadlineExceeded', `registering was not answered within ${RPC_TIMEOUT_MS} ms`)),
    );
    try {
      for await (const message of messagesOf(dispatcher.session({ description, sessionId }), ending.signal)) {
        deadline();
        const isFirst = id === '';
        id = message.sessionId;
        handlers.onMessage(message);
        if (isFirst) open();
      }
    } finally {
      deadline();
    }
    throw new SwarmError('unavailable', 'the manager ended the session');
  };

  const sendStatuses = async (updates: readonly StatusUpdate[]): Promise<void> => {
    try {
      await unary(dispatcher.updateTaskStatus.bind(dispatcher), { sessionId: id, updates }, within(STATUS_TIMEOUT_MS));
    } catch (error) {
      // The manager knows none of these tasks any more: there is nothing to tell.
      if (isSwarmError(error, 'notFound')) return;
      end(error);
      throw error;
    }
  };

  const beat = async (): Promise<never> => {
    for (let periodMs = RPC_TIMEOUT_MS; ;) {
      const patient = within(Math.max(RPC_TIMEOUT_MS, periodMs));
      const { period } = await unary(dispatcher.heartbeat.bind(dispatcher), { sessionId: id }, patient);
      handlers.onHeartbeat();
      if (period) periodMs = msOfDuration(period);
      await sleep(clock, periodMs, ending.signal);
    }
  };

  const assignments = async (): Promise<never> => {
    for await (const message of messagesOf(dispatcher.assignments({ sessionId: id, wantsPeers }), ending.signal)) {
      handlers.onAssignments(message);
    }
    throw new SwarmError('unavailable', 'the manager ended the assignment stream');
  };

  const subscriptions = async (): Promise<void> => {
    try {
      for await (const message of messagesOf(logBroker.listenSubscriptions({}), ending.signal)) {
        handlers.onSubscription(message, ending.signal);
      }
    } catch (error) {
      // A manager without a log broker is a manager all the same.
      if (isSwarmError(error, 'unimplemented')) return;
      throw error;
    }
    throw new SwarmError('unavailable', 'the manager ended the log subscription stream');
  };

  const parts: Promise<void>[] = [];
  const part = (run: () => Promise<void>): void => void parts.push(run().catch(end));
  const open = (): void => {
    handlers.onOpen({ id, sendStatuses });
    part(assignments);
    part(subscriptions);
    part(beat);
  };

  part(follow);
  try {
    // `parts` grows while the first one runs; the first one only ends together with the session.
    await parts[0];
    await Promise.all(parts);
    throw ending.signal.reason;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

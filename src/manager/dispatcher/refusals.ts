/** What agents are told when a call cannot be served; they act on the code, people read the text. */
import { SwarmError } from '../../common/errors.ts';
import type { LeaderAddress } from './options.ts';

/** The node was removed, or this manager stops leading: the agent drops the session and looks for a manager. */
export const mustDisconnect = (): SwarmError => new SwarmError('aborted', 'node must disconnect');

export const notLeading = (leader: LeaderAddress | undefined): SwarmError =>
  new SwarmError(
    'notLeader',
    leader
      ? `this manager does not serve agents now: register with the leader ${leader.nodeId} at ${leader.address}`
      : 'this manager does not serve agents now and knows no leader: try again, or try another manager',
  );

export const unknownNode = (nodeId: string): SwarmError =>
  new SwarmError(
    'notFound',
    `node ${nodeId} is not part of this cluster (it may have been removed): leave and join again`,
  );

export const notRegistered = (nodeId: string): SwarmError =>
  new SwarmError('notFound', `node ${nodeId} has no session with this manager: register again`);

export const staleSession = (nodeId: string): SwarmError =>
  new SwarmError('invalidArgument', `node ${nodeId} used a session that is no longer valid: register again`);

export const replacedSession = (nodeId: string): SwarmError =>
  new SwarmError(
    'invalidArgument',
    `node ${nodeId} opened a newer session, which replaces this one; if two machines share one identity, let one of them leave and join again`,
  );

export const tooManyRegistrations = (nodeId: string, count: number, windowMs: number): SwarmError =>
  new SwarmError(
    'unavailable',
    `node ${nodeId} registered more than ${count} times in ${windowMs / 1000} s: wait and register again`,
  );

export const foreignTask = (nodeId: string, taskId: string): SwarmError =>
  new SwarmError(
    'permissionDenied',
    `node ${nodeId} reported the status of task ${taskId}, which is not assigned to it: report own tasks only`,
  );

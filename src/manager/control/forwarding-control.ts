/**
 * The use cases on any manager: reads answer from the local store once it has caught up with the leader, changes go to the
 * leader. A call that meets an election waits for its end, as long as trying again cannot do something twice.
 */
import type { Clock } from '../../common/clock.ts';
import { isSwarmError, SwarmError, toSwarmError } from '../../common/errors.ts';
import type { IdSource } from '../../common/ids.ts';
import type { Random } from '../../common/random.ts';
import { unary } from '../../common/rpc-client.ts';
import {
  ControlService as ControlDefinition,
  type ControlClient,
} from '../../proto/generated/docker/swarmkit/v1/control.ts';
import { NO_LEADER_TEXT } from '../../common/no-leader.ts';
import type { CallOptions, ControlMethod, ControlService } from './control.ts';
import { ElectionPatience } from './election-patience.ts';
import type { Leadership } from './leadership.ts';

export interface ForwardingOptions {
  readonly local: ControlService;
  readonly leadership: Leadership;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: IdSource;
  /** How long the cluster may be without a leader before calls fail at once, in ms. @default 10000 */
  readonly electionPatienceMs?: number;
  /** Longest wait for the leader's answer to one forwarded call, in ms. @default 20000 */
  readonly callTimeoutMs?: number;
  /** Longest wait for one read barrier before it is asked for again, in ms. @default 1500 */
  readonly barrierTimeoutMs?: number;
}

const DEFAULTS = { electionPatienceMs: 10_000, callTimeoutMs: 20_000, barrierTimeoutMs: 1_500 };

type CallKind = 'read' | 'create' | 'update' | 'remove';
type AnyCall = (request: object, options?: CallOptions) => Promise<object>;

export function forwardingControl(options: ForwardingOptions): ControlService {
  const settings = { ...DEFAULTS, ...options };
  const patience = new ElectionPatience(options, settings.electionPatienceMs);
  const methods = Object.keys(ControlDefinition) as ControlMethod[];
  const calls = methods.map((method) => [method, forwardedCall(method, settings, patience)] as const);
  return Object.fromEntries(calls) as unknown as ControlService;
}

export function kindOf(method: ControlMethod): CallKind {
  if (method.startsWith('create')) return 'create';
  if (method.startsWith('update')) return 'update';
  if (method.startsWith('remove')) return 'remove';
  return 'read';
}

function forwardedCall(
  method: ControlMethod,
  settings: ForwardingOptions & typeof DEFAULTS,
  patience: ElectionPatience,
): AnyCall {
  const kind = kindOf(method);
  const once = kind === 'read' ? readLocally(method, settings) : changeAtLeader(method, settings);
  return async (request, options = {}) => {
    // An id chosen here makes a repeated create the same create.
    const repeatable =
      kind === 'create' ? { ...request, id: ('id' in request && request.id) || settings.newId() } : request;
    let waiting: ReturnType<ElectionPatience['begin']> | undefined;
    let doubt: SwarmError | undefined;
    for (;;) {
      try {
        const response = await once(repeatable, options);
        patience.succeeded();
        return response;
      } catch (thrown) {
        const error = toSwarmError(thrown);
        if (!mayBeElection(error)) return afterDoubt(kind, error, doubt);
        if (kind !== 'read' && !wasNotDone(error)) doubt = error;
        const noLeader = error.code === 'notLeader' ? new SwarmError('unavailable', NO_LEADER_TEXT) : error;
        waiting ??= patience.begin();
        await waiting.pause(doubt ?? noLeader, options.signal);
        throwIfGivenUp(options.signal, doubt);
      }
    }
  };
}

function readLocally(
  method: ControlMethod,
  { local, leadership, clock, barrierTimeoutMs }: ForwardingOptions & typeof DEFAULTS,
): AnyCall {
  return async (request, options) => {
    await withTimeout(clock, barrierTimeoutMs, leadership.readBarrier(options?.signal));
    return (local[method] as AnyCall)(request, options);
  };
}

function changeAtLeader(
  method: ControlMethod,
  { local, leadership, callTimeoutMs }: ForwardingOptions & typeof DEFAULTS,
): AnyCall {
  return async (request, options) => {
    if (leadership.isLeader()) return (local[method] as AnyCall)(request, options);
    const leader = leadership.leaderConnection();
    if (!leader) throw new SwarmError('notLeader', NO_LEADER_TEXT);
    const remote = (leader[method] as ControlClient['createConfig']).bind(leader) as unknown as Parameters<
      typeof unary<object, object>
    >[0];
    // A leader that was cut off may never answer; once another one leads there is no use in waiting for it.
    const outdated = new AbortController();
    const stopListening = leadership.onChange(() => {
      if (leadership.isLeader() || (leadership.leaderConnection() ?? leader) !== leader)
        outdated.abort(LEADER_REPLACED);
    });
    const signals = options?.signal ? [options.signal, outdated.signal] : [outdated.signal];
    try {
      return await unary(remote, request, { timeoutMs: callTimeoutMs, signal: AbortSignal.any(signals) });
    } catch (error) {
      if (options?.signal?.aborted) throw GIVEN_UP;
      // A leader whose process ends cancels the calls it was working on: that is its doing, not the caller's.
      throw outdated.signal.aborted || isSwarmError(error, 'cancelled') ? LEADER_REPLACED : error;
    } finally {
      stopListening();
    }
  };
}

const LEADER_REPLACED = new SwarmError(
  'unavailable',
  'the leader was replaced before it answered: the change may or may not have been made; look before trying again',
);

/** Said to a caller who left, and read by those who wait when this manager stops. */
const GIVEN_UP = new SwarmError(
  'unavailable',
  'the call was given up before the leader answered: the change may or may not have been made; look before trying again',
);

const mayBeElection = (error: SwarmError): boolean => error.code === 'unavailable' || error.code === 'notLeader';

/** Whether the leader certainly did not get to work: it said so, or could not be reached at all. */
const wasNotDone = (error: SwarmError): boolean =>
  error.code === 'notLeader' || /No connection established|Name resolution failed|ECONNREFUSED/.test(error.message);

/** The outcome of the last try, in the light of an earlier one that may have been carried out unnoticed. */
function afterDoubt(kind: CallKind, error: SwarmError, doubt: SwarmError | undefined): object {
  if (doubt && kind === 'remove' && error.code === 'notFound') return {};
  throw doubt && kind === 'update' && error.code === 'outOfSequence' ? doubt : error;
}

function throwIfGivenUp(signal: AbortSignal | undefined, doubt: SwarmError | undefined): void {
  if (signal?.aborted) throw doubt ?? new SwarmError('cancelled', 'the call was given up', { cause: signal.reason });
}

/** Rejects with unavailable when `work` takes too long; its later outcome is ignored. */
function withTimeout(clock: Clock, timeoutMs: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.setTimer(timeoutMs, () => reject(new SwarmError('unavailable', NO_LEADER_TEXT)));
    work.then(
      () => (cancel(), resolve()),
      (error: unknown) => (cancel(), reject(error as Error)),
    );
  });
}

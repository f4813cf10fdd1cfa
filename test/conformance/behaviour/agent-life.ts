/** One task driven by the agent's real runner over a runtime that behaves as a case says. */
import { FakeClock } from '../../../src/common/clock.ts';
import { SwarmError } from '../../../src/common/errors.ts';
import { silentLogger } from '../../../src/common/log.ts';
import { TaskState, TaskStatus } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import type { ExitStatus, RuntimeDriver, TaskController } from '../../../src/worker/drivers/driver.ts';
import { HollowDriver } from '../../../src/worker/drivers/hollow-driver.ts';
import { NO_RESTARTS } from '../../../src/worker/local-restart.ts';
import { ManagerContact } from '../../../src/worker/manager-contact.ts';
import { TaskRunner } from '../../../src/worker/task-runner.ts';
import { assignedTask } from '../../support/worker-builders.ts';
import { allOf, expectSame, failed, refuseUnknownMembers, type CaseResult } from './case.ts';

type Given = Readonly<Record<string, unknown>>;

export const stateNamed = (name: unknown): TaskState => {
  const state = TaskState[name as keyof typeof TaskState] as TaskState | undefined;
  if (state === undefined) throw new Error(`unknown task state ${String(name)}`);
  return state;
};

export const stateNameOf = (state: TaskState): string =>
  Object.entries(TaskState).find(([, value]) => value === state)?.[0] ?? String(state);

const CALLS = ['prepare', 'start', 'wait', 'shutdown'] as const;
type CallName = (typeof CALLS)[number];

/** Plays `given{state, desired, prepare?, start?, wait?, shutdown?, exit?}` until nothing moves any more. */
export async function playLife(given: Given, expected: Given): Promise<CaseResult> {
  refuseUnknownMembers(given, ['state', 'desired', 'exit', ...CALLS], 'member of given');
  const known = [
    'state',
    'message',
    'err',
    'noop',
    'steps',
    'exitCode',
    'retryAfterMs',
    ...CALLS.map((call) => `${call}Calls`),
  ];
  refuseUnknownMembers(expected, known, 'member of expect');
  const clock = new FakeClock();
  const calls: CallName[] = [];
  const statuses: TaskStatus[] = [];
  const contact = new ManagerContact(clock);
  contact.connected();
  const state = stateNamed(given['state']);
  const task = assignedTask('t', { desired: stateNameOf(stateNamed(given['desired'])) as keyof typeof TaskState });
  let last = TaskStatus.fromPartial({ state });
  const runner = new TaskRunner({
    entry: { task, status: last, isAssigned: true, restarts: NO_RESTARTS },
    driver: runtimeThat(given, calls),
    dependencies: { secrets: new Map(), configs: new Map() },
    contact,
    clock,
    log: silentLogger,
    cutOffMs: 10_000,
    mayPrepare: () => true,
    isAccepted: () => true,
    onChange: ({ status }) => {
      if (status !== last) statuses.push(status);
      last = status;
    },
  });
  await clock.advance(10);
  const results = [...outcome(expected, state, statuses, last), ...countCalls(expected, calls)];
  if ('retryAfterMs' in expected) results.push(await playRetry(Number(expected['retryAfterMs']), clock, calls));
  await runner.detach();
  return allOf(...results);
}

function outcome(expected: Given, before: TaskState, statuses: readonly TaskStatus[], last: TaskStatus): CaseResult[] {
  const moves = statuses.filter((status, index) => status.state !== (statuses[index - 1]?.state ?? before));
  const results: CaseResult[] = [];
  if (expected['noop'] === true) results.push(expectSame(statuses.length, 0, 'statuses reported'));
  if ('steps' in expected) {
    const steps = moves.map((status) => [stateNameOf(status.state), status.message]);
    results.push(expectSame(steps, expected['steps'], 'steps'));
  }
  // A case that names one state is about the first step only.
  const first = moves[0] ?? last;
  if ('state' in expected) results.push(expectSame(stateNameOf(first.state), expected['state'], 'state'));
  if ('message' in expected) results.push(expectSame(first.message, expected['message'], 'message'));
  if ('err' in expected) results.push(expectSame(first.err, expected['err'], 'err'));
  if ('exitCode' in expected)
    results.push(expectSame(last.runtimeStatus?.value.exitCode, expected['exitCode'], 'exit code'));
  return results;
}

const countCalls = (expected: Given, calls: readonly CallName[]): CaseResult[] =>
  CALLS.filter((call) => `${call}Calls` in expected).map((call) =>
    expectSame(calls.filter((name) => name === call).length, expected[`${call}Calls`], `${call} calls`),
  );

async function playRetry(afterMs: number, clock: FakeClock, calls: readonly CallName[]): Promise<CaseResult> {
  const before = calls.length;
  await clock.advance(afterMs - 20);
  if (calls.length !== before) return failed(`expected no second try before ${afterMs} ms`);
  await clock.advance(20);
  return expectSame(calls.length, before + 1, 'tries after the wait');
}

/** A runtime whose calls go as the case says: nothing, "error", "temporary error", "cancelled", "already started", … */
function runtimeThat(given: Given, calls: CallName[]): RuntimeDriver {
  const play = async (call: CallName): Promise<void> => {
    calls.push(call);
    const said = given[call];
    const word = said === true ? 'error' : typeof said === 'string' ? said : '';
    if (said === undefined || word.startsWith('already')) return;
    if (/temporary/.test(word)) throw new SwarmError('unavailable', word);
    if (/cancel/.test(word)) throw new SwarmError('cancelled', word);
    if (/deadline|time-?out/.test(word)) throw new SwarmError('deadlineExceeded', word);
    if (/error|fail/.test(word)) throw new SwarmError('internal', word);
    throw new Error(`the handler does not know ${call} ${JSON.stringify(said)}`);
  };
  const wait = async (): Promise<ExitStatus> => {
    await play('wait');
    return { exitCode: Number(given['exit'] ?? 0), reason: '' };
  };
  const stub = new HollowDriver({ hostname: 'node', engineVersion: 'test' });
  const controller = (task: Parameters<RuntimeDriver['controller']>[0]): TaskController => {
    const inner = stub.controller(task);
    return {
      prepare: () => play('prepare'),
      start: () => play('start'),
      wait,
      stop: () => play('shutdown'),
      restart: () => play('start'),
      remove: () => Promise.resolve(),
      status: () => inner.status(),
      logs: inner.logs.bind(inner),
      stats: () => Promise.resolve(undefined),
      detach: () => undefined,
    };
  };
  return {
    name: 'stub',
    abilities: [],
    describe: () => stub.describe(),
    controller,
    leftovers: () => Promise.resolve([]),
    removeLeftover: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

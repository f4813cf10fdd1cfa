/** The agent's half of agent.json: single steps and whole lives of a task, assignment sets, what a task may see. */
import { FakeClock } from '../../../src/common/clock.ts';
import { isSwarmError, SwarmError } from '../../../src/common/errors.ts';
import { silentLogger } from '../../../src/common/log.ts';
import {
  AssignmentChange_AssignmentAction as Action,
  AssignmentsMessage,
  AssignmentsMessage_Type as Type,
} from '../../../src/proto/generated/docker/swarmkit/v1/dispatcher.ts';
import { Secret } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { SecretReference, TaskState, TaskStatus } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { AssignmentStream, type AssignmentSet } from '../../../src/worker/assignments.ts';
import { Dependencies } from '../../../src/worker/dependencies.ts';
import { ScriptedDriver } from '../../../src/worker/drivers/scripted-driver.ts';
import { NO_RESTARTS } from '../../../src/worker/local-restart.ts';
import { ManagerContact } from '../../../src/worker/manager-contact.ts';
import { consequence } from '../../../src/worker/next-state.ts';
import { Reporter } from '../../../src/worker/reporter.ts';
import { MemoryTaskBook } from '../../../src/worker/task-book.ts';
import { TaskPool } from '../../../src/worker/task-pool.ts';
import { assignedTask } from '../../support/worker-builders.ts';
import { playLife, stateNamed, stateNameOf } from './agent-life.ts';
import { allOf, expectSame, refuseUnknownMembers, type BehaviourCase, type CaseResult } from './case.ts';

type Given = Readonly<Record<string, unknown>>;

/** Plays a case about the agent. Throws for a case it does not understand. */
export async function agentSide(testCase: BehaviourCase): Promise<CaseResult> {
  const given = testCase['given'] as Given;
  const expected = testCase['expect'] as Given;
  if (given['call'] === 'resolve') return playResolve(given, expected);
  if ('state' in given) return playLife(given, expected);
  if ('managed' in given) return playSet(given, expected);
  if ('lastSeq' in given) return playSequence(given, expected);
  if ('secrets' in given) return playSecrets(given, expected);
  throw new Error(`the handler does not know what ${JSON.stringify(given)} is about`);
}

function playResolve(given: Given, expected: Given): CaseResult {
  refuseUnknownMembers(given, ['state', 'desired', 'call', 'error'], 'member of given');
  refuseUnknownMembers(expected, ['state', 'message'], 'member of expect');
  const error = given['error'] ? new SwarmError('internal', 'no controller') : undefined;
  const result = consequence(
    stateNamed(given['state']),
    'resolve',
    error ? { kind: 'failed', error } : { kind: 'done' },
  );
  if (result.kind !== 'move') throw new Error('resolving is to be tried again, which no case expects');
  return allOf(
    expectSame(stateNameOf(result.state), expected['state'], 'state'),
    'message' in expected ? expectSame(result.message, expected['message'], 'message') : { ok: true },
  );
}

/** "COMPLETE assignment set with only a", "INCREMENTAL set with c", "INCREMENTAL set without a". */
async function playSet(given: Given, expected: Given): Promise<CaseResult> {
  refuseUnknownMembers(given, ['managed', 'event'], 'member of given');
  refuseUnknownMembers(expected, ['managed', 'removed'], 'member of expect');
  const managed = given['managed'] as readonly string[];
  const clock = new FakeClock();
  const driver = new ScriptedDriver({ clock, engineVersion: 'test' });
  const book = new MemoryTaskBook();
  for (const id of managed) {
    const status = TaskStatus.fromPartial({ state: TaskState.ASSIGNED });
    book.put({ task: assignedTask(id), status, isAssigned: true, restarts: NO_RESTARTS });
  }
  const contact = new ManagerContact(clock);
  contact.connected();
  const reporter = new Reporter();
  const pool = new TaskPool({ driver, book, reporter, contact, clock, log: silentLogger, cutOffMs: 10_000 });
  pool.resume();
  await clock.advance(10);
  pool.apply(setOf(String(given['event']), managed));
  await clock.advance(10);
  const left = pool.runners.map((runner) => runner.task.id).sort();
  const removed = managed.filter(
    (id) => driver.world.callsFor(id).some((call) => call.startsWith('remove')) || !left.includes(id),
  );
  await pool.detach();
  return allOf(
    'managed' in expected ? expectSame(left, expected['managed'], 'managed') : { ok: true },
    'removed' in expected ? expectSame(removed, expected['removed'], 'removed') : { ok: true },
  );
}

function setOf(event: string, managed: readonly string[]): AssignmentSet {
  const none = { updated: [], removed: [] };
  const isComplete = event.startsWith('COMPLETE');
  const ids = (word: string): readonly string[] =>
    (new RegExp(`\\b(?:${word})(?: only)? ([a-z0-9]+(?:(?:, | and )[a-z0-9]+)*)$`).exec(event)?.[1] ?? '')
      .split(/, | and /)
      .filter((id) => id !== '');
  const given = ids('with|updates|adds|naming');
  const without = ids('without|removes|withdraws');
  const updated = isComplete && without.length > 0 ? managed.filter((id) => !without.includes(id)) : given;
  const isEmpty = /\b(empty|nothing)\b/.test(event);
  if (updated.length === 0 && without.length === 0 && !isEmpty)
    throw new Error(`the handler does not know event "${event}"`);
  const tasks = { updated: updated.map((id) => assignedTask(id)), removed: isComplete ? [] : without };
  return { isComplete, tasks, secrets: none, configs: none, peers: none };
}

/** "INCREMENTAL set that applies to 1", after a set that resulted in `lastSeq`. */
function playSequence(given: Given, expected: Given): CaseResult {
  refuseUnknownMembers(given, ['lastSeq', 'event'], 'member of given');
  refuseUnknownMembers(expected, ['reopenStream', 'applied'], 'member of expect');
  const event = String(given['event']);
  const stream = new AssignmentStream();
  stream.accept(message(Type.COMPLETE, '', String(given['lastSeq'])));
  const type = event.startsWith('COMPLETE') ? Type.COMPLETE : Type.INCREMENTAL;
  const appliesTo = /applies to "?([^" ]*)"?$/.exec(event)?.[1] ?? '';
  const isApplied = accepts(stream, message(type, appliesTo, 'next'));
  return allOf(
    'reopenStream' in expected ? expectSame(!isApplied, expected['reopenStream'], 'reopenStream') : { ok: true },
    'applied' in expected ? expectSame(isApplied, expected['applied'], 'applied') : { ok: true },
  );
}

const message = (type: Type, appliesTo: string, resultsIn: string): AssignmentsMessage =>
  AssignmentsMessage.fromPartial({ type, appliesTo, resultsIn });

function accepts(stream: AssignmentStream, next: AssignmentsMessage): boolean {
  try {
    stream.accept(next);
    return true;
  } catch (error) {
    if (isSwarmError(error, 'outOfSequence')) return false;
    throw error;
  }
}

function playSecrets(given: Given, expected: Given): CaseResult {
  refuseUnknownMembers(given, ['secrets', 'task', 'event'], 'member of given');
  refuseUnknownMembers(expected, ['visible', 'secrets'], 'member of expect');
  const held = new Dependencies();
  const stream = new AssignmentStream();
  const secrets = given['secrets'] as readonly string[];
  const changes = secrets.map((id) => ({
    action: Action.UPDATE,
    assignment: { item: { $case: 'secret' as const, value: Secret.fromPartial({ id }) } },
  }));
  held.apply(stream.accept({ type: Type.COMPLETE, appliesTo: '', resultsIn: '1', changes }));
  const event = given['event'];
  if (typeof event === 'string') held.apply(stream.accept(secretEvent(event, changes)));
  const refs = ((given['task'] as { refs?: readonly string[] } | undefined)?.refs ?? []).map((secretId) =>
    SecretReference.fromPartial({ secretId }),
  );
  const task = assignedTask('t', { container: { secrets: refs } });
  return allOf(
    'visible' in expected
      ? expectSame([...held.viewFor(task).secrets.keys()], expected['visible'], 'visible')
      : { ok: true },
    'secrets' in expected ? expectSame(held.secretIds, expected['secrets'], 'secrets') : { ok: true },
  );
}

/** "COMPLETE set without secrets", "INCREMENTAL set without secrets", "INCREMENTAL set removes s1". */
function secretEvent(event: string, present: AssignmentsMessage['changes']): AssignmentsMessage {
  const type = event.startsWith('COMPLETE') ? Type.COMPLETE : Type.INCREMENTAL;
  const removed = /\bremov\w+ (?:secret )?([a-z0-9]+)$/.exec(event)?.[1];
  if (removed === undefined && !event.endsWith('without secrets')) {
    throw new Error(`the handler does not know event "${event}"`);
  }
  const changes = present
    .filter(({ assignment }) => assignment?.item?.value.id === removed)
    .map((change) => ({ ...change, action: Action.REMOVE }));
  return { type, appliesTo: '1', resultsIn: '2', changes };
}

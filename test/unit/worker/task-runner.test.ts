import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../../src/common/clock.ts';
import { silentLogger } from '../../../src/common/log.ts';
import { durationOfMs } from '../../../src/common/time.ts';
import {
  RestartPolicy_RestartCondition as Condition,
  TaskState,
  TaskStatus,
} from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { ScriptedDriver, ScriptedWorld } from '../../../src/worker/drivers/scripted-driver.ts';
import { NO_RESTARTS } from '../../../src/worker/local-restart.ts';
import { ManagerContact } from '../../../src/worker/manager-contact.ts';
import type { BookEntry } from '../../../src/worker/task-book.ts';
import { TaskRunner } from '../../../src/worker/task-runner.ts';
import { assignedTask, type TaskGiven } from '../../support/worker-builders.ts';

const CUT_OFF_MS = 10_000;

let clock: FakeClock;
let world: ScriptedWorld;
let contact: ManagerContact;
let history: BookEntry[];
let isAccepted: boolean;
let runner: TaskRunner;

function start(given: TaskGiven, state: keyof typeof TaskState = 'ASSIGNED'): TaskRunner {
  return resume({
    task: assignedTask('t', given),
    status: TaskStatus.fromPartial({ state: TaskState[state] }),
    isAssigned: true,
    restarts: NO_RESTARTS,
  });
}

function resume(entry: BookEntry): TaskRunner {
  runner = new TaskRunner({
    entry,
    driver: new ScriptedDriver({ clock, world, engineVersion: 'test' }),
    dependencies: { secrets: new Map(), configs: new Map() },
    contact,
    clock,
    log: silentLogger,
    cutOffMs: CUT_OFF_MS,
    mayPrepare: () => true,
    onChange: (changed) => history.push(changed),
    isAccepted: () => isAccepted,
  });
  return runner;
}

const state = (): string | undefined =>
  Object.entries(TaskState).find(([, value]) => value === runner.status.state)?.[0];
const restarts = (): number => world.callsFor('t').filter((call) => call === 'restart').length;
const again = (given: TaskGiven): void => runner.update(assignedTask('t', { ...given, version: 2 }));

beforeEach(() => {
  clock = new FakeClock();
  world = new ScriptedWorld();
  contact = new ManagerContact(clock);
  contact.connected();
  history = [];
  isAccepted = true;
});
afterEach(() => runner.detach());

describe('a task on its node', () => {
  it('is broken off while it is being prepared when it is no longer wanted', async () => {
    start({ env: ['SCRIPT_PREPARE_MS=60000'] });
    await clock.advance(1000);
    expect(state()).toBe('PREPARING');
    again({ desired: 'SHUTDOWN', env: ['SCRIPT_PREPARE_MS=60000'] });
    await clock.advance(0);
    expect(state()).toBe('SHUTDOWN');
  });

  it('waits at READY until it is wanted RUNNING', async () => {
    start({ desired: 'READY' });
    await clock.advance(5000);
    expect(state()).toBe('READY');
    again({ desired: 'RUNNING' });
    await clock.advance(0);
    expect(state()).toBe('RUNNING');
  });

  it('never wants less of a task than before', async () => {
    start({ desired: 'SHUTDOWN' }, 'RUNNING');
    again({ desired: 'RUNNING' });
    await clock.advance(0);
    expect(state()).toBe('SHUTDOWN');
  });

  it('stops a task that the manager holds to be over', async () => {
    start({});
    await clock.advance(0);
    again({ state: 'REJECTED' });
    await clock.advance(0);
    expect(state()).toBe('SHUTDOWN');
  });

  it('tries a step again each second while its error may pass, and shows the error meanwhile', async () => {
    start({ env: ['SCRIPT_FAIL_AT=prepare', 'SCRIPT_FAIL_TIMES=2'] });
    await clock.advance(500);
    expect(state()).toBe('PREPARING');
    expect(runner.status.err).toContain('fails at prepare for now');
    await clock.advance(2000);
    expect(state()).toBe('RUNNING');
    expect(runner.status.err).toBe('');
  });

  it('is stopped, then removed, when the manager withdraws it', async () => {
    start({ env: ['SCRIPT_STOP_MS=3000'] });
    await clock.advance(0);
    let isGone = false;
    void runner.withdraw().then(() => (isGone = true));
    await clock.advance(2000);
    expect(isGone).toBe(false);
    await clock.advance(1000);
    expect(isGone).toBe(true);
    expect(world.callsFor('t').slice(-2)).toEqual(['stop', 'remove']);
  });

  it('is let finish stopping when it is withdrawn meanwhile, not stopped twice', async () => {
    start({ env: ['SCRIPT_STOP_MS=3000'] });
    await clock.advance(0);
    again({ desired: 'SHUTDOWN', env: ['SCRIPT_STOP_MS=3000'] });
    await clock.advance(1000);
    void runner.withdraw();
    await clock.advance(5000);
    expect(world.callsFor('t').filter((call) => call === 'stop')).toHaveLength(1);
    expect(world.tasks.size).toBe(0);
  });

  it('goes on with a withdrawn task in the next run of the agent', async () => {
    start({ env: ['SCRIPT_STOP_MS=3000'] });
    await clock.advance(0);
    void runner.withdraw();
    await clock.advance(1000);
    await runner.detach();
    expect(world.tasks.size).toBe(1);
    const entry = history.at(-1) as BookEntry;
    expect(entry.isAssigned).toBe(false);
    resume(entry);
    await clock.advance(3000);
    expect(world.tasks.size).toBe(0);
  });

  it('takes a running task up where it was, without starting anything', async () => {
    start({ env: ['SCRIPT_RUN_MS=5000', 'SCRIPT_EXIT=4'] });
    await clock.advance(0);
    await runner.detach();
    const before = world.callsFor('t').length;
    resume(history.at(-1) as BookEntry);
    await clock.advance(5000);
    expect(state()).toBe('FAILED');
    expect(world.callsFor('t').length).toBe(before);
  });
});

describe('a task that ends while no manager is in reach', () => {
  const crashing = (given: TaskGiven = {}): TaskGiven => ({ env: ['SCRIPT_RUN_MS=1000', 'SCRIPT_EXIT=1'], ...given });

  it('is run again after the delay of its policy once the node counts as cut off', async () => {
    start(crashing());
    contact.lost();
    await clock.advance(9_999);
    expect(restarts()).toBe(0);
    expect(state()).toBe('RUNNING');
    await clock.advance(1);
    expect(restarts()).toBe(1);
    // From now on only the delay counts: it runs 1 s, waits 5 s.
    await clock.advance(6000);
    expect(restarts()).toBe(2);
    expect(runner.status.message).toBe('started (run again 2 times on the node while no manager was in reach)');
  });

  it('is left to the manager when one comes back before that', async () => {
    start(crashing());
    contact.lost();
    await clock.advance(5000);
    contact.connected();
    await clock.advance(0);
    expect(state()).toBe('FAILED');
    await clock.advance(60_000);
    expect(restarts()).toBe(0);
  });

  it('is run again although its end was already written down, if no manager heard of it', async () => {
    start(crashing());
    await clock.advance(500);
    isAccepted = false;
    await clock.advance(500);
    expect(state()).toBe('FAILED');
    contact.lost();
    await clock.advance(10_000);
    expect(state()).toBe('RUNNING');
    expect(restarts()).toBe(1);
  });

  it('stays ended once a manager heard of its end', async () => {
    start(crashing());
    await clock.advance(1000);
    contact.lost();
    await clock.advance(60_000);
    expect(restarts()).toBe(0);
  });

  it.each([
    ['none', { condition: Condition.NONE }, 1, 0],
    ['on-failure after success', { condition: Condition.ON_FAILURE }, 0, 0],
    ['on-failure after failure', { condition: Condition.ON_FAILURE, maxAttempts: 3 }, 1, 3],
    ['at most twice', { condition: Condition.ANY, maxAttempts: 2 }, 0, 2],
  ])('obeys its restart policy: %s', async (_name, restart, exit, expected) => {
    start(crashing({ env: ['SCRIPT_RUN_MS=1000', `SCRIPT_EXIT=${exit}`], restart }));
    contact.lost();
    await clock.advance(120_000);
    expect(restarts()).toBe(expected);
    expect(state()).toBe(exit === 0 ? 'COMPLETE' : 'FAILED');
  });

  it('counts only the restarts within the window, also over a restart of the agent', async () => {
    const restart = {
      condition: Condition.ANY,
      maxAttempts: 2,
      delay: durationOfMs(1000),
      window: durationOfMs(30_000),
    };
    start(crashing({ restart }));
    contact.lost();
    await clock.advance(13_000);
    expect(restarts()).toBe(2);
    await runner.detach();
    resume(history.at(-1) as BookEntry);
    await clock.advance(15_000);
    expect(restarts()).toBe(2);
  });

  it('is not run again when it was a job that finished', async () => {
    start(crashing({ desired: 'COMPLETE', env: ['SCRIPT_RUN_MS=1000'] }));
    contact.lost();
    await clock.advance(60_000);
    expect(restarts()).toBe(0);
    expect(state()).toBe('COMPLETE');
  });

  it('waits longer each time when the service limits its back-off by label', async () => {
    const restart = { condition: Condition.ANY, delay: durationOfMs(1000) };
    start(crashing({ restart, labels: { 'swarmd.restart.max-delay': '8s' } }));
    contact.lost();
    await clock.advance(10_000);
    expect(restarts()).toBe(1);
    // 1 s of running and 2, 4, 8, 8 s of waiting.
    for (const pause of [2, 4, 8, 8]) {
      const before = restarts();
      await clock.advance(1000 + pause * 1000 - 1);
      expect(restarts()).toBe(before);
      await clock.advance(1);
      expect(restarts()).toBe(before + 1);
    }
  });

  it('stops for good when the manager that is back does not want it any more', async () => {
    start(crashing({ env: ['SCRIPT_RUN_MS=1000', 'SCRIPT_EXIT=1', 'SCRIPT_START_MS=100'] }));
    contact.lost();
    await clock.advance(10_050);
    // In the middle of running it again: the manager replaced it meanwhile.
    contact.connected();
    again({ desired: 'SHUTDOWN' });
    await clock.advance(100);
    expect(state()).toBe('SHUTDOWN');
    expect(world.tasks.get('t')?.state).toBe('ended');
  });
});

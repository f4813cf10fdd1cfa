import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock, type Clock } from '../../../src/common/clock.ts';
import { SwarmError } from '../../../src/common/errors.ts';
import { durationOfMs } from '../../../src/common/time.ts';
import { AssignmentsMessage_Type as Type } from '../../../src/proto/generated/docker/swarmkit/v1/dispatcher.ts';
import {
  RestartPolicy_RestartCondition as Condition,
  TaskState,
} from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { readManagerList } from '../../../src/worker/manager-list-file.ts';
import { StateLockedError } from '../../../src/worker/state-lock.ts';
import { AgentRig } from '../../support/agent-rig.ts';
import { openRelay } from '../../support/relay.ts';
import { eventually } from '../../support/eventually.ts';
import type { FakeManager } from '../../support/fake-manager.ts';
import { aSecret, assignedTask, type TaskGiven } from '../../support/worker-builders.ts';

let rig: AgentRig;
let manager: FakeManager;

const task = (id: string, given: TaskGiven = {}) => ({ $case: 'task' as const, value: assignedTask(id, given) });
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const running = (id: string): Promise<unknown> => eventually(() => manager.lastStatus(id)?.state === TaskState.RUNNING);
/** The system's clock running faster, for what is not waited for. */
const fasterClock = (factor: number): Clock => ({
  ...systemClock,
  setTimer: (delayMs, action) => systemClock.setTimer(delayMs / factor, action),
});

beforeEach(async () => {
  rig = new AgentRig();
  manager = await rig.manager({ heartbeatMs: 50 });
});
afterEach(() => rig.close());

describe('the session of an agent', () => {
  it('registers with its description and beats as often as the manager says', async () => {
    rig.start();
    await eventually(() => manager.heartbeats >= 3);
    expect(manager.registrations[0]?.description?.platform?.os).toBe('linux');
    expect(manager.registrations[0]?.sessionId).toBe('');
    expect(manager.sessions).toBe(1);
  });

  it('registers anew with an empty session id when its session is not known any more', async () => {
    rig.start();
    await eventually(() => manager.heartbeats >= 1);
    manager.refuse.heartbeat = new SwarmError('invalidArgument', 'session invalid');
    await eventually(() => manager.registrations.length >= 2);
    delete manager.refuse.heartbeat;
    expect(manager.registrations[1]?.sessionId).toBe('');
  });

  it('tells every new session how all its tasks are', async () => {
    manager.want(task('t1'), task('t2'));
    rig.start();
    await running('t1');
    await running('t2');
    manager.statuses.clear();
    manager.endSessions();
    await running('t1');
    await running('t2');
    expect(manager.states('t1')).toEqual([TaskState.RUNNING]);
    expect(rig.world.callsFor('t1')).toEqual(['prepare', 'start']);
  });

  it('goes on beating when the wall clock is set', async () => {
    let offsetMs = 0;
    rig.start({ clock: { ...systemClock, now: () => systemClock.now() + offsetMs } });
    await eventually(() => manager.heartbeats >= 2);
    for (const jump of [86_400_000, -86_400_000]) {
      offsetMs = jump;
      const before = manager.heartbeats;
      await eventually(() => manager.heartbeats >= before + 3);
    }
    expect(manager.registrations).toHaveLength(1);
  });

  it('gives the session up when a status is not taken, and brings it in the next one', async () => {
    manager.refuse.status = new SwarmError('unavailable', 'busy');
    manager.want(task('t1'));
    rig.start();
    await eventually(() => manager.registrations.length >= 2);
    expect(manager.lastStatus('t1')).toBeUndefined();
    delete manager.refuse.status;
    await running('t1');
  });

  it('does not mind that a manager forgot a task whose status it reports', async () => {
    manager.refuse.status = new SwarmError('notFound', 'task not found');
    manager.want(task('t1'));
    rig.start();
    await eventually(() => manager.heartbeats >= 3);
    expect(manager.registrations).toHaveLength(1);
  });

  it('ends the session on a gap in the assignments instead of asking again and again', async () => {
    manager.want(task('t1'));
    rig.start();
    await running('t1');
    manager.sendAssignments({ type: Type.INCREMENTAL, appliesTo: '99', resultsIn: '100', changes: [] });
    await eventually(() => manager.registrations.length >= 2);
    await pause(300);
    expect(manager.registrations.length).toBeLessThanOrEqual(3);
    expect(rig.world.callsFor('t1')).toEqual(['prepare', 'start']);
  });

  it('takes nothing away while a manager cannot say yet what is wanted', async () => {
    manager.want(task('t1'));
    rig.start();
    await running('t1');
    manager.hasLoaded = false;
    manager.endSessions();
    await eventually(() => manager.registrations.length >= 3);
    expect(rig.world.tasks.get('t1')?.state).toBe('running');
    manager.hasLoaded = true;
    await eventually(() => manager.heartbeats > 5);
    expect(rig.world.tasks.get('t1')?.state).toBe('running');
  });

  it('slows down while nobody answers, and does not storm a manager that refuses', async () => {
    manager.refuse.session = new SwarmError('unavailable', 'too many registrations');
    rig.start({ random: () => 0.999 });
    await pause(1500);
    // 100, 300, 700 ms …
    expect(manager.registrations.length).toBeLessThanOrEqual(4);
    expect(manager.registrations.length).toBeGreaterThanOrEqual(3);
  });

  it('finds the managers it was told of when the one it joined by is gone, also after a restart', async () => {
    const other = await rig.manager({ heartbeatMs: 50 });
    manager.managers = [other.address];
    rig.start({ managers: [manager.address] });
    await eventually(() => manager.heartbeats >= 1);
    expect(readManagerList(path.join(rig.dir, 'state'))).toEqual([other.address]);
    await manager.stop();
    await eventually(() => other.heartbeats >= 1);
    await rig.stop();
    const before = other.heartbeats;
    rig.start({ managers: [] });
    await eventually(() => other.heartbeats > before);
  });

  it('tells a change of its description in a new session, without waiting and without an old session id', async () => {
    rig.start({ clock: fasterClock(100) });
    await eventually(() => manager.heartbeats >= 1);
    const description = await rig.driver.describe();
    rig.driver.setDescription({ ...description, resources: { nanoCpus: 1e9, memoryBytes: 1, generic: [] } });
    await eventually(() => manager.registrations.length >= 2);
    expect(manager.registrations[1]).toMatchObject({ sessionId: '', description: { resources: { nanoCpus: 1e9 } } });
    await pause(400);
    expect(manager.registrations).toHaveLength(2);
  });

  it('opens a new session when asked to, as after a renewal of its certificate', async () => {
    const agent = rig.start();
    await eventually(() => agent.state.isConnected);
    agent.reconnect('certificate renewed');
    await eventually(() => manager.registrations.length === 2);
    await eventually(() => agent.state.isConnected);
  });

  it('keeps its session until the way for the next one is open', async () => {
    const relay = await openRelay(manager.address);
    const agent = rig.start({ managers: [relay.address] });
    await eventually(() => agent.state.isConnected);
    relay.hold();
    agent.reconnect('certificate renewed');
    agent.reconnect('another root is trusted');
    const before = manager.heartbeats;
    await eventually(() => manager.heartbeats >= before + 3);
    expect(manager.registrations).toHaveLength(1);
    expect(agent.state.isConnected).toBe(true);
    relay.release();
    await eventually(() => manager.registrations.length === 2 && agent.state.isConnected);
    expect(manager.registrations).toHaveLength(2);
    relay.close();
  });

  it('shares calls between tasks that move together', async () => {
    const ids = Array.from({ length: 50 }, (_, n) => `t${n}`);
    manager.want(...ids.map((id) => task(id)));
    rig.start();
    for (const id of ids) await running(id);
    // Five moves of fifty tasks.
    expect(manager.batches.length).toBeLessThan(25);
  });
});

describe('what an agent is assigned', () => {
  it('follows changes one by one', async () => {
    rig.start();
    await eventually(() => manager.heartbeats >= 1);
    manager.assign(task('t1'));
    manager.assign(task('t2'));
    await running('t1');
    await running('t2');
    manager.withdraw('t1');
    await eventually(() => !rig.world.tasks.has('t1'));
    expect(rig.world.tasks.get('t2')?.state).toBe('running');
  });

  it('drops what a complete set does not name', async () => {
    manager.want(task('t1'), task('t2'));
    rig.start();
    await running('t1');
    await running('t2');
    manager.forget('t2');
    manager.endSessions();
    await eventually(() => !rig.world.tasks.has('t2'));
    expect(rig.world.tasks.get('t1')?.state).toBe('running');
  });

  it('removes what the runtime still holds of tasks nobody knows, once it knows what is wanted', async () => {
    manager.want(task('t1'));
    rig.start();
    await running('t1');
    await rig.stop();
    await rig.manager();
    const lost = rig.driver.controller(assignedTask('lost'), { secrets: new Map(), configs: new Map() });
    await lost.prepare(new AbortController().signal);
    await lost.start(new AbortController().signal);
    rig.start({ managers: [manager.address] });
    await eventually(() => !rig.world.tasks.has('lost'));
    expect(rig.world.callsFor('t1')).toEqual(['prepare', 'start']);
  });

  it('gives a task the secrets it names, those that came in the same message, and no others', async () => {
    const secrets = [{ secretId: 's1', secretName: 'one', target: undefined }];
    rig.start();
    await eventually(() => manager.heartbeats >= 1);
    manager.assign(
      task('t1', { container: { secrets } }),
      { $case: 'secret', value: aSecret('s1', 'one', 'x') },
      { $case: 'secret', value: aSecret('s2', 'two', 'y') },
    );
    await running('t1');
    expect(rig.world.tasks.get('t1')?.seen).toEqual(['s1']);
  });

  it('brings a task back that is assigned again while its removal is under way', async () => {
    const env = ['SCRIPT_STOP_MS=200'];
    manager.want(task('t1', { env }));
    rig.start();
    await running('t1');
    manager.withdraw('t1');
    await pause(50);
    manager.assign(task('t1', { env }));
    await eventually(() => rig.world.callsFor('t1').filter((call) => call === 'start').length === 2);
  });
});

describe('an agent that starts', () => {
  it('refuses a state folder another agent uses, and names its process', async () => {
    rig.start();
    await eventually(() => manager.heartbeats >= 1);
    const second = new AgentRig();
    const agent = second.start({ stateDir: path.join(rig.dir, 'state') });
    await expect(second.stop()).rejects.toThrow(StateLockedError);
    expect(agent.state.isConnected).toBe(false);
    await second.close();
    await rig.stop();
    expect(existsSync(path.join(rig.dir, 'state', 'agent.lock'))).toBe(false);
  });

  it('is thrown out by a second agent with its identity without the two storming the manager', async () => {
    rig.start();
    const second = new AgentRig();
    second.start({ managers: [manager.address] });
    await pause(2000);
    expect(manager.registrations.length).toBeGreaterThan(3);
    expect(manager.registrations.length).toBeLessThan(30);
    await second.close();
  });

  it('goes on with what it has while no manager answers', async () => {
    manager.want(task('t1'));
    rig.start();
    await running('t1');
    await rig.stop();
    await manager.stop();
    const agent = rig.start();
    await pause(200);
    expect(agent.state).toMatchObject({ isConnected: false, tasks: 1 });
    expect(rig.world.tasks.get('t1')?.state).toBe('running');
  });
});

describe('an agent that was cut off', () => {
  it('restarts what ended, and tells of it when a manager is back', async () => {
    const given = {
      env: ['SCRIPT_RUN_MS=600', 'SCRIPT_EXIT=1'],
      restart: { condition: Condition.ANY, delay: durationOfMs(100) },
    };
    manager.want(task('t1', given));
    rig.start({ cutOffMs: 100 });
    await running('t1');
    await manager.stop();
    await eventually(() => rig.world.callsFor('t1').includes('restart'));
    const back = await rig.manager({ port: Number(manager.address.split(':')[1]), heartbeatMs: 50 });
    back.want(task('t1', { ...given, state: 'RUNNING' }));
    await eventually(() => (back.statuses.get('t1') ?? []).length > 0, 10_000);
    expect(back.statuses.get('t1')?.[0]?.message).toMatch(/run again (once|\d times) on the node while no manager/);
  });

  it('stops what was replaced elsewhere meanwhile as soon as a manager says so', async () => {
    manager.want(task('t1'));
    rig.start({ cutOffMs: 100 });
    await running('t1');
    await manager.stop();
    const back = await rig.manager({ port: Number(manager.address.split(':')[1]), heartbeatMs: 50 });
    back.want(task('t1', { desired: 'SHUTDOWN', version: 2, state: 'RUNNING' }));
    await eventually(() => back.lastStatus('t1')?.state === TaskState.SHUTDOWN, 10_000);
    expect(rig.world.tasks.get('t1')?.state).toBe('ended');
  });
});

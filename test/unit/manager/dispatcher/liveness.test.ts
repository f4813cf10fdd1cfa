import { afterEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../src/common/clock.ts';
import { heartbeatPeriodMs } from '../../../../src/manager/dispatcher/heartbeat-period.ts';
import { HeartbeatDeadline } from '../../../../src/manager/dispatcher/heartbeat-deadline.ts';
import type { DispatcherSettings } from '../../../../src/manager/dispatcher/settings.ts';
import { Node } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import {
  ManagerStatus,
  NodeStatus_State as NodeState,
  RaftMemberStatus_Reachability as Reachability,
  TaskState,
} from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { DirectAgent } from '../../../support/direct-agent.ts';
import { aTask, dispatcherRig, type DispatcherRig } from '../../../support/dispatcher-rig.ts';

let rig: DispatcherRig;
let clock: FakeClock;
let openRig: DispatcherRig | undefined;
afterEach(async () => {
  await openRig?.close();
  openRig = undefined;
});

async function start(settings: Partial<DispatcherSettings> = {}): Promise<() => Promise<void>> {
  clock = new FakeClock();
  rig = openRig = await dispatcherRig(settings, clock);
  await rig.addNode('n1', NodeState.READY);
  const end = rig.lead();
  await clock.advance(10);
  return end;
}

const stateOf = (id: string): NodeState | undefined => rig.node(id).status?.state;

async function registered(userAgent?: string): Promise<DirectAgent> {
  const agent = new DirectAgent(rig.dispatcher, 'n1', userAgent);
  agent.register();
  await clock.advance(10);
  expect(agent.sessionId).not.toBe('');
  return agent;
}

describe('the heartbeat period', () => {
  it('is short by default, grows with the cluster up to its default, and is kept when somebody chose it', () => {
    const base = { flagMs: undefined, clusterMs: 5_000, nodes: 5, isWatched: false };
    expect(heartbeatPeriodMs(base)).toBe(2_000);
    expect(heartbeatPeriodMs({ ...base, clusterMs: undefined })).toBe(2_000);
    expect(heartbeatPeriodMs({ ...base, nodes: 150 })).toBe(2_000);
    expect(heartbeatPeriodMs({ ...base, nodes: 500 })).toBe(2_000);
    expect(heartbeatPeriodMs({ ...base, nodes: 5_000 })).toBe(20_000);
    const watched = { ...base, isWatched: true };
    expect([200, 500, 5_000].map((nodes) => heartbeatPeriodMs({ ...watched, nodes }))).toEqual([2_000, 5_000, 50_000]);
    expect(heartbeatPeriodMs({ ...base, clusterMs: 10_000 })).toBe(10_000);
    expect(heartbeatPeriodMs({ ...base, clusterMs: 1 })).toBe(500);
    expect(heartbeatPeriodMs({ ...base, flagMs: 700, clusterMs: 10_000 })).toBe(700);
  });
});

describe('a heartbeat deadline', () => {
  it('does not expire when this process stood still and may not have read what came', async () => {
    let late = 0;
    let expired = 0;
    const fake = new FakeClock();
    const standing = { ...fakeLike(fake), monotonic: () => fake.monotonic() + late };
    const deadline = new HeartbeatDeadline(standing, () => expired++);
    deadline.set(6_000);
    late = 30_000;
    await fake.advance(6_000);
    expect(expired).toBe(0);
    await fake.advance(5_999);
    expect(expired).toBe(0);
    await fake.advance(1);
    expect(expired).toBe(1);
  });
});

const fakeLike = (fake: FakeClock): { now(): number; setTimer: FakeClock['setTimer'] } => ({
  now: () => fake.now(),
  setTimer: (delayMs, action) => fake.setTimer(delayMs, action),
});

describe('a node', () => {
  it('is down after three silent periods and not before', async () => {
    await start({ heartbeatPeriodMs: 5_000 });
    const agent = await registered();
    for (let i = 0; i < 5; i++) {
      expect(await agent.beat()).toBe(5_000);
      await clock.advance(5_000);
    }
    await agent.beat();
    await clock.advance(14_900);
    expect(stateOf('n1')).toBe(NodeState.READY);
    await clock.advance(200);
    expect(stateOf('n1')).toBe(NodeState.DOWN);
    expect(rig.node('n1').status?.message).toBe('heartbeat failure');
    expect(agent.sessionError?.code).toBe('aborted');
    await expect(agent.beat()).rejects.toMatchObject({ code: 'notFound' });
  });

  it('that reports what its tasks do is not silent', async () => {
    await start({ heartbeatPeriodMs: 5_000 });
    const agent = await registered();
    await agent.beat();
    await rig.store.update((tx) => tx.task.create(aTask('t1', 'n1')));
    for (const state of [TaskState.PREPARING, TaskState.STARTING, TaskState.RUNNING]) {
      await clock.advance(10_000);
      await agent.report('t1', state);
    }
    await clock.advance(14_900);
    expect(stateOf('n1')).toBe(NodeState.READY);
    await clock.advance(200);
    expect(stateOf('n1')).toBe(NodeState.DOWN);
  });

  it('that was cut off is found within seven seconds by default', async () => {
    await start();
    const agent = await registered();
    expect(await agent.beat()).toBe(2_000);
    await clock.advance(6_700);
    expect(stateOf('n1')).toBe(NodeState.DOWN);
  });

  it('follows a heartbeat period changed in the cluster while it is registered', async () => {
    await start();
    const agent = await registered();
    await rig.store.update((tx) => {
      const cluster = tx.cluster.all()[0];
      if (cluster?.spec) {
        const dispatcher = { heartbeatPeriod: { seconds: 1, nanos: 0 } };
        tx.cluster.update({ ...cluster, spec: { ...cluster.spec, dispatcher } });
      }
    });
    await clock.advance(0);
    expect(await agent.beat()).toBe(1_000);
  });

  it('is down soon after its connection broke, unless it comes back', async () => {
    await start({ sessionGraceMs: 2_000 });
    const agent = await registered();
    agent.disconnect();
    await clock.advance(1_900);
    expect(stateOf('n1')).toBe(NodeState.READY);
    agent.register();
    await clock.advance(2_500);
    await agent.beat();
    await clock.advance(2_500);
    expect(stateOf('n1')).toBe(NodeState.READY);
    agent.disconnect();
    await clock.advance(2_100);
    expect(stateOf('n1')).toBe(NodeState.DOWN);
  });

  it('that gives up before its first heartbeat after an election is awaited as if it had not come', async () => {
    await start({ sessionGraceMs: 2_000 });
    const agent = await registered();
    for (let i = 0; i < 2; i++) {
      agent.disconnect();
      await clock.advance(20_000);
      expect(stateOf('n1')).toBe(NodeState.READY);
      agent.register();
      await clock.advance(10);
    }
    agent.disconnect();
    await clock.advance(31_000);
    expect(stateOf('n1')).toBe(NodeState.DOWN);
  });

  it('keeps its state when it closes and reopens its session to say something new', async () => {
    await start({ sessionGraceMs: 2_000 });
    const agent = await registered();
    const { sessionId } = agent;
    agent.disconnect();
    await clock.advance(5);
    agent.register(sessionId);
    await clock.advance(3_000);
    expect(agent.sessionId).toBe(sessionId);
    expect(stateOf('n1')).toBe(NodeState.READY);
  });

  it('that knocks too often is refused but not counted as gone', async () => {
    await start({ sessionGraceMs: 2_000 });
    const agent = await registered();
    for (let i = 0; i < 3; i++) {
      agent.disconnect();
      await clock.advance(100);
      agent.register();
      await clock.advance(10);
    }
    expect(agent.sessionError?.code).toBe('unavailable');
    await clock.advance(3_000);
    expect(stateOf('n1')).toBe(NodeState.READY);
  });

  it('that was outbid and then refused has time to come back until its registrations count no more', async () => {
    await start({ heartbeatPeriodMs: 1_000, sessionGraceMs: 2_000 });
    const agent = await registered();
    await agent.beat();
    for (let i = 0; i < 3; i++) {
      agent.register();
      await clock.advance(10);
    }
    expect(agent.sessionError?.code).toBe('unavailable');
    // Agents wait longer and longer between two tries.
    await clock.advance(8_100);
    expect(stateOf('n1')).toBe(NodeState.READY);
    agent.register();
    await clock.advance(100);
    await agent.beat();
    expect(stateOf('n1')).toBe(NodeState.READY);
    agent.disconnect();
    await clock.advance(2_100);
    expect(stateOf('n1')).toBe(NodeState.DOWN);
  });

  it('that ends its session in good order has until its heartbeat is due to come back', async () => {
    await start({ sessionGraceMs: 1_000 });
    const agent = await registered();
    await agent.beat();
    await agent.hangUp();
    await clock.advance(5_000);
    expect(stateOf('n1')).toBe(NodeState.READY);
    agent.register();
    await clock.advance(1_000);
    await agent.hangUp();
    await clock.advance(5_000);
    expect(stateOf('n1')).toBe(NodeState.READY);
    await clock.advance(1_500);
    expect(stateOf('n1')).toBe(NodeState.DOWN);
  });

  it('with a Docker Engine has until its heartbeat is due to restart', async () => {
    await start({ sessionGraceMs: 1_000 });
    const agent = await registered('grpc-go/1.33.3');
    await agent.beat();
    agent.disconnect();
    await clock.advance(5_000);
    expect(stateOf('n1')).toBe(NodeState.READY);
    await clock.advance(1_500);
    expect(stateOf('n1')).toBe(NodeState.DOWN);
  });

  it('is unknown after an election until it registers, for six periods, and then down', async () => {
    await start({ heartbeatPeriodMs: 1_000 });
    await rig.addNode('n2', NodeState.READY);
    expect(stateOf('n1')).toBe(NodeState.UNKNOWN);
    const agent = await registered();
    expect(stateOf('n1')).toBe(NodeState.READY);
    agent.disconnect();
    await rig.close();

    await start({ heartbeatPeriodMs: 1_000 });
    await clock.advance(5_900);
    expect(stateOf('n1')).toBe(NodeState.UNKNOWN);
    await clock.advance(200);
    expect(stateOf('n1')).toBe(NodeState.DOWN);
    expect(rig.node('n1').status?.message).toContain('"unknown" state');
  });

  it('has half a minute to find a new leader, but little when its manager cannot be reached either', async () => {
    const endTerm = await start();
    const managerOf = (reachability: Reachability): ManagerStatus => ManagerStatus.fromPartial({ reachability });
    const setReachability = (id: string, reachability: Reachability): Promise<void> =>
      rig.store.update((tx) => tx.node.update({ ...rig.node(id), managerStatus: managerOf(reachability) }));
    await endTerm();
    await rig.store.update((tx) => {
      for (const id of ['dead', 'blinked'])
        tx.node.create(Node.fromPartial({ id, status: { state: NodeState.READY } }));
    });
    rig.lead();
    await clock.advance(1_000);
    await setReachability('dead', Reachability.UNREACHABLE);
    await setReachability('blinked', Reachability.UNREACHABLE);
    await clock.advance(3_000);
    await setReachability('blinked', Reachability.REACHABLE);
    await clock.advance(3_100);
    expect(stateOf('dead')).toBe(NodeState.DOWN);
    await clock.advance(20_000);
    expect(stateOf('n1')).toBe(NodeState.UNKNOWN);
    expect(stateOf('blinked')).toBe(NodeState.UNKNOWN);
    await clock.advance(10_000);
    expect(stateOf('n1')).toBe(NodeState.DOWN);
  });

  it('that was down when the leader changed stays down, and may come back', async () => {
    clock = new FakeClock();
    rig = openRig = await dispatcherRig({}, clock);
    await rig.addNode('n1', NodeState.DOWN);
    rig.lead();
    await clock.advance(60_000);
    expect(stateOf('n1')).toBe(NodeState.DOWN);
    await registered();
    expect(stateOf('n1')).toBe(NodeState.READY);
  });

  it('down for a day has its unfinished tasks orphaned, and only those', async () => {
    await start();
    await rig.store.update((tx) => {
      tx.task.create(aTask('running', 'n1', { state: TaskState.RUNNING }));
      tx.task.create(aTask('assigned', 'n1', { state: TaskState.ASSIGNED }));
      tx.task.create(aTask('failed', 'n1', { state: TaskState.FAILED }));
      tx.task.create(aTask('elsewhere', 'n2', { state: TaskState.RUNNING }));
    });
    await clock.advance(23 * 3_600_000);
    const stateOfTask = (id: string): TaskState | undefined => rig.store.read.task.get(id)?.status?.state;
    expect(stateOf('n1')).toBe(NodeState.DOWN);
    expect(stateOfTask('running')).toBe(TaskState.RUNNING);
    await clock.advance(2 * 3_600_000);
    expect(stateOfTask('running')).toBe(TaskState.ORPHANED);
    expect(stateOfTask('assigned')).toBe(TaskState.ORPHANED);
    expect(stateOfTask('failed')).toBe(TaskState.FAILED);
    expect(stateOfTask('elsewhere')).toBe(TaskState.RUNNING);
    expect(rig.store.read.task.get('running')?.status?.appliedBy).toBe('m1');
  });
});

describe('a clock that is set', () => {
  it.each([
    ['forward', 3_600_000],
    ['back', -3_600_000],
  ])('%s by an hour marks no node down and refuses no session', async (_how, jumpMs) => {
    await start();
    const agent = await registered();
    for (let i = 0; i < 5; i++) {
      await clock.advance(await agent.beat());
      if (i === 1) clock.jump(jumpMs);
      expect(stateOf('n1')).toBe(NodeState.READY);
    }
    await clock.advance(20_000);
    expect(stateOf('n1')).toBe(NodeState.DOWN);
  });
});

/** The real agent and the real dispatcher and log broker, over loopback: what each believes of the other must be true. */
import { InterceptingCall } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/common/clock.ts';
import { countingIds } from '../../../../src/common/ids.ts';
import { silentLogger } from '../../../../src/common/log.ts';
import { Dispatcher } from '../../../../src/manager/dispatcher/dispatcher.ts';
import { LogBroker } from '../../../../src/manager/logs/log-broker.ts';
import { DispatcherService } from '../../../../src/proto/generated/docker/swarmkit/v1/dispatcher.ts';
import {
  LogBrokerService,
  LogSelector,
  LogSubscriptionOptions,
} from '../../../../src/proto/generated/docker/swarmkit/v1/logbroker.ts';
import type { Task } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeStatus_State as NodeState, TaskState } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { Agent } from '../../../../src/worker/agent.ts';
import { ScriptedDriver } from '../../../../src/worker/drivers/scripted-driver.ts';
import type { ManagerConnector } from '../../../../src/worker/manager-connector.ts';
import { aPeer, aSecret, aTask, dispatcherRig, type DispatcherRig } from '../../../support/dispatcher-rig.ts';
import { eventually } from '../../../support/eventually.ts';
import { plainConnector } from '../../../support/plain-connector.ts';
import { callAs, rpcRig } from '../../../support/rpc-rig.ts';

/** 0 asks for all lines, −n−1 for the last n. */
const encodeTail = (lines: number | undefined): number => (lines === undefined ? 0 : -lines - 1);

let rig: DispatcherRig;
let broker: LogBroker;
let endTerms: (() => Promise<void>)[];
let driver: ScriptedDriver;
let stop: AbortController;
let running: Promise<void>;

/** Says who calls in metadata, as the rig's server wants it. */
const connectorFor = (nodeId: string): ManagerConnector =>
  plainConnector(
    (options, nextCall) =>
      new InterceptingCall(nextCall(options), {
        start: (metadata, listener, next) => {
          metadata.merge(callAs(nodeId));
          next(metadata, listener);
        },
      }),
  );

/** The agent of node n1 begins, as its process does. */
const startAgent = (): void => {
  stop = new AbortController();
  running = new Agent({
    nodeId: 'n1',
    stateDir: undefined,
    driver,
    connector: connectorFor('n1'),
    managers: [rig.rpc.address],
    log: silentLogger,
  }).run(stop.signal);
};

const lead = (): void => {
  const end = new AbortController();
  const serving = broker.run(end.signal);
  const endDispatcher = rig.lead();
  endTerms.push(async () => {
    end.abort();
    await Promise.all([serving, endDispatcher()]);
  });
};
const endTerm = async (): Promise<void> => endTerms.pop()?.();

beforeEach(async () => {
  endTerms = [];
  rig = await dispatcherRig({ heartbeatPeriodMs: 300 });
  rig.setManagers([aPeer(rig.rpc.address, 'm1')]);
  const newId = countingIds('sub');
  broker = new LogBroker({ store: rig.store, clock: systemClock, newId, log: silentLogger, leader: () => undefined });
  rig.rpc.add(LogBrokerService, broker.methods);
  await rig.addNode('n1');
  lead();
  driver = new ScriptedDriver({ clock: systemClock, engineVersion: 'test' });
  startAgent();
  await eventually(() => expect(rig.node('n1').status?.state).toBe(NodeState.READY));
});

afterEach(async () => {
  stop.abort();
  await running;
  while (endTerms.length > 0) await endTerm();
  await rig.close();
});

const taskOf = (id: string): Task | undefined => rig.store.read.task.get(id);
const stateOf = (id: string): TaskState | undefined => taskOf(id)?.status?.state;
const withEnv = (task: Task, env: readonly string[]): Task => {
  const runtime = task.spec?.runtime;
  if (runtime?.$case !== 'container' || !task.spec) return task;
  return { ...task, spec: { ...task.spec, runtime: { $case: 'container', value: { ...runtime.value, env } } } };
};
const change = (id: string, update: (task: Task) => Task): Promise<void> =>
  rig.store.update((tx) => tx.task.update(update(tx.task.get(id) as Task)));

describe('an agent and its manager', () => {
  it('bring tasks from assigned to running, and to their end', async () => {
    await rig.store.update((tx) => {
      for (const id of ['a', 'b', 'c']) tx.task.create(aTask(id, 'n1'));
      tx.task.create(withEnv(aTask('short', 'n1'), ['SCRIPT_RUN_MS=30', 'SCRIPT_EXIT=3']));
    });
    await eventually(() => expect(['a', 'b', 'c'].map(stateOf)).toEqual([512, 512, 512]));
    await eventually(() => expect(stateOf('short')).toBe(TaskState.FAILED));
    expect(taskOf('short')?.status?.runtimeStatus?.value.exitCode).toBe(3);
    expect(taskOf('a')?.status?.appliedBy).toBe('m1');
    await change('a', (task) => ({ ...task, desiredState: TaskState.SHUTDOWN }));
    await eventually(() => expect(stateOf('a')).toBe(TaskState.SHUTDOWN));
    await rig.store.update((tx) => tx.task.delete('a'));
    await eventually(() => expect(driver.world.callsFor('a')).toContain('remove'));
  });

  it('keep tasks running through a change of leader, and settle what was reported meanwhile', async () => {
    await rig.store.update((tx) => {
      tx.task.create(aTask('a', 'n1'));
      tx.task.create(withEnv(aTask('ends', 'n1'), ['SCRIPT_RUN_MS=400']));
    });
    await eventually(() => expect(['a', 'ends'].map(stateOf)).toEqual([512, 512]));
    await endTerm();
    await new Promise((resolve) => setTimeout(resolve, 500));
    lead();
    await eventually(() => expect(rig.node('n1').status?.state).toBe(NodeState.READY), 10_000);
    await eventually(() => expect(stateOf('ends')).toBe(TaskState.COMPLETE));
    expect(stateOf('a')).toBe(TaskState.RUNNING);
    expect(driver.world.callsFor('a').filter((call) => call === 'start')).toHaveLength(1);
  });

  it('survive a restart of the agent, which brings a new description, without the node going down', async () => {
    const states: (NodeState | undefined)[] = [];
    const watch = rig.store.watch({ kinds: ['node'] });
    const watching = (async () => {
      for await (const commits of watch) commits.forEach(() => states.push(rig.node('n1').status?.state));
    })();
    stop.abort();
    await running;
    const description = await driver.describe();
    driver.setDescription({ ...description, hostname: 'renamed' });
    startAgent();
    await eventually(() => expect(rig.node('n1').description?.hostname).toBe('renamed'));
    watch.close();
    await watching;
    expect(new Set(states)).toEqual(new Set([NodeState.READY]));
  });

  it('find each other when the agent knows only a manager that does not lead', async () => {
    await rig.addNode('n2');
    const follower = await rpcRig();
    const managers = [aPeer(follower.address, 'm2'), aPeer(rig.rpc.address, 'm1')];
    rig.setManagers(managers);
    const dispatcher = new Dispatcher({
      store: rig.store,
      clock: systemClock,
      random: () => 0.5,
      newId: countingIds('follower'),
      log: silentLogger,
      nodeId: 'm2',
      managers: { current: () => managers, onChange: () => () => undefined },
      usage: { intervalMs: undefined, onChange: () => () => undefined },
      confirmLeadership: () => Promise.reject(new Error('it does not lead')),
      leader: () => ({ nodeId: 'm1', address: rig.rpc.address }),
    });
    follower.add(DispatcherService, dispatcher.methods);
    const end = new AbortController();
    const other = new Agent({
      nodeId: 'n2',
      stateDir: undefined,
      driver: new ScriptedDriver({ clock: systemClock, engineVersion: 'test' }),
      connector: connectorFor('n2'),
      managers: [follower.address],
      log: silentLogger,
    }).run(end.signal);
    await eventually(() => expect(rig.node('n2').status?.state).toBe(NodeState.READY), 2_000);
    end.abort();
    await other;
    follower.close();
  });

  it('hand secrets to the tasks that need them', async () => {
    await rig.store.update((tx) => {
      tx.secret.create(aSecret('s1'));
      tx.task.create(aTask('a', 'n1', { secrets: ['s1'] }));
    });
    await eventually(() => expect(stateOf('a')).toBe(TaskState.RUNNING));
  });

  it('show logs to a client, to the end or as they come', async () => {
    await rig.store.update((tx) => {
      tx.task.create(withEnv(aTask('a', 'n1'), ['SCRIPT_LOG=one\ntwo\nthree']));
    });
    await eventually(() => expect(stateOf('a')).toBe(TaskState.RUNNING));
    await eventually(() => expect(broker.load.listeners).toBe(1));
    const read = async (follow: boolean, tail: number | undefined, signal: AbortSignal): Promise<readonly string[]> => {
      const request = {
        selector: { ...LogSelector.fromPartial({}), serviceIds: ['service'] },
        options: LogSubscriptionOptions.fromPartial({ follow, tail: encodeTail(tail) }),
      };
      const lines: string[] = [];
      for await (const { messages } of broker.subscribe(request, signal)) {
        for (const { data } of messages) lines.push(data.toString().trimEnd());
        if (follow && lines.includes('later')) break;
      }
      return lines;
    };
    const never = new AbortController().signal;
    expect(await read(false, undefined, never)).toEqual(['one', 'two', 'three']);
    expect(await read(false, 2, never)).toEqual(['two', 'three']);
    expect(await read(false, 0, never)).toEqual([]);
    const following = read(true, 1, never);
    await eventually(() => expect(broker.load.subscriptions).toBe(1));
    await rig.store.update((tx) => tx.task.create(withEnv(aTask('b', 'n1'), ['SCRIPT_LOG=later'])));
    expect(await following).toContain('later');
    await eventually(() => expect(broker.load).toEqual({ listeners: 1, subscriptions: 0 }));
  });
});

/** The real agent against the real dispatcher: what one says the other does. */
import { credentials, InterceptingCall, type Interceptor } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DispatcherClient } from '../../../src/proto/generated/docker/swarmkit/v1/dispatcher.ts';
import { LogBrokerClient } from '../../../src/proto/generated/docker/swarmkit/v1/logbroker.ts';
import { ResourceAllocatorClient } from '../../../src/proto/generated/docker/swarmkit/v1/resource.ts';
import { UsageClient } from '../../../src/proto/generated/docker/swarmkit/v1/usage.ts';
import type { Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeStatus_State as NodeState, TaskState } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import type { ManagerConnector } from '../../../src/worker/manager-connector.ts';
import { AgentRig } from '../../support/agent-rig.ts';
import { aPeer, aSecret, aTask, dispatcherRig, type DispatcherRig } from '../../support/dispatcher-rig.ts';
import { eventually } from '../../support/eventually.ts';
import { callAs } from '../../support/rpc-rig.ts';

let manager: DispatcherRig;
let worker: AgentRig;
let endTerm: () => Promise<void>;

const asNode =
  (nodeId: string): Interceptor =>
  (options, next) =>
    new InterceptingCall(next(options), {
      start: (metadata, listener, start) => {
        metadata.merge(callAs(nodeId));
        start(metadata, listener);
      },
    });

const connector: ManagerConnector = {
  open: (address) => {
    const options = { interceptors: [asNode('node1')] };
    const dispatcher = new DispatcherClient(address, credentials.createInsecure(), options);
    const logBroker = new LogBrokerClient(address, credentials.createInsecure(), options);
    const usage = new UsageClient(address, credentials.createInsecure(), options);
    const resources = new ResourceAllocatorClient(address, credentials.createInsecure(), options);
    const close = (): void => {
      dispatcher.close();
      logBroker.close();
      usage.close();
      resources.close();
    };
    return { dispatcher, logBroker, resources, usage, close };
  },
};

const task = (id: string): Task | undefined => manager.store.read.task.get(id);
const inState = (id: string, state: TaskState): Promise<unknown> =>
  eventually(() => task(id)?.status?.state === state, 10_000);
const want = (id: string, desiredState: TaskState): Promise<unknown> =>
  manager.store.update((tx) => tx.task.update({ ...(tx.task.get(id) as Task), desiredState }));

beforeEach(async () => {
  manager = await dispatcherRig({ statusGatherMs: 1 });
  manager.setManagers([aPeer(manager.rpc.address, 'm1')]);
  await manager.addNode('node1');
  endTerm = manager.lead();
  worker = new AgentRig();
  worker.start({ connector, managers: [manager.rpc.address] });
});

afterEach(async () => {
  await worker.close();
  await manager.close();
});

describe('the agent and the dispatcher', () => {
  it('make the node ready, run a task, stop it and forget it', async () => {
    await eventually(() => manager.node('node1').status?.state === NodeState.READY);
    expect(manager.node('node1').description?.engine?.plugins).toContainEqual({ type: 'Runtime', name: 'scripted' });
    await manager.store.update((tx) => tx.task.create(aTask('t1', 'node1')));
    await inState('t1', TaskState.RUNNING);
    expect(task('t1')?.status?.runtimeStatus?.value.containerId).toBe('scripted-t1');
    await want('t1', TaskState.SHUTDOWN);
    await inState('t1', TaskState.SHUTDOWN);
    await manager.store.update((tx) => tx.task.delete('t1'));
    await eventually(() => worker.world.tasks.size === 0);
  });

  it('hand a secret over together with the task that names it', async () => {
    await manager.store.update((tx) => {
      tx.secret.create(aSecret('s1'));
      tx.secret.create(aSecret('s2'));
      tx.task.create(aTask('t1', 'node1', { secrets: ['s1'] }));
    });
    await inState('t1', TaskState.RUNNING);
    expect(worker.world.tasks.get('t1')?.seen).toEqual(['s1']);
  });

  it('leave running tasks alone when leadership comes and goes', async () => {
    await manager.store.update((tx) => tx.task.create(aTask('t1', 'node1')));
    await inState('t1', TaskState.RUNNING);
    await endTerm();
    await eventually(() => worker.agent?.state.isConnected === false);
    manager.lead();
    await eventually(() => worker.agent?.state.isConnected === true, 15_000);
    await eventually(() => manager.node('node1').status?.state === NodeState.READY);
    expect(worker.world.callsFor('t1')).toEqual(['prepare', 'start']);
    expect(task('t1')?.status?.state).toBe(TaskState.RUNNING);
  });

  it('agree after a restart of the agent on what happened meanwhile', async () => {
    await manager.store.update((tx) => {
      for (const id of ['t1', 't2', 't3']) tx.task.create(aTask(id, 'node1'));
    });
    for (const id of ['t1', 't2', 't3']) await inState(id, TaskState.RUNNING);
    await worker.stop();
    worker.world.tasks.get('t1')?.end({ exitCode: 9, reason: '' });
    await want('t2', TaskState.SHUTDOWN);
    await manager.store.update((tx) => tx.task.create(aTask('t4', 'node1')));
    worker.start({ connector, managers: [manager.rpc.address] });
    await inState('t1', TaskState.FAILED);
    await inState('t2', TaskState.SHUTDOWN);
    await inState('t4', TaskState.RUNNING);
    expect(task('t1')?.status).toMatchObject({ err: 'task: non-zero exit (9)' });
    expect(task('t3')?.status?.state).toBe(TaskState.RUNNING);
    expect(worker.world.callsFor('t3')).toEqual(['prepare', 'start']);
  });
});

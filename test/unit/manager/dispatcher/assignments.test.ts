import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SwarmError } from '../../../../src/common/errors.ts';
import { unary } from '../../../../src/common/rpc-client.ts';
import type { NetworkPeer, TasksMessage } from '../../../../src/proto/generated/docker/swarmkit/v1/dispatcher.ts';
import {
  Endpoint,
  Volume,
  type Network,
  type Task,
} from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { ContainerSpec, TaskSpec, VolumeSpec } from '../../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import {
  ContainerStatus,
  PortConfig,
  TaskState,
  TaskStatus,
  VolumeSecret,
  VolumePublishStatus,
  VolumePublishStatus_State as PublishState,
} from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aSecret, aTask, dispatcherRig, type DispatcherRig } from '../../../support/dispatcher-rig.ts';
import { eventually } from '../../../support/eventually.ts';
import type { FakeAgent } from '../../../support/fake-agent.ts';
import { callAs } from '../../../support/rpc-rig.ts';
import { onIngress, onOverlay } from '../../../support/worker-builders.ts';

describe('the stream of assignments', () => {
  let rig: DispatcherRig;
  let agent: FakeAgent;

  beforeEach(async () => {
    rig = await dispatcherRig({ statusGatherMs: 1 });
    await rig.addNode('n1');
    await rig.addNode('n2');
    rig.lead();
    agent = rig.agent('n1');
    await agent.register();
  });
  afterEach(async () => {
    expect(agent.faults).toEqual([]);
    await rig.close();
  });

  const create = (...tasks: readonly Task[]): Promise<void> =>
    rig.store.update((tx) => tasks.forEach((task) => tx.task.create(task)));
  const setState = (id: string, state: TaskState): Promise<void> =>
    rig.store.update((tx) => {
      const task = tx.task.get(id) as Task;
      tx.task.update({ ...task, status: TaskStatus.fromPartial({ ...task.status, state }) });
    });
  /** Creates a task and waits for it, so that everything before has surely been sent. */
  const settle = async (): Promise<void> => {
    const id = `marker${agent.messages.length}-${Math.random()}`;
    await create(aTask(id, 'n1'));
    await eventually(() => agent.held('task').includes(id));
    await rig.store.update((tx) => tx.task.delete(id));
    await eventually(() => !agent.held('task').includes(id));
  };

  describe('of an agent that asks for peers', () => {
    const on = (task: Task, ...networks: readonly ReturnType<typeof onOverlay>[]): Task => ({ ...task, networks });
    const peer = (id: string) => agent.assigned.get(`peer:${id}`) as NetworkPeer | undefined;
    beforeEach(async () => {
      const other = rig.agent('n2');
      await other.register();
      await create(on(aTask('far', 'n2'), onOverlay('back', '10.0.1.3/24')));
      await create(on(aTask('elsewhere', 'n2'), onOverlay('front', '10.0.2.3/24')));
      await agent.open(undefined, true);
    });

    it('names tasks of other nodes on the networks of its own, while it has some there', async () => {
      expect(agent.held('peer')).toEqual([]);
      await create(on(aTask('near', 'n1'), onOverlay('back', '10.0.1.2/24')));
      await eventually(() => expect(agent.held('peer')).toEqual(['far']));
      expect(peer('far')).toMatchObject({ nodeAddr: '127.0.0.1', vxlanPort: 4789, task: { nodeId: 'n2' } });
      await rig.store.update((tx) => tx.task.delete('near'));
      await eventually(() => expect(agent.held('peer')).toEqual([]));
    });

    it('says what the container of one that runs is called', async () => {
      const container = { ...ContainerSpec.fromPartial({}), hostname: 'h-{{.Task.Slot}}-{{.Node.ID}}' };
      const spec = TaskSpec.fromPartial({ runtime: { $case: 'container', value: container } });
      const named = { ...aTask('named', 'n2'), slot: 3, spec };
      await create(on(aTask('near', 'n1'), onOverlay('back', '10.0.1.2/24')));
      await create(on(named, onOverlay('back', '10.0.1.4/24')));
      await eventually(() => expect(peer('named')?.names).toEqual([]));
      await rig.store.update((tx) => {
        const value = ContainerStatus.fromPartial({ containerId: '0123456789abcdef' });
        const runtimeStatus = { $case: 'container', value } as const;
        const task = tx.task.get('named') as Task;
        tx.task.update({ ...task, status: TaskStatus.fromPartial({ state: TaskState.RUNNING, runtimeStatus }) });
      });
      await eventually(() => expect(peer('named')?.names).toEqual(['h-3-n2', '0123456789ab']));
    });

    it('says when others may be sent to one, and when it is gone', async () => {
      await create(on(aTask('near', 'n1'), onOverlay('back', '10.0.1.2/24')));
      await eventually(() => expect(peer('far')?.task?.status?.state).toBe(TaskState.ASSIGNED));
      await setState('far', TaskState.RUNNING);
      await eventually(() => expect(peer('far')?.task?.status?.state).toBe(TaskState.RUNNING));
      await setState('far', TaskState.FAILED);
      await eventually(() => expect(agent.held('peer')).toEqual([]));
      await create(on(aTask('next', 'n2'), onOverlay('back', '10.0.1.4/24')));
      await eventually(() => expect(agent.held('peer')).toEqual(['next']));
    });
  });

  it('names tasks behind published ports to every agent that asks for peers', async () => {
    await rig.agent('n2').register();
    const ports = [PortConfig.fromPartial({ publishedPort: 8080, targetPort: 80 })];
    const endpoint = { ...Endpoint.fromPartial({}), ports };
    await rig.store.update((tx) => tx.network.create(onIngress().network as Network));
    await create({ ...aTask('far', 'n2'), networks: [onIngress()], endpoint });
    await agent.open(undefined, true);
    expect(agent.held('peer')).toEqual(['far']);
    await create({ ...aTask('next', 'n2'), networks: [onIngress()], endpoint });
    await eventually(() => expect(agent.held('peer')).toEqual(['far', 'next']));
    const { task } = agent.assigned.get('peer:next') as NetworkPeer;
    expect(task?.endpoint?.ports).toMatchObject([{ publishedPort: 8080, targetPort: 80 }]);
    await rig.store.update((tx) => tx.task.delete('far'));
    await eventually(() => expect(agent.held('peer')).toEqual(['next']));
  });

  it('names no peers to agents that did not ask', async () => {
    await create({ ...aTask('far', 'n2'), networks: [onOverlay('back', '10.0.1.3/24')] });
    await create({ ...aTask('near', 'n1'), networks: [onOverlay('back', '10.0.1.2/24')] });
    await agent.open();
    expect(agent.held('peer')).toEqual([]);
  });

  it('begins with the complete set and goes on with changes, each building on the last', async () => {
    await create(aTask('a', 'n1'), aTask('new', 'n1', { state: TaskState.PENDING }), aTask('other', 'n2'));
    await agent.open();
    expect(agent.held('task')).toEqual(['a']);
    await create(aTask('b', 'n1'));
    await eventually(() => expect(agent.held('task')).toEqual(['a', 'b']));
    await setState('new', TaskState.ASSIGNED);
    await eventually(() => expect(agent.held('task')).toEqual(['a', 'b', 'new']));
    await rig.store.update((tx) => tx.task.delete('a'));
    await eventually(() => expect(agent.held('task')).toEqual(['b', 'new']));
    expect(agent.messages.map((m) => [m.type, m.appliesTo, m.resultsIn])).toEqual([
      [0, '', '1'],
      [1, '1', '2'],
      [1, '2', '3'],
      [1, '3', '4'],
    ]);
  });

  it('gathers what is committed together and splits what is more than a message', async () => {
    await agent.open();
    await create(...Array.from({ length: 250 }, (_, i) => aTask(`t${i}`, 'n1')));
    await eventually(() => expect(agent.held('task')).toHaveLength(250));
    expect(agent.messages.slice(1).map((m) => m.changes.length)).toEqual([100, 100, 50]);
  });

  it('does not echo the status of a task, but sends every change of what is wanted', async () => {
    await create(aTask('a', 'n1'));
    await agent.open();
    await agent.report('a', TaskState.RUNNING);
    await eventually(() => rig.store.read.task.get('a')?.status?.state === TaskState.RUNNING);
    await settle();
    expect((agent.assigned.get('task:a') as Task).status?.state).toBe(TaskState.ASSIGNED);
    await rig.store.update((tx) => tx.task.update({ ...(tx.task.get('a') as Task), desiredState: TaskState.SHUTDOWN }));
    await eventually(() => expect((agent.assigned.get('task:a') as Task).desiredState).toBe(TaskState.SHUTDOWN));
  });

  it('sends a task again while managers still own its status', async () => {
    await create(aTask('a', 'n1'));
    await agent.open();
    await rig.store.update((tx) => {
      const task = tx.task.get('a') as Task;
      tx.task.update({ ...task, status: TaskStatus.fromPartial({ ...task.status, message: 'again' }) });
    });
    await eventually(() => expect((agent.assigned.get('task:a') as Task).status?.message).toBe('again'));
  });

  it('brings secrets and configs with the first task that needs them and takes them away with the last', async () => {
    await rig.store.update((tx) => ['s1', 's2', 's3'].forEach((id) => tx.secret.create(aSecret(id))));
    await agent.open();
    await create(aTask('a', 'n1', { secrets: ['s1', 's2'] }), aTask('b', 'n1', { secrets: ['s2'] }));
    await eventually(() => expect(agent.held('secret')).toEqual(['s1', 's2']));
    expect(agent.messages).toHaveLength(2);
    await agent.report('a', TaskState.RUNNING);
    await settle();
    expect(agent.held('secret')).toEqual(['s1', 's2']);
    await agent.report('a', TaskState.FAILED);
    await eventually(() => expect(agent.held('secret')).toEqual(['s2']));
    expect(agent.held('task')).toEqual(['a', 'b']);
    await rig.store.update((tx) => tx.task.delete('b'));
    await eventually(() => expect(agent.held('secret')).toEqual([]));
  });

  it('leaves the secrets of ended tasks out of a complete set', async () => {
    await rig.store.update((tx) => tx.secret.create(aSecret('s1')));
    await create(aTask('a', 'n1', { secrets: ['s1'], state: TaskState.COMPLETE }));
    await agent.open();
    expect(agent.held('task')).toEqual(['a']);
    expect(agent.held('secret')).toEqual([]);
  });

  it('brings a secret that was made after its task, and a changed one again', async () => {
    await agent.open();
    await create(aTask('a', 'n1', { secrets: ['s1'] }));
    await eventually(() => expect(agent.held('task')).toEqual(['a']));
    await rig.store.update((tx) => tx.secret.create(aSecret('s1')));
    await eventually(() => expect(agent.held('secret')).toEqual(['s1']));
    const count = agent.messages.length;
    await rig.store.update((tx) => {
      const secret = tx.secret.get('s1');
      if (secret?.spec) tx.secret.update({ ...secret, spec: { ...secret.spec, data: Buffer.from('changed') } });
    });
    await eventually(() => expect(agent.messages).toHaveLength(count + 1));
  });

  it('brings a volume while it is published to the node, with its secrets', async () => {
    await rig.store.update((tx) => tx.secret.create(aSecret('key')));
    await agent.open();
    const published = (state: PublishState): Volume => ({
      ...Volume.fromPartial({ id: 'v' }),
      spec: { ...VolumeSpec.fromPartial({}), secrets: [VolumeSecret.fromPartial({ key: 'k', secret: 'key' })] },
      publishStatus: [VolumePublishStatus.fromPartial({ nodeId: 'n1', state })],
    });
    await rig.store.update((tx) => tx.volume.create(published(PublishState.PENDING_PUBLISH)));
    const publish = (state: PublishState): Promise<void> =>
      rig.store.update((tx) => tx.volume.update({ ...published(state), meta: tx.volume.get('v')?.meta }));
    await publish(PublishState.PUBLISHED);
    await eventually(() => expect(agent.held('volume')).toEqual(['v']));
    expect(agent.held('secret')).toEqual(['key']);
    await publish(PublishState.PENDING_NODE_UNPUBLISH);
    await eventually(() => expect(agent.held('volume')).toEqual([]));
    expect(agent.held('secret')).toEqual([]);
    const call = agent.client.updateVolumeStatus.bind(agent.client) as never;
    const updates = [{ id: 'v', unpublished: true }];
    await unary(call, { sessionId: agent.sessionId, updates }, { timeoutMs: 2_000, metadata: callAs('n1') });
    expect(rig.store.read.volume.get('v')?.publishStatus[0]?.state).toBe(PublishState.PENDING_UNPUBLISH);
  });

  it('serves the call of older agents with whole lists', async () => {
    await create(aTask('a', 'n1'));
    const lists: string[][] = [];
    const stream = agent.client.tasks({ sessionId: agent.sessionId }, callAs('n1'));
    stream.on('data', (message: TasksMessage) => lists.push(message.tasks.map((task) => task.id)));
    stream.on('error', () => undefined);
    await eventually(() => expect(lists).toEqual([['a']]));
    await create(aTask('b', 'n1'));
    await eventually(() => expect(lists.at(-1)).toEqual(['a', 'b']));
    stream.cancel();
    await eventually(() => expect(rig.dispatcher.load.streams).toBe(0));
  });

  it('begins only when leadership is confirmed, and asks once for all who wait', async () => {
    const confirmations: ((error?: SwarmError) => void)[] = [];
    rig.setBarrier(
      () => new Promise((resolve, reject) => confirmations.push((error) => (error ? reject(error) : resolve()))),
    );
    const others = [rig.agent('n2'), rig.agent('n2')];
    for (const other of others) await other.register();
    const opening = [
      agent.open(),
      ...others.map((other) => other.open(others.at(-1)?.sessionId).catch(() => undefined)),
    ];
    await eventually(() => expect(confirmations).toHaveLength(1));
    await create(aTask('a', 'n1'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(agent.messages).toHaveLength(0);
    confirmations[0]?.();
    await eventually(() => expect(confirmations).toHaveLength(2));
    confirmations[1]?.();
    await Promise.all(opening);
    expect(agent.held('task')).toEqual(['a']);
    expect(confirmations).toHaveLength(2);
    const refused = agent.open();
    await eventually(() => expect(confirmations).toHaveLength(3));
    confirmations[2]?.(new SwarmError('unavailable', 'no majority'));
    await expect(refused).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('is let go when the agent leaves', async () => {
    await agent.open();
    expect(rig.dispatcher.load).toEqual({ sessions: 1, streams: 1, statusesWaiting: 0 });
    agent.kill();
    await eventually(() => expect(rig.dispatcher.load.streams).toBe(0));
  });
});

describe('an agent that reads too slowly', () => {
  it('costs one name per object, and is cut off to start anew when even that is too much', async () => {
    const rig = await dispatcherRig({ assignmentBacklog: 50, assignmentBatch: 10 });
    await rig.addNode('n1');
    rig.lead();
    const agent = rig.agent('n1');
    await agent.register();
    await agent.open();
    agent.pause();
    const big = (id: string): Task => {
      const task = aTask(id, 'n1');
      return { ...task, networks: [], logDriver: { name: 'x'.repeat(100_000), options: {} } };
    };
    let made = 0;
    await eventually(() => {
      for (let i = 0; i < 10; i++) void rig.store.update((tx) => tx.task.create(big(`t${made++}`)));
      return rig.dispatcher.load.streams === 0;
    });
    agent.resume();
    await eventually(() => expect(agent.assignmentsError?.code).toBe('resourceExhausted'));
    expect(agent.faults).toEqual([]);
    await agent.open();
    expect(agent.held('task')).toHaveLength(rig.store.read.task.size);
    await rig.close();
  });
});

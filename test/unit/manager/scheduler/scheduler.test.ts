import { afterEach, describe, expect, it } from 'vitest';
import { FakeClock, sleep } from '../../../../src/common/clock.ts';
import { LABEL_STRATEGY } from '../../../../src/common/service-labels.ts';
import { silentLogger } from '../../../../src/common/log.ts';
import { seededRandom } from '../../../../src/common/random.ts';
import { Scheduler } from '../../../../src/manager/scheduler/scheduler.ts';
import type { Writer } from '../../../../src/manager/store/transaction.ts';
import { Cluster, type Node, type Task } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeSpec, NodeSpec_Availability } from '../../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import { TaskState, TaskStatus } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { localStore } from '../../../support/local-store.ts';
import { aNode, aService, aTask, type TaskOptions } from './builders.ts';

const aborts: AbortController[] = [];
afterEach(() => {
  for (const abort of aborts.splice(0)) abort.abort();
});

function start(fill: (tx: Writer) => void = () => undefined) {
  const clock = new FakeClock();
  const local = localStore(clock, () => sleep(clock, 0));
  const { store } = local;
  const abort = new AbortController();
  aborts.push(abort);
  const settle = (ms = 10): Promise<void> => clock.advance(ms);
  const change = async (body: (tx: Writer) => void): Promise<void> => {
    await store.update(body);
    await settle();
  };
  const task = (id: string): Task => {
    const found = store.read.task.get(id);
    if (!found) throw new Error(`no task ${id}`);
    return found;
  };
  const began = store.update(fill).then(() => {
    const scheduler = new Scheduler({ store, clock, random: seededRandom(7), log: silentLogger });
    void scheduler.run(abort.signal);
    return settle();
  });
  return { began, local, store, clock, change, task, settle };
}

const tasks = (tx: Writer, serviceId: string, count: number, options: TaskOptions = {}): void => {
  for (let i = 0; i < count; i++) tx.task.create(aTask(`${serviceId}-${i}`, serviceId, { ...options, slot: i + 1 }));
};

const setStatus = (tx: Writer, id: string, state: TaskState, desiredState?: TaskState): void => {
  const task = tx.task.get(id);
  if (task) {
    tx.task.update({
      ...task,
      status: TaskStatus.fromPartial({ state }),
      desiredState: desiredState ?? task.desiredState,
    });
  }
};

const drained = (node: Node): Node => ({
  ...node,
  spec: NodeSpec.fromPartial({ ...node.spec, availability: NodeSpec_Availability.DRAIN }),
});

/** The clock does not move meanwhile. */
const AT_ONCE = { inOneTurn: true };

describe('scheduler', () => {
  it('assigns pending tasks evenly and says so', async () => {
    const s = start((tx) => {
      for (const id of ['a', 'b', 'c']) tx.node.create(aNode(id));
      tx.service.create(aService('s'));
      tasks(tx, 's', 3);
    });
    await s.began;
    expect(new Set(s.store.read.task.all().map((task) => task.nodeId))).toEqual(new Set(['a', 'b', 'c']));
    expect(s.task('s-0').status).toMatchObject({
      state: TaskState.ASSIGNED,
      message: 'scheduler assigned task to node',
      err: '',
    });
  });

  it('decides again when a node changes before the decision is stored', async () => {
    const count = 1200;
    const s = start((tx) => {
      for (const id of ['a', 'b']) tx.node.create(aNode(id));
      tx.service.create(aService('s'));
      tasks(tx, 's', count, { state: TaskState.NEW });
    });
    await s.began;
    await s.store.batch(Array(count).keys(), (tx, i) => setStatus(tx, `s-${i}`, TaskState.PENDING), AT_ONCE);
    await new Promise((resolve) => setImmediate(resolve));
    // So many are decided in several turns, of which the first is due now.
    s.clock.setTimer(1, () => {
      void s.store.update((tx) => tx.node.update(drained(tx.node.get('a') as Node)));
    });
    await s.settle();
    expect(s.store.read.task.by('node', 'a')).toHaveLength(0);
    expect(s.store.read.task.by('node', 'b')).toHaveLength(count);
  });

  it('leaves tasks alone that the allocator has not passed on', async () => {
    const s = start((tx) => {
      tx.node.create(aNode('a'));
      tasks(tx, 's', 1, { state: TaskState.NEW });
    });
    await s.began;
    expect(s.task('s-0').nodeId).toBe('');
    await s.change((tx) => setStatus(tx, 's-0', TaskState.PENDING));
    expect(s.task('s-0').nodeId).toBe('a');
  });

  it('confirms a task whose node is given, or says why it cannot', async () => {
    const s = start((tx) => {
      tx.node.create(aNode('a', { memoryBytes: 100 }));
      tx.service.create(aService('g'));
      tx.task.create(aTask('fits', 'g', { nodeId: 'a', slot: 0, memoryBytes: 60 }));
      tx.task.create(aTask('waits', 'g', { nodeId: 'a', slot: 0, memoryBytes: 60 }));
    });
    await s.began;
    expect(s.task('fits').status?.message).toBe('scheduler confirmed task can run on preassigned node');
    expect(s.task('waits').status).toMatchObject({
      state: TaskState.PENDING,
      err: 'insufficient resources on 1 node',
      message: 'pending task scheduling',
    });
    await s.change((tx) => setStatus(tx, 'fits', TaskState.SHUTDOWN));
    expect(s.task('waits').status?.state).toBe(TaskState.ASSIGNED);
  });

  it('writes a reason once and not again while it stays the same', async () => {
    const s = start((tx) => {
      tx.node.create(aNode('a', { memoryBytes: 100 }));
      tx.service.create(aService('big'));
      tasks(tx, 'big', 2, { memoryBytes: 200 });
    });
    await s.began;
    expect(s.task('big-0').status?.err).toBe('no suitable node (insufficient resources on 1 node)');
    const version = s.task('big-0').meta?.version?.index;
    await s.change((tx) => tx.task.create(aTask('small', 'other')));
    await s.change((tx) => setStatus(tx, 'small', TaskState.SHUTDOWN));
    await s.settle(5000);
    expect(s.task('big-0').meta?.version?.index).toBe(version);
  });

  it('wakes a waiting task when another frees enough for it, and not before', async () => {
    const s = start((tx) => {
      tx.node.create(aNode('a', { memoryBytes: 100 }));
      tx.service.create(aService('w'));
      tx.task.create(aTask('r1', 'r', { nodeId: 'a', state: TaskState.RUNNING, memoryBytes: 40 }));
      tx.task.create(aTask('r2', 'r', { nodeId: 'a', state: TaskState.RUNNING, memoryBytes: 60 }));
      tx.task.create(aTask('w', 'w', { memoryBytes: 50 }));
    });
    await s.began;
    await s.change((tx) => setStatus(tx, 'r1', TaskState.FAILED));
    expect(s.task('w').nodeId).toBe('');
    await s.change((tx) => setStatus(tx, 'r2', TaskState.COMPLETE));
    expect(s.task('w').nodeId).toBe('a');
  });

  it('wakes a task waiting for a host port and one waiting for room below max replicas', async () => {
    const s = start((tx) => {
      tx.node.create(aNode('a'));
      for (const id of ['p', 'm']) tx.service.create(aService(id));
      tx.task.create(aTask('holder', 'h', { nodeId: 'a', state: TaskState.RUNNING, hostPorts: [80] }));
      tx.task.create(aTask('p', 'p', { hostPorts: [80] }));
      tx.task.create(aTask('m-old', 'm', { nodeId: 'a', state: TaskState.RUNNING, maxReplicas: 1 }));
      tx.task.create(aTask('m', 'm', { maxReplicas: 1 }));
    });
    await s.began;
    expect(s.task('p').status?.err).toBe('no suitable node (host-mode port already in use on 1 node)');
    expect(s.task('m').status?.err).toBe('no suitable node (max replicas per node limit exceed)');
    await s.change((tx) => setStatus(tx, 'm-old', TaskState.RUNNING, TaskState.SHUTDOWN));
    expect(s.task('m').nodeId).toBe('a');
    await s.change((tx) => setStatus(tx, 'holder', TaskState.SHUTDOWN));
    expect(s.task('p').nodeId).toBe('a');
  });

  it('brings reasons up to date soon after nodes change', async () => {
    const s = start((tx) => {
      tx.node.create(aNode('a', { memoryBytes: 100 }));
      tx.service.create(aService('s'));
      tasks(tx, 's', 1, { memoryBytes: 200 });
    });
    await s.began;
    await s.change((tx) => tx.node.update({ ...aNode('a', { isDrained: true }), meta: tx.node.get('a')?.meta }));
    await s.settle(1500);
    expect(s.task('s-0').status?.err).toBe('no suitable node (1 node not available for new tasks)');
    await s.change((tx) => tx.node.delete('a'));
    await s.settle(1500);
    expect(s.task('s-0').status?.err).toBe('no suitable node');
  });

  it('ends a task nobody wants any more that never got a node', async () => {
    const s = start((tx) => {
      tx.service.create(aService('s', { specVersion: 2 }));
      tasks(tx, 's', 2);
    });
    await s.began;
    expect(s.task('s-0').status?.err).toBe('no suitable node');
    await s.change((tx) => {
      setStatus(tx, 's-0', TaskState.PENDING, TaskState.SHUTDOWN);
      setStatus(tx, 's-1', TaskState.PENDING, TaskState.REMOVE);
    });
    expect(s.task('s-0').status).toMatchObject({ state: TaskState.SHUTDOWN, err: '' });
    // Removal is the reaper's business.
    expect(s.task('s-1').status?.state).toBe(TaskState.PENDING);
  });

  it('looks at a task again when its node changed while the assignment was on its way', async () => {
    const s = start((tx) => {
      tx.node.create(aNode('a'));
      tx.service.create(aService('s'));
    });
    await s.began;
    s.local.autoCommit = false;
    void s.store.update((tx) => tasks(tx, 's', 1));
    s.local.commit();
    void s.store.update((tx) => tx.node.update({ ...aNode('a', { isDrained: true }), meta: tx.node.get('a')?.meta }));
    await s.settle();
    expect(s.task('s-0').nodeId).toBe('');
    s.local.autoCommit = true;
    s.local.commit();
    await s.settle(50);
    expect(s.task('s-0').status).toMatchObject({
      state: TaskState.PENDING,
      err: 'no suitable node (1 node not available for new tasks)',
    });
  });

  it('takes back the reservation of a task that was deleted meanwhile', async () => {
    const s = start((tx) => {
      tx.node.create(aNode('a', { memoryBytes: 100 }));
      tx.service.create(aService('s'));
    });
    await s.began;
    s.local.autoCommit = false;
    void s.store.update((tx) => tasks(tx, 's', 1, { memoryBytes: 80 }));
    s.local.commit();
    void s.store.update((tx) => tx.task.delete('s-0'));
    await s.settle();
    s.local.autoCommit = true;
    s.local.commit();
    await s.settle();
    await s.change((tx) => tx.task.create(aTask('next', 's', { memoryBytes: 80 })));
    expect(s.task('next').nodeId).toBe('a');
  });

  it('hands out the names of generic resources, each to one task', async () => {
    const s = start((tx) => {
      tx.node.create(aNode('a', { generic: { gpu: ['g1', 'g2', 'g3'] } }));
      tx.service.create(aService('s'));
      tasks(tx, 's', 2, { generic: { gpu: 2 } });
    });
    await s.began;
    const [placed, waiting] = [s.task('s-0'), s.task('s-1')];
    expect(placed.assignedGenericResources.map(({ resource }) => resource?.value.value)).toEqual(['g1', 'g2']);
    expect(waiting.status?.err).toBe('no suitable node (insufficient resources on 1 node)');
    await s.change((tx) => setStatus(tx, 's-0', TaskState.SHUTDOWN));
    expect(s.task('s-1').nodeId).toBe('a');
  });

  it('takes the strategy from the service, else from the cluster', async () => {
    const s = start((tx) => {
      for (const id of ['a', 'b']) tx.node.create(aNode(id));
      tx.cluster.create(
        Cluster.fromPartial({ id: 'c', spec: { annotations: { labels: { [LABEL_STRATEGY]: 'binpack' } } } }),
      );
      tx.service.create(aService('packed'));
      tx.service.create(aService('spread', { labels: { [LABEL_STRATEGY]: 'spread' } }));
      tasks(tx, 'packed', 4);
      tasks(tx, 'spread', 4);
    });
    await s.began;
    const nodesOf = (service: string) => s.store.read.task.by('service', service).map((task) => task.nodeId);
    expect(new Set(nodesOf('packed')).size).toBe(1);
    expect(nodesOf('spread').filter((id) => id === 'a').length).toBe(2);
  });

  it('sends host commands to process nodes and images to container nodes', async () => {
    const s = start((tx) => {
      tx.node.create(aNode('engine'));
      tx.node.create(aNode('process', { plugins: ['Runtime/process'] }));
      for (const id of ['image', 'command']) tx.service.create(aService(id));
      tasks(tx, 'image', 2);
      tasks(tx, 'command', 2, { image: 'host:latest' });
    });
    await s.began;
    const nodesOf = (service: string) => s.store.read.task.by('service', service).map((task) => task.nodeId);
    expect(nodesOf('image')).toEqual(['engine', 'engine']);
    expect(nodesOf('command')).toEqual(['process', 'process']);
  });

  it('starts again from the store without placing anything twice', async () => {
    const s = start((tx) => {
      for (const id of ['a', 'b']) tx.node.create(aNode(id, { memoryBytes: 100 }));
      tx.service.create(aService('s'));
      tasks(tx, 's', 2, { memoryBytes: 100 });
    });
    await s.began;
    const abort = new AbortController();
    aborts.push(abort);
    void new Scheduler({ store: s.store, clock: s.clock, random: seededRandom(7), log: silentLogger }).run(
      abort.signal,
    );
    await s.change((tx) => tx.task.create(aTask('more', 's', { memoryBytes: 100 })));
    expect(s.task('more').status?.err).toBe('no suitable node (insufficient resources on 2 nodes)');
  });

  it('does not let a flood keep a small service waiting', async () => {
    const s = start((tx) => {
      for (const id of ['a', 'b']) tx.node.create(aNode(id));
      for (const id of ['flood', 'small']) tx.service.create(aService(id));
    });
    await s.began;
    await s.store.batch(
      Array.from({ length: 6000 }, (_, i) => i),
      (tx, i) => {
        tx.task.create(aTask(`flood-${i}`, 'flood', { slot: i + 1 }));
      },
      AT_ONCE,
    );
    await s.store.update((tx) => tasks(tx, 'small', 3));
    await s.clock.advance(1);
    const waiting = s.store.read.task.all().filter((task) => task.nodeId === '');
    expect(waiting.length).toBeGreaterThan(0);
    expect(waiting.some((task) => task.serviceId === 'small')).toBe(false);
    await s.settle(20);
    expect(s.store.read.task.all().every((task) => task.nodeId !== '')).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import { timestampOfMs } from '../../../../src/common/time.ts';
import { explainService } from '../../../../src/manager/scheduler/explain.ts';
import type { Writer } from '../../../../src/manager/store/transaction.ts';
import { TaskState } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { localStore } from '../../../support/local-store.ts';
import { aNode, aService, aTask } from './builders.ts';

const readerWith = async (fill: (tx: Writer) => void) => {
  const { store } = localStore();
  await store.update(fill);
  return store.read;
};

describe('explain', () => {
  it('names every filter a node fails, and the score of those that fit', async () => {
    const service = aService('s', { memoryBytes: 50, constraints: ['node.labels.zone==z1'] });
    const reader = await readerWith((tx) => {
      tx.service.create(service);
      tx.node.create(aNode('busy', { labels: { zone: 'z1' } }));
      tx.node.create(aNode('idle', { labels: { zone: 'z1' } }));
      tx.node.create(aNode('wrong', { isDrained: true, memoryBytes: 10, labels: { zone: 'z2' } }));
      tx.task.create(aTask('other', 'o', { nodeId: 'busy', state: TaskState.RUNNING }));
      tx.task.create(aTask('s-1', 's', { memoryBytes: 50, constraints: ['node.labels.zone==z1'] }));
    });
    const { tasks, next, strategy } = explainService(reader, service);
    expect(strategy).toBe('spread');
    expect(tasks).toHaveLength(1);
    expect(tasks[0]).toMatchObject({
      taskId: 's-1',
      nodeId: '',
      summary: 'waits for its turn, there are nodes that fit',
    });
    expect(tasks[0]?.nodes).toEqual(next);
    expect(next.map(({ nodeId, fits, score }) => [nodeId, fits, score])).toEqual([
      ['idle', true, 100],
      ['busy', true, 50],
      ['wrong', false, undefined],
    ]);
    expect(next[1]?.terms).toEqual({ recentFailures: 0, tasksOfService: 0, tasks: 1 });
    expect(next[2]?.refusals).toEqual([
      { filter: 'ready', reason: "the node's availability is drain" },
      { filter: 'resources', reason: 'needs 50 bytes of memory, 10 left' },
      { filter: 'constraints', reason: 'does not satisfy node.labels.zone==z1' },
    ]);
  });

  it('says of a running task how its node would do without it', async () => {
    const service = aService('s', { memoryBytes: 60 });
    const reader = await readerWith((tx) => {
      tx.service.create(service);
      tx.node.create(aNode('a', { memoryBytes: 100 }));
      tx.task.create(aTask('s-1', 's', { nodeId: 'a', state: TaskState.RUNNING, memoryBytes: 60 }));
      tx.task.create(aTask('gone', 's', { nodeId: 'a', state: TaskState.FAILED, desiredState: TaskState.SHUTDOWN }));
    });
    const { tasks, next } = explainService(reader, service);
    expect(tasks.map(({ taskId, nodes }) => [taskId, nodes[0]?.fits])).toEqual([['s-1', true]]);
    expect(tasks[0]?.summary).toBe(
      'is on node host-a (spread; beside this task there: recent failures 1, tasks of service 0, tasks 0)',
    );
    expect(next[0]).toMatchObject({ fits: false, refusals: [{ filter: 'resources' }] });
  });

  it('gives the words on the task when no node fits, and lists the nodes once for all tasks alike', async () => {
    const service = aService('s', { hostPorts: [80] });
    const reader = await readerWith((tx) => {
      tx.service.create(service);
      tx.node.create(aNode('a'));
      tx.task.create(aTask('h', 'h', { nodeId: 'a', state: TaskState.RUNNING, hostPorts: [80] }));
      for (const slot of [1, 2]) tx.task.create(aTask(`s-${slot}`, 's', { slot, hostPorts: [80] }));
    });
    const { tasks } = explainService(reader, service);
    expect(tasks.map(({ summary }) => summary)).toEqual(
      Array(2).fill('no suitable node (host-mode port already in use on 1 node)'),
    );
    expect(tasks.map(({ nodes }) => nodes.length)).toEqual([1, 0]);
    expect(tasks[0]?.nodes[0]?.refusals[0]?.reason).toBe('host port 80/tcp is in use');
  });

  it('tells of tasks whose node is given and of tasks the allocator still has', async () => {
    const service = aService('g', { memoryBytes: 50 });
    const reader = await readerWith((tx) => {
      tx.service.create(service);
      tx.node.create(aNode('small', { memoryBytes: 10 }));
      tx.task.create(aTask('g-1', 'g', { slot: 0, nodeId: 'small', memoryBytes: 50 }));
      tx.task.create(aTask('g-2', 'g', { slot: 0, nodeId: 'lost', memoryBytes: 50 }));
      tx.task.create(aTask('g-3', 'g', { slot: 0, nodeId: 'small', state: TaskState.NEW }));
    });
    expect(explainService(reader, service).tasks.map(({ summary }) => summary)).toEqual([
      'waits for its node: insufficient resources on 1 node',
      'waits for node lost, which does not exist',
      'waits for its network resources: pending task scheduling',
    ]);
  });

  it('puts a node last on which the service failed five times within five minutes', async () => {
    const service = aService('s');
    const now = 1_700_000_000_000;
    const failures = (ageMs: number) =>
      readerWith((tx) => {
        tx.service.create(service);
        for (const id of ['a', 'b']) tx.node.create(aNode(id));
        tx.task.create(aTask('other', 'o', { nodeId: 'b', state: TaskState.RUNNING }));
        for (let i = 0; i < 5; i++) {
          const task = aTask(`f-${i}`, 's', { nodeId: 'a', state: TaskState.FAILED, desiredState: TaskState.SHUTDOWN });
          tx.task.create({ ...task, status: task.status && { ...task.status, timestamp: timestampOfMs(now - ageMs) } });
        }
      });
    expect(explainService(await failures(1000), service, now).next.map(({ nodeId }) => nodeId)).toEqual(['b', 'a']);
    expect(explainService(await failures(301_000), service, now).next.map(({ nodeId }) => nodeId)).toEqual(['a', 'b']);
  });
});

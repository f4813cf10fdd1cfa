/** Linearizable reads (Ongaro's thesis §6.4). */
import { describe, expect, it } from 'vitest';
import { ConfChangeType, MessageType } from '../src/types.ts';
import type { Message } from '../src/types.ts';
import { ReadOnlyQueue } from '../src/read-only.ts';
import { newMessage } from '../src/messages.ts';
import { aGroup } from './kit/group.ts';
import { aLeader, aNode, bytes, config, text } from './kit/node.ts';
import type { NodeSettings, TestNode, Work } from './kit/node.ts';

const { MsgAppResp, MsgHeartbeat, MsgHeartbeatResp, MsgReadIndex, MsgReadIndexResp } = MessageType;

/** A leader of three that has committed in its term. */
function readyLeader(settings: NodeSettings = {}): TestNode {
  const leader = aLeader(settings);
  for (const id of ['2', '3']) if (leader.inside.tracker.progress.has(id)) leader.receive(MsgAppResp, id, { index: 1 });
  leader.send();
  return leader;
}

function answers({ reads }: Work): readonly (readonly [string, number])[] {
  return reads.map(({ context, index }) => [text(context), index]);
}

/** Starts a read and returns the heartbeat to node 2 that asks for its confirmation. */
function begin(leader: TestNode, context: string): Message {
  leader.readIndex(bytes(context));
  const work = leader.work();
  expect(work.reads).toEqual([]);
  const heartbeat = work.messages.find(({ type, to }) => type === MsgHeartbeat && to === '2');
  if (heartbeat === undefined) throw new Error('no heartbeat');
  return heartbeat;
}

function confirm(leader: TestNode, from: string, { context }: Message): Work {
  leader.take(MsgHeartbeatResp, from, { context });
  return leader.work();
}

describe('safe reads', () => {
  it('are answered with the commit index at the request, once a quorum confirmed the leader', () => {
    const leader = readyLeader();
    const heartbeat = begin(leader, 'a');
    leader.propose([bytes('x')]);
    leader.send();
    leader.receive(MsgAppResp, '2', { index: 2 });
    expect(leader.commitIndex).toBe(2);
    expect(answers(confirm(leader, '2', heartbeat))).toEqual([['a', 1]]);
    expect(answers(confirm(leader, '3', heartbeat))).toEqual([]);
  });

  it('are not answered without a quorum, nor by an answer to an ordinary heartbeat', () => {
    const leader = readyLeader({ voters: ['1', '2', '3', '4', '5'] });
    for (const id of ['2', '3']) leader.receive(MsgAppResp, id, { index: 1 });
    const heartbeat = begin(leader, 'a');
    expect(answers(confirm(leader, '2', heartbeat))).toEqual([]);
    expect(answers(confirm(leader, '2', heartbeat))).toEqual([]);
    leader.take(MsgHeartbeatResp, '3');
    expect(answers(leader.work())).toEqual([]);
    expect(answers(confirm(leader, '3', heartbeat))).toEqual([['a', 1]]);
  });

  it('are not confirmed by learners, and need both halves of a joint configuration', () => {
    const leader = readyLeader({ learners: ['4'] });
    const heartbeat = begin(leader, 'a');
    expect(answers(confirm(leader, '4', heartbeat))).toEqual([]);
    const joint = aLeader({ conf: config({ voters: ['1', '2', '3'], votersOutgoing: ['1', '4', '5'] }) });
    for (const id of ['2', '4']) joint.receive(MsgAppResp, id, { index: 1 });
    const request = begin(joint, 'b');
    expect(answers(confirm(joint, '2', request))).toEqual([]);
    expect(answers(confirm(joint, '3', request))).toEqual([]);
    expect(answers(confirm(joint, '4', request))).toEqual([['b', 1]]);
  });

  it('queue: a later confirmation answers the earlier ones too, in order', () => {
    const leader = readyLeader();
    begin(leader, 'a');
    begin(leader, 'b');
    const last = begin(leader, 'c');
    expect(answers(confirm(leader, '2', last))).toEqual([
      ['a', 1],
      ['b', 1],
      ['c', 1],
    ]);
  });

  it('are not confirmed by the answer to an earlier heartbeat', () => {
    const leader = readyLeader();
    const first = begin(leader, 'a');
    begin(leader, 'b');
    expect(answers(confirm(leader, '2', first))).toEqual([['a', 1]]);
    expect(answers(confirm(leader, '3', first))).toEqual([]);
  });

  it('with the same context as an earlier one are not confirmed by its late answers', () => {
    const leader = readyLeader();
    const first = begin(leader, 'same');
    expect(answers(confirm(leader, '2', first))).toEqual([['same', 1]]);
    leader.propose([bytes('x')]);
    leader.send();
    leader.receive(MsgAppResp, '2', { index: 2 });
    const second = begin(leader, 'same');
    expect(answers(confirm(leader, '3', first))).toEqual([]);
    expect(answers(confirm(leader, '2', first))).toEqual([]);
    expect(answers(confirm(leader, '3', second))).toEqual([['same', 2]]);
  });

  it('are asked for again with every heartbeat until they are answered', () => {
    const leader = readyLeader();
    const heartbeat = begin(leader, 'a');
    leader.tick();
    const again = leader.send().find(({ type, to }) => type === MsgHeartbeat && to === '3');
    expect(again?.context).toEqual(heartbeat.context);
    expect(answers(confirm(leader, '3', again ?? heartbeat))).toEqual([['a', 1]]);
    leader.tick();
    expect(leader.send().every(({ context }) => context.length === 0)).toBe(true);
  });

  it('wait until the leader has committed an entry of its term', () => {
    const leader = aLeader({ log: [1, 1], term: 1, commit: 2 });
    leader.readIndex(bytes('early'));
    expect(leader.send()).toEqual([]);
    const sent = leader.receive(MsgAppResp, '2', { index: 3 });
    const heartbeat = sent.find(({ type }) => type === MsgHeartbeat);
    expect(answers(confirm(leader, '2', heartbeat ?? newMessage({ type: MsgHeartbeat })))).toEqual([['early', 3]]);
  });

  it('wait for that also when there is one voter only, whose commit index may be from before a restart', () => {
    // The entry at 2 was committed and answered before the crash, the commit index 1 is what was durable.
    const node = aNode({ voters: ['1'], log: [1, 1], term: 1, commit: 1 });
    node.campaign();
    node.ready();
    node.advance();
    expect(node.role).toBe('leader');
    node.readIndex(bytes('a'));
    const ready = node.ready();
    expect(ready.readStates).toEqual([]);
    node.storage.append(ready.entries);
    node.advance();
    expect(answers(node.work())).toEqual([['a', 3]]);
    node.readIndex(bytes('b'));
    expect(answers(node.work())).toEqual([['b', 3]]);
  });

  it('are not answered by a removed leader because one other voter is left', () => {
    const leader = readyLeader({ voters: ['1', '2'] });
    leader.applyConfChange({ id: '0', type: ConfChangeType.RemoveNode, nodeId: '1', context: new Uint8Array(0) });
    const heartbeat = begin(leader, 'a');
    expect(answers(confirm(leader, '2', heartbeat))).toEqual([['a', 1]]);
  });

  it('are answered when the quorum that is missing is removed', () => {
    const leader = readyLeader();
    begin(leader, 'a');
    const change = (nodeId: string) => ({
      id: '0',
      type: ConfChangeType.RemoveNode,
      nodeId,
      context: new Uint8Array(0),
    });
    leader.applyConfChange(change('3'));
    expect(answers(leader.work())).toEqual([]);
    leader.applyConfChange(change('2'));
    expect(answers(leader.work())).toEqual([['a', 1]]);
  });

  it('are forgotten when leadership is lost', () => {
    const leader = readyLeader();
    const heartbeat = begin(leader, 'a');
    leader.receive(MsgHeartbeat, '2', { term: 5 });
    leader.campaign();
    leader.send();
    leader.receive(MessageType.MsgVoteResp, '2');
    leader.receive(MsgAppResp, '2', { index: 2 });
    expect(answers(confirm(leader, '2', heartbeat))).toEqual([]);
    expect(leader.inside.readOnly.hasPending).toBe(false);
  });

  it('can be made at followers and learners, which ask the leader', () => {
    const group = aGroup(3, (id) => ({ voters: ['1', '2'], learners: ['3'], id }));
    group.campaign('1');
    for (const id of ['2', '3']) {
      const node = group.node(id);
      expect(node.readIndex(bytes(id))).toBeUndefined();
      const [request] = node.send();
      expect(request?.type).toBe(MsgReadIndex);
      group.node('1').step(request ?? newMessage({ type: MsgReadIndex }));
      const [first] = group
        .node('1')
        .send()
        .filter(({ to }) => to === '2');
      group.node('1').take(MsgHeartbeatResp, '2', { context: first?.context ?? bytes('') });
      const [answer] = group
        .node('1')
        .send()
        .filter(({ type }) => type === MsgReadIndexResp);
      node.step(answer ?? newMessage({ type: MsgReadIndexResp }));
      expect(answers(node.work())).toEqual([[id, 1]]);
    }
  });

  it('are refused when no leader is known', () => {
    const node = aNode();
    expect(node.readIndex(bytes('a'))).toBe('no-leader');
    node.campaign();
    expect(node.readIndex(bytes('a'))).toBe('no-leader');
    expect(node.send().some(({ type }) => type === MsgReadIndex)).toBe(false);
  });

  it('ignore answers that make no sense', () => {
    const node = aNode();
    node.receive(MsgHeartbeat, '2', { term: 1 });
    node.take(MsgReadIndexResp, '2', { entries: [] });
    expect(node.work().reads).toEqual([]);
  });
});

describe('lease-based reads', () => {
  it('are answered at once, but not before an entry of the term is committed', () => {
    const leader = readyLeader({ readOnly: 'lease-based', checkQuorum: true });
    leader.readIndex(bytes('a'));
    const work = leader.work();
    expect([answers(work), work.messages]).toEqual([[['a', 1]], []]);
    const fresh = aLeader({ readOnly: 'lease-based', checkQuorum: true, log: [1], term: 1, commit: 1 });
    fresh.readIndex(bytes('b'));
    expect(answers(fresh.work())).toEqual([]);
    fresh.take(MsgAppResp, '2', { index: 2 });
    expect(answers(fresh.work())).toEqual([['b', 2]]);
  });

  it('need check-quorum', () => {
    expect(() => aNode({ readOnly: 'lease-based' })).toThrow(/checkQuorum/);
  });
});

describe('queue of reads', () => {
  const request = newMessage({ type: MsgReadIndex });

  it('ignores contexts that it did not make', () => {
    const queue = new ReadOnlyQueue();
    queue.add(1, request, '1');
    const unknown = new Uint8Array(8).fill(255);
    for (const context of [bytes(''), bytes('abc'), unknown]) expect(queue.confirm('2', context)).toBe(false);
    expect(queue.confirm('2', queue.heartbeatContext())).toBe(true);
    expect(queue.confirm('2', queue.heartbeatContext())).toBe(false);
  });

  it('does not use a number twice, also after it was reset', () => {
    const queue = new ReadOnlyQueue();
    queue.add(1, request, '1');
    const before = queue.heartbeatContext();
    queue.reset();
    queue.add(2, request, '1');
    queue.confirm('2', before);
    expect(queue.release(Math.min(...['1', '2'].map((id) => queue.confirmed.get(id) ?? 0)))).toEqual([]);
  });
});

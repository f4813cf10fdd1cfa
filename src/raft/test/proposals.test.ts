/** Proposals: what the leader takes, what is refused and why, and how others pass them on. */
import { describe, expect, it } from 'vitest';
import { EntryType, MessageType } from '../src/types.ts';
import { aGroup } from './kit/group.ts';
import { aLeader, aNode, bytes, places, text } from './kit/node.ts';

const { MsgAppResp, MsgHeartbeat, MsgProp } = MessageType;

describe('proposals on the leader', () => {
  it('are in its log at known places at once', () => {
    const leader = aLeader({ log: [1, 1], term: 1 });
    expect(leader.propose([bytes('a'), bytes('b')])).toEqual({ ok: true, index: 4, term: 2, forwarded: false });
    expect(leader.propose([bytes('c')])).toMatchObject({ index: 6 });
    expect(leader.lastIndex).toBe(6);
  });

  it('are committed in order', () => {
    const leader = aLeader({ voters: ['1'] });
    leader.propose([bytes('a'), bytes('b')]);
    leader.propose([bytes('c')]);
    expect(leader.work().applied.map(({ data }) => text(data))).toEqual(['a', 'b', 'c']);
  });

  it('are refused when it is no longer a member', () => {
    const leader = aLeader();
    const change = { id: '0', type: 1, nodeId: '1', context: new Uint8Array(0) } as const;
    leader.applyConfChange(change);
    expect(leader.propose([bytes('x')])).toEqual({ ok: false, reason: 'removed' });
    expect(leader.role).toBe('leader');
  });

  it('are refused while leadership is handed over', () => {
    const leader = aLeader();
    leader.transferLeader('2');
    expect(leader.propose([bytes('x')])).toEqual({ ok: false, reason: 'transferring' });
    expect(leader.lastIndex).toBe(1);
  });

  it('need a payload', () => {
    expect(() => aLeader().propose([])).toThrow(RangeError);
  });
});

describe('limit of uncommitted bytes', () => {
  const payload = new Uint8Array(100);

  it('refuses what would pass it, until entries are applied', () => {
    const leader = aLeader({ maxUncommittedBytes: 300 });
    for (let i = 0; i < 3; i++) expect(leader.propose([payload]).ok).toBe(true);
    expect(leader.propose([payload])).toEqual({ ok: false, reason: 'uncommitted-limit' });
    leader.send();
    leader.receive(MsgAppResp, '2', { index: 2 });
    expect(leader.propose([payload]).ok).toBe(true);
    expect(leader.propose([payload]).ok).toBe(false);
  });

  it('always takes the first proposal, and payloads that are empty', () => {
    const leader = aLeader({ maxUncommittedBytes: 50 });
    expect(leader.propose([payload]).ok).toBe(true);
    expect(leader.propose([new Uint8Array(0)]).ok).toBe(true);
    expect(leader.propose([bytes('x')]).ok).toBe(false);
  });

  it('does not exist when it is 0', () => {
    const leader = aLeader({ maxUncommittedBytes: 0 });
    for (let i = 0; i < 100; i++) expect(leader.propose([new Uint8Array(10_000)]).ok).toBe(true);
  });

  it('starts over with a new term, and a new leader can always append its empty entry', () => {
    const leader = aLeader({ maxUncommittedBytes: 100 });
    leader.propose([payload]);
    leader.send();
    leader.receive(MsgHeartbeat, '2', { term: 5 });
    leader.campaign();
    leader.send();
    leader.receive(MessageType.MsgVoteResp, '3');
    expect(leader.role).toBe('leader');
    expect(leader.propose([payload]).ok).toBe(true);
  });
});

describe('proposals on other nodes', () => {
  it('are refused when no leader is known, also by candidates', () => {
    const node = aNode();
    expect(node.propose([bytes('x')])).toEqual({ ok: false, reason: 'no-leader' });
    expect(node.take(MsgProp, '2', { term: 0, entries: [{ type: 0, term: 0, index: 0, data: bytes('x') }] })).toBe(
      'no-leader',
    );
    node.campaign();
    expect(node.propose([bytes('x')])).toEqual({ ok: false, reason: 'no-leader' });
  });

  it('are passed to the leader', () => {
    const group = aGroup(3);
    group.campaign('1');
    expect(group.node('2').propose([bytes('x')])).toEqual({ ok: true, index: 0, term: 0, forwarded: true });
    group.settle();
    expect(group.node('1').applied.map(({ data }) => text(data))).toEqual(['', 'x']);
  });

  it('keep their sender when they are passed on', () => {
    const node = aNode();
    node.receive(MsgHeartbeat, '2', { term: 1 });
    const entry = { type: EntryType.Normal, term: 0, index: 0, data: bytes('x') };
    const [message] = node.receive(MsgProp, '3', { term: 0, entries: [entry] });
    expect([message?.type, message?.from, message?.to, message?.term]).toEqual([MsgProp, '3', '2', 0]);
  });

  it('are refused when passing on is switched off', () => {
    const node = aNode({ disableProposalForwarding: true });
    node.receive(MsgHeartbeat, '2', { term: 1 });
    expect(node.propose([bytes('x')])).toEqual({ ok: false, reason: 'not-leader' });
  });

  it('lose nothing of what is proposed through any of them', () => {
    const group = aGroup(3);
    group.campaign('2');
    for (const id of ['1', '2', '3']) group.node(id).propose([bytes(id)]);
    group.settle();
    group.tick('2');
    for (const node of group.nodes) expect(places(node.applied)).toEqual(['1/1', '1/2', '1/3', '1/4']);
  });
});

/** Handing leadership over (Ongaro's thesis §3.10). */
import { describe, expect, it } from 'vitest';
import { ConfChangeType, MessageType } from '../src/types.ts';
import { aGroup } from './kit/group.ts';
import { aLeader, aNode, bytes, config, ELECTION_TICKS, text } from './kit/node.ts';

const { MsgAppResp, MsgHeartbeat, MsgTimeoutNow, MsgTransferLeader, MsgVote, MsgSnap } = MessageType;

describe('transfer of leadership', () => {
  it('goes at once to a node that is up to date', () => {
    for (const settings of [{}, { checkQuorum: true }, { checkQuorum: true, preVote: true }]) {
      const group = aGroup(3, settings);
      group.campaign('1');
      group.node('1').transferLeader('2');
      group.settle();
      expect(group.roles()).toEqual(['follower', 'leader', 'follower']);
      expect(group.node('1').leadTransferee).toBe('0');
    }
  });

  it('can be asked for at any node', () => {
    const group = aGroup(3);
    group.campaign('1');
    group.node('3').transferLeader('3');
    group.settle();
    expect(group.node('3').role).toBe('leader');
    expect(aNode().receive(MsgTransferLeader, '2', { term: 0 })).toEqual([]);
  });

  it('does not trip over a request that is passed on twice', () => {
    const node = aNode();
    node.receive(MsgHeartbeat, '2', { term: 3 });
    const [message] = node.receive(MsgTransferLeader, '3', { term: 3 });
    expect([message?.type, message?.from, message?.to, message?.term]).toEqual([MsgTransferLeader, '3', '2', 3]);
  });

  it('waits until a slow node has caught up', () => {
    const group = aGroup(3);
    group.campaign('1');
    group.isolate('3');
    group.node('1').propose([bytes('x')]);
    group.settle();
    group.heal();
    group.node('1').transferLeader('3');
    group.settle();
    expect(group.node('3').role).toBe('leader');
    expect(group.node('3').inside.log.lastIndex()).toBe(3);
  });

  it('also catches up by a snapshot', () => {
    const group = aGroup(3);
    group.campaign('1');
    group.isolate('3');
    group.node('1').propose([bytes('x')]);
    group.settle();
    const { storage } = group.node('1');
    storage.createSnapshot(2, config({ voters: ['1', '2', '3'] }), bytes(''));
    storage.compact(2);
    group.heal();
    group.tick('1');
    group.node('1').transferLeader('3');
    group.settle();
    expect(group.sent.some(({ type }) => type === MsgSnap)).toBe(true);
    expect(group.node('3').role).toBe('leader');
  });

  it('is ignored to the leader itself, to a learner and to a stranger', () => {
    const leader = aLeader({ learners: ['4'] });
    for (const id of ['1', '4', '9']) {
      leader.transferLeader(id);
      expect([leader.leadTransferee, leader.send()]).toEqual(['0', []]);
    }
  });

  it('refuses proposals meanwhile and ends after an election timeout', () => {
    const leader = aLeader();
    leader.ticks(ELECTION_TICKS - 1);
    leader.transferLeader('3');
    // The time to do it counts from the request.
    leader.ticks(ELECTION_TICKS - 1);
    expect(leader.propose([bytes('x')])).toEqual({ ok: false, reason: 'transferring' });
    leader.tick();
    expect(leader.leadTransferee).toBe('0');
    expect(leader.propose([bytes('x')]).ok).toBe(true);
  });

  it('ignores the same target and lets another one replace it', () => {
    const leader = aLeader();
    leader.transferLeader('2');
    leader.ticks(5);
    leader.send();
    leader.transferLeader('2');
    expect([leader.inside.electionElapsed, leader.send()]).toEqual([5, []]);
    leader.transferLeader('3');
    expect([leader.leadTransferee, leader.inside.electionElapsed]).toEqual(['3', 0]);
    leader.transferLeader('1');
    expect(leader.leadTransferee).toBe('0');
  });

  it('is given up when the target is removed or made a learner', () => {
    for (const type of [ConfChangeType.RemoveNode, ConfChangeType.AddLearnerNode]) {
      const leader = aLeader();
      leader.transferLeader('3');
      leader.applyConfChange({ id: '0', type, nodeId: '3', context: new Uint8Array(0) });
      expect(leader.leadTransferee).toBe('0');
    }
  });

  it('ends when the leader learns of a higher term', () => {
    const leader = aLeader();
    leader.transferLeader('3');
    leader.receive(MsgVote, '2', { term: 5, index: 9, logTerm: 4 });
    expect([leader.role, leader.leadTransferee]).toEqual(['follower', '0']);
  });

  it('makes the target stand at once, without pre-vote, in spite of the lease of others', () => {
    const node = aNode({ preVote: true, checkQuorum: true });
    node.receive(MsgHeartbeat, '2', { term: 1 });
    const asked = node.receive(MsgTimeoutNow, '2');
    expect(node.role).toBe('candidate');
    expect(asked.map(({ type, context }) => [type, text(context)])).toEqual([
      [MsgVote, 'CampaignTransfer'],
      [MsgVote, 'CampaignTransfer'],
    ]);
  });

  it('is sent when the acknowledgement arrives that was waited for', () => {
    const leader = aLeader();
    leader.transferLeader('2');
    const sent = leader.receive(MsgAppResp, '2', { index: 1 });
    expect(sent.map(({ type, to }) => [type, to])).toContainEqual([MsgTimeoutNow, '2']);
  });

  it('is ignored by a candidate and by a leader', () => {
    const candidate = aNode();
    candidate.campaign();
    candidate.send();
    const leader = aLeader();
    for (const node of [candidate, leader]) {
      const { term } = node;
      node.receive(MsgTimeoutNow, '2');
      expect(node.term).toBe(term);
    }
  });
});

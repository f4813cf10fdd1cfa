/** Check-quorum: a leader that is alone steps down (thesis §6.2), and voters that hear from a leader ignore others (§4.2.3). */
import { describe, expect, it } from 'vitest';
import { MessageType } from '../src/types.ts';
import { aGroup } from './kit/group.ts';
import { aLeader, aNode, bytes, config, ELECTION_TICKS } from './kit/node.ts';

const { MsgApp, MsgAppResp, MsgHeartbeat, MsgHeartbeatResp, MsgPreVote, MsgVote } = MessageType;

describe('check-quorum on the leader', () => {
  it('keeps leading while a quorum answers', () => {
    const leader = aLeader({ checkQuorum: true });
    for (let i = 0; i < 5; i++) {
      leader.receive(MsgHeartbeatResp, '2');
      leader.ticks(ELECTION_TICKS);
    }
    expect(leader.role).toBe('leader');
  });

  it('steps down when no quorum answered within an election timeout', () => {
    const leader = aLeader({ checkQuorum: true });
    leader.receive(MsgAppResp, '2', { index: 1 });
    leader.ticks(ELECTION_TICKS);
    expect(leader.role).toBe('leader');
    leader.ticks(ELECTION_TICKS);
    expect([leader.role, leader.leader, leader.term]).toEqual(['follower', '0', 1]);
  });

  it('clears the activity of the others at each check', () => {
    const leader = aLeader({ checkQuorum: true });
    leader.receive(MsgHeartbeatResp, '2');
    leader.receive(MsgHeartbeatResp, '3');
    leader.ticks(ELECTION_TICKS);
    expect(leader.status().peers.map((peer) => peer.recentActive)).toEqual([true, false, false]);
  });

  it('needs a quorum of both halves of a joint configuration, and does not count learners', () => {
    const conf = config({ voters: ['1', '2', '3'], votersOutgoing: ['1', '4', '5'] });
    const leader = aLeader({ checkQuorum: true, conf });
    leader.ticks(ELECTION_TICKS - 1);
    leader.receive(MsgHeartbeatResp, '2');
    leader.receive(MsgHeartbeatResp, '3');
    leader.ticks(ELECTION_TICKS);
    expect(leader.role).toBe('follower');
    const other = aLeader({ checkQuorum: true, learners: ['4', '5'] });
    for (const id of ['4', '5']) other.receive(MsgHeartbeatResp, id);
    other.ticks(ELECTION_TICKS);
    expect(other.role).toBe('follower');
  });

  it('does not step down when the option is off', () => {
    const leader = aLeader();
    leader.ticks(5 * ELECTION_TICKS);
    expect(leader.role).toBe('leader');
  });

  it('needs nobody when it is the only voter', () => {
    const leader = aLeader({ checkQuorum: true, voters: ['1'], learners: ['2'] });
    leader.ticks(5 * ELECTION_TICKS);
    expect(leader.role).toBe('leader');
  });
});

describe('lease of the voters', () => {
  it('ignores vote requests of a higher term while it hears from a leader', () => {
    for (const type of [MsgVote, MsgPreVote]) {
      const node = aNode({ checkQuorum: true });
      node.receive(MsgHeartbeat, '2', { term: 1 });
      node.ticks(ELECTION_TICKS - 1);
      expect(node.receive(type, '3', { term: 5, index: 9, logTerm: 4 })).toEqual([]);
      expect(node.term).toBe(1);
      node.tick();
      expect(node.receive(type, '3', { term: 5, index: 9, logTerm: 4 })[0]?.reject).toBe(false);
    }
  });

  it('votes when the leader itself asked for the election', () => {
    const node = aNode({ checkQuorum: true });
    node.receive(MsgHeartbeat, '2', { term: 1 });
    const context = bytes('CampaignTransfer');
    const [answer] = node.receive(MsgVote, '3', { term: 2, index: 9, logTerm: 1, context });
    expect(answer?.reject).toBe(false);
  });

  it('works without the option too, then without lease', () => {
    const node = aNode();
    node.receive(MsgHeartbeat, '2', { term: 1 });
    expect(node.receive(MsgVote, '3', { term: 5, index: 9, logTerm: 4 })[0]?.reject).toBe(false);
  });

  it('keeps the leader against a candidate that is not patient', () => {
    const group = aGroup(3, { checkQuorum: true });
    group.campaign('1');
    group.campaign('3');
    expect(group.node('1').role).toBe('leader');
    expect(group.node('3').role).toBe('candidate');
    group.tick('2', ELECTION_TICKS);
    group.campaign('3');
    expect(group.node('3').role).toBe('leader');
  });

  it('lets a leader learn of a higher term that a disruptive follower took, and catch up with it', () => {
    const group = aGroup(3, { checkQuorum: true });
    group.campaign('1');
    group.isolate('3');
    group.node('3').campaign();
    group.settle();
    const term = group.node('3').term;
    group.heal();
    group.tick('1');
    // The answer to the heartbeat deposes the leader once; the group then elects in a term that includes the follower.
    expect(group.node('1').term).toBe(term);
    group.tick('2', 2 * ELECTION_TICKS);
    group.tick('1', 2 * ELECTION_TICKS);
    expect(group.roles().filter((role) => role === 'leader')).toHaveLength(1);
  });

  it('is not disturbed by such a follower when pre-vote is on as well', () => {
    const group = aGroup(3, { checkQuorum: true, preVote: true });
    group.campaign('1');
    group.isolate('3');
    group.tick('3', 3 * ELECTION_TICKS);
    group.heal();
    group.tick('1');
    expect(group.roles()).toEqual(['leader', 'follower', 'follower']);
    expect(group.node('1').term).toBe(1);
  });

  it('holds on a voter that may not stand itself', () => {
    const node = aNode({ checkQuorum: true, voters: ['2', '3'] });
    node.receive(MsgApp, '2', { term: 1 });
    expect(node.receive(MsgVote, '3', { term: 2, index: 9, logTerm: 1 })).toEqual([]);
    node.ticks(ELECTION_TICKS);
    expect(node.receive(MsgVote, '3', { term: 2, index: 9, logTerm: 1 })).toHaveLength(1);
  });
});

describe('forgetting the leader', () => {
  it('lets a follower vote in spite of the lease, in the same term', () => {
    const node = aNode({ checkQuorum: true });
    node.receive(MsgHeartbeat, '2', { term: 1 });
    node.forgetLeader();
    expect([node.leader, node.term]).toEqual(['0', 1]);
    expect(node.receive(MsgVote, '3', { term: 2, index: 9, logTerm: 1 })[0]?.reject).toBe(false);
  });

  it('is refused with lease-based reads, which rely on the lease, and does nothing on a leader', () => {
    const node = aNode({ checkQuorum: true, readOnly: 'lease-based' });
    node.receive(MsgHeartbeat, '2', { term: 1 });
    node.forgetLeader();
    expect(node.leader).toBe('2');
    const leader = aLeader();
    leader.forgetLeader();
    expect(leader.role).toBe('leader');
  });
});

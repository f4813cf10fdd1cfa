/** Changes of membership (Ongaro's thesis §4), from proposal to effect. */
import { describe, expect, it } from 'vitest';
import { ConfChangeTransition, ConfChangeType, EntryType, MessageType } from '../src/types.ts';
import type { ConfChange, ConfChangeSingle, ConfChangeV2 } from '../src/types.ts';
import { encodeConfChange } from '../src/codec/conf-change-codec.ts';
import { LEAVE_JOINT } from '../src/membership/conf-change.ts';
import { aGroup } from './kit/group.ts';
import { aLeader, aNode, bytes, config, ELECTION_TICKS, entries } from './kit/node.ts';
import type { TestNode } from './kit/node.ts';

const { AddNode, AddLearnerNode, RemoveNode, UpdateNode } = ConfChangeType;
const { Auto, JointExplicit, JointImplicit } = ConfChangeTransition;
const { MsgAppResp, MsgApp, MsgProp, MsgTimeoutNow } = MessageType;

const none = new Uint8Array(0);

function old(type: ConfChangeType, nodeId: string): ConfChange {
  return { id: '0', type, nodeId, context: none };
}

function change(
  changes: readonly (readonly [ConfChangeType, string])[],
  transition: ConfChangeTransition = Auto,
): ConfChangeV2 {
  return { transition, changes: changes.map(([type, nodeId]): ConfChangeSingle => ({ type, nodeId })), context: none };
}

/** Everything proposed so far is durable on nodes 2 and 3 and thus committed and applied. */
function commit(leader: TestNode, by: readonly string[] = ['2', '3']): void {
  leader.send();
  for (const id of by) {
    if (leader.inside.tracker.progress.has(id)) leader.receive(MsgAppResp, id, { index: leader.lastIndex });
  }
}

describe('proposing a change', () => {
  it('takes one at a time: the next one only when the last is applied', () => {
    const leader = aLeader();
    commit(leader);
    expect(leader.proposeConfChange(old(AddNode, '4')).ok).toBe(true);
    expect(leader.proposeConfChange(old(AddNode, '5'))).toEqual({ ok: false, reason: 'change-not-now' });
    // An empty entry stands in its place.
    expect([leader.lastIndex, leader.inside.pendingConfIndex]).toEqual([3, 2]);
    commit(leader);
    expect(leader.confState.voters).toEqual(['1', '2', '3', '4']);
    expect(leader.proposeConfChange(old(AddNode, '5')).ok).toBe(true);
  });

  it('waits after an election for everything that was in the log', () => {
    const leader = aLeader({ log: [1, 1], term: 1, commit: 1 });
    expect(leader.inside.pendingConfIndex).toBe(2);
    expect(leader.proposeConfChange(old(AddNode, '4'))).toEqual({ ok: false, reason: 'change-not-now' });
    commit(leader);
    expect(leader.proposeConfChange(old(AddNode, '4')).ok).toBe(true);
  });

  it('refuses what could never be applied before it is in the log', () => {
    const leader = aLeader({ voters: ['1'], learners: ['2'] });
    leader.send();
    const impossible = [
      old(RemoveNode, '1'),
      old(AddLearnerNode, '1'),
      change([[RemoveNode, '1']], JointExplicit),
      change([
        [RemoveNode, '1'],
        [AddLearnerNode, '3'],
      ]),
    ];
    for (const each of impossible) {
      expect(leader.proposeConfChange(each)).toEqual({ ok: false, reason: 'invalid-change' });
      expect([leader.lastIndex, leader.inside.pendingConfIndex]).toEqual([1, 0]);
    }
    expect(leader.proposeConfChange(old(AddNode, '2')).ok).toBe(true);
  });

  it('refuses a payload it cannot read, without harm', () => {
    const leader = aLeader();
    commit(leader);
    const entry = { type: EntryType.ConfChange, term: 0, index: 0, data: Uint8Array.of(0x08) };
    expect(leader.take(MsgProp, '2', { term: 0, entries: [entry] })).toBe('malformed-change');
    expect(leader.lastIndex).toBe(1);
  });

  it('takes back its claim when the change does not fit', () => {
    const leader = aLeader({ maxUncommittedBytes: 10 });
    commit(leader);
    leader.propose([bytes('123456789')]);
    expect(leader.proposeConfChange(old(AddNode, '4'))).toEqual({ ok: false, reason: 'uncommitted-limit' });
    commit(leader);
    expect(leader.proposeConfChange(old(AddNode, '4')).ok).toBe(true);
  });

  it('allows to leave a joint configuration only in one, and nothing else in one', () => {
    const leader = aLeader();
    commit(leader);
    expect(leader.proposeConfChange(LEAVE_JOINT)).toEqual({ ok: false, reason: 'change-not-now' });
    commit(leader);
    expect(leader.proposeConfChange(change([[AddNode, '4']], JointExplicit)).ok).toBe(true);
    commit(leader);
    expect(leader.confState).toMatchObject({ votersOutgoing: ['1', '2', '3'], autoLeave: false });
    expect(leader.proposeConfChange(old(AddNode, '5'))).toEqual({ ok: false, reason: 'change-not-now' });
    commit(leader);
    expect(leader.proposeConfChange(LEAVE_JOINT).ok).toBe(true);
    commit(leader);
    expect(leader.confState).toMatchObject({ voters: ['1', '2', '3', '4'], votersOutgoing: [] });
  });

  it('checks nothing when told so', () => {
    const leader = aLeader({ disableConfChangeValidation: true });
    expect(leader.proposeConfChange(old(AddNode, '4')).ok).toBe(true);
    expect(leader.proposeConfChange(LEAVE_JOINT).ok).toBe(true);
    leader.ready();
    expect(() => leader.applyConfChange(LEAVE_JOINT)).toThrow(/can't leave a non-joint config/);
  });

  it('takes effect when it is applied, not before', () => {
    const leader = aLeader();
    commit(leader);
    leader.proposeConfChange(old(RemoveNode, '3'));
    leader.send();
    expect(leader.confState.voters).toEqual(['1', '2', '3']);
    leader.receive(MsgAppResp, '2', { index: 2 });
    expect(leader.confState.voters).toEqual(['1', '2']);
  });
});

describe('a node that knows of a committed change and has not applied it', () => {
  /** Its next work applies the change. */
  const aNodeBehind = () => {
    const data = encodeConfChange(change([[RemoveNode, '3']]));
    const unapplied = { type: EntryType.ConfChangeV2, term: 1, index: 1, data };
    return aNode({ term: 1, commit: 1, prepare: (storage) => storage.append([unapplied]) });
  };

  it('does not stand for election: it would ask and count the wrong voters', () => {
    const node = aNodeBehind();
    node.campaign();
    expect([node.role, node.term]).toEqual(['follower', 1]);
    node.work();
    expect(node.confState.voters).toEqual(['1', '2']);
    node.campaign();
    expect([node.role, node.term]).toEqual(['candidate', 2]);
  });

  it('does not stand when its time is up or the leader asks it to either', () => {
    const node = aNodeBehind();
    node.ticks(2 * ELECTION_TICKS);
    expect(node.role).toBe('follower');
    node.take(MsgTimeoutNow, '2');
    expect([node.role, node.term]).toEqual(['follower', 1]);
  });
});

describe('applying a change', () => {
  it('harms nothing when it adds a member or removes a stranger', () => {
    const node = aNode({ learners: ['4'] });
    for (const each of [old(AddNode, '2'), old(RemoveNode, '9'), old(AddLearnerNode, '4'), old(UpdateNode, '2')]) {
      expect(node.applyConfChange(each)).toMatchObject({ voters: ['1', '2', '3'], learners: ['4'] });
    }
  });

  it('does nothing for a change that was called off', () => {
    expect(aNode().applyConfChange(old(RemoveNode, '0')).voters).toEqual(['1', '2', '3']);
  });

  it('ignores a change that a snapshot has overtaken', () => {
    const node = aNode({ term: 1 });
    const metadata = { index: 7, term: 1, confState: config({ voters: ['1', '2', '3', '4'] }) };
    node.take(MessageType.MsgSnap, '2', { snapshot: { data: none, metadata } });
    expect(node.applyConfChange(old(RemoveNode, '4'), 6).voters).toEqual(['1', '2', '3', '4']);
    node.send();
    expect(node.applyConfChange(old(RemoveNode, '4'), 7).voters).toEqual(['1', '2', '3', '4']);
    expect(node.applyConfChange(old(RemoveNode, '4'), 8).voters).toEqual(['1', '2', '3']);
  });

  it('can let the commit index advance by removing a voter', () => {
    const leader = aLeader({ voters: ['1', '2', '3', '4'] });
    for (const id of ['2', '3']) leader.receive(MsgAppResp, id, { index: 1 });
    leader.propose([bytes('x')]);
    leader.send();
    leader.receive(MsgAppResp, '2', { index: 2 });
    expect(leader.commitIndex).toBe(1);
    leader.applyConfChange(old(RemoveNode, '4'));
    expect(leader.commitIndex).toBe(2);
  });

  it('starts a new member as active, so that it does not depose the leader', () => {
    const leader = aLeader({ voters: ['1'], checkQuorum: true });
    leader.send();
    leader.ticks(ELECTION_TICKS - 1);
    leader.applyConfChange(old(AddNode, '2'));
    leader.tick();
    expect(leader.role).toBe('leader');
    leader.ticks(ELECTION_TICKS);
    expect(leader.role).toBe('follower');
  });

  it('sends to a new member at once', () => {
    const leader = aLeader();
    commit(leader);
    leader.proposeConfChange(old(AddLearnerNode, '4'));
    leader.send();
    const sent = leader.receive(MsgAppResp, '2', { index: 2 });
    expect(sent.filter(({ to }) => to === '4').map(({ type }) => type)).toContain(MsgApp);
  });

  it('does not let a removed leader count itself', () => {
    const leader = aLeader();
    commit(leader);
    leader.applyConfChange(old(RemoveNode, '1'));
    leader.inside.log.append(entries([1], 2));
    leader.send();
    leader.receive(MsgAppResp, '2', { index: 2 });
    expect(leader.commitIndex).toBe(1);
    leader.receive(MsgAppResp, '3', { index: 2 });
    expect(leader.commitIndex).toBe(2);
  });

  it('makes a leader step down that is removed or demoted, if so configured', () => {
    for (const type of [RemoveNode, AddLearnerNode]) {
      const staying = aLeader();
      staying.applyConfChange(old(type, '1'));
      expect(staying.role).toBe('leader');
      const leaving = aLeader({ stepDownOnRemoval: true });
      leaving.applyConfChange(old(type, '1'));
      expect([leaving.role, leaving.leader]).toEqual(['follower', '0']);
    }
  });

  it('lets a learner be promoted, take part in elections and win one', () => {
    const group = aGroup(3, (id) => ({ voters: ['1', '2'], learners: ['3'], id }));
    group.campaign('1');
    group.node('1').proposeConfChange(old(AddNode, '3'));
    group.settle();
    group.tick('1');
    group.campaign('3');
    expect(group.node('3').role).toBe('leader');
  });

  it('lets a learner vote when it is asked, as the candidate may know better who is a voter', () => {
    const learner = aNode({ voters: ['2', '3'], learners: ['1'] });
    expect(learner.receive(MessageType.MsgVote, '2', { term: 1 })[0]?.reject).toBe(false);
  });
});

describe('joint consensus', () => {
  it('is used for more than one change or on request', () => {
    const cases: readonly (readonly [ConfChangeV2, boolean, boolean])[] = [
      [change([[AddNode, '4']]), false, false],
      [
        change([
          [AddNode, '4'],
          [RemoveNode, '3'],
        ]),
        true,
        true,
      ],
      [change([[AddNode, '4']], JointImplicit), true, true],
      [change([[AddNode, '4']], JointExplicit), true, false],
    ];
    for (const [each, isJoint, autoLeave] of cases) {
      const state = aNode().applyConfChange(each);
      expect([state.votersOutgoing.length > 0, state.autoLeave]).toEqual([isJoint, autoLeave]);
    }
  });

  it('is left by the leader on its own once it was applied, exactly once', () => {
    const leader = aLeader();
    commit(leader);
    leader.proposeConfChange(
      change([
        [AddNode, '4'],
        [RemoveNode, '3'],
      ]),
    );
    commit(leader, ['2']);
    expect(leader.confState).toMatchObject({
      voters: ['1', '2', '4'],
      votersOutgoing: ['1', '2', '3'],
      autoLeave: true,
    });
    expect(leader.lastIndex).toBe(3);
    leader.propose([bytes('x')]);
    commit(leader, ['2', '3', '4']);
    expect(leader.confState).toMatchObject({ voters: ['1', '2', '4'], votersOutgoing: [], autoLeave: false });
    expect(leader.lastIndex).toBe(4);
    expect(leader.inside.log.slice(3, 4, Infinity)).toMatchObject([{ type: EntryType.ConfChangeV2, data: none }]);
  });

  it('is left after the next entry if a transfer was in the way', () => {
    const leader = aLeader();
    commit(leader);
    leader.proposeConfChange(
      change([
        [AddNode, '4'],
        [RemoveNode, '3'],
      ]),
    );
    leader.transferLeader('2');
    commit(leader, ['2']);
    expect([leader.lastIndex, leader.confState.autoLeave]).toEqual([2, true]);
    leader.ticks(ELECTION_TICKS);
    leader.propose([bytes('x')]);
    commit(leader, ['2', '4', '3']);
    expect(leader.inside.log.lastIndex()).toBe(4);
    commit(leader, ['2', '4', '3']);
    expect(leader.confState.votersOutgoing).toEqual([]);
  });

  it('is left by the next leader if the first one did not', () => {
    const joint = config({ voters: ['1', '2', '4'], votersOutgoing: ['1', '2', '3'], autoLeave: true });
    const leader = aLeader({ conf: joint });
    for (const id of ['2', '3', '4']) leader.receive(MsgAppResp, id, { index: 1 });
    leader.send();
    for (const id of ['2', '3', '4']) leader.receive(MsgAppResp, id, { index: leader.lastIndex });
    expect(leader.confState.votersOutgoing).toEqual([]);
  });

  it('turns a voter into a learner only when it is left', () => {
    const node = aNode();
    const during = node.applyConfChange(
      change(
        [
          [AddLearnerNode, '3'],
          [AddNode, '4'],
        ],
        JointExplicit,
      ),
    );
    expect(during).toMatchObject({ voters: ['1', '2', '4'], learners: [], learnersNext: ['3'] });
    expect(node.applyConfChange(LEAVE_JOINT)).toMatchObject({
      voters: ['1', '2', '4'],
      learners: ['3'],
      learnersNext: [],
    });
  });
});

describe('removal of a leader whose last messages are lost', () => {
  it('does not leave the others stuck with a configuration that needs its vote', () => {
    for (const preVote of [false, true]) {
      const group = aGroup(2, { stepDownOnRemoval: true, preVote });
      group.campaign('1');
      const leader = group.node('1');
      const other = group.node('2');
      leader.proposeConfChange(old(AddLearnerNode, '1'));
      const change = leader.send();
      leader.propose([bytes('x')]);
      // The next entry is lost, and so is the news that the change is committed.
      leader.send();
      for (const message of change) other.step(message);
      for (const answer of other.send()) leader.step(answer);
      leader.send();
      expect([leader.role, leader.confState.voters, other.confState.voters]).toEqual(['follower', ['2'], ['1', '2']]);
      for (let round = 0; round < 3; round++) group.tick('2', 2 * ELECTION_TICKS);
      expect([other.role, other.confState.voters]).toEqual(['leader', ['2']]);
    }
  });

  it('is told by those that left only, and only as far as the logs agree', () => {
    const { MsgVote, MsgVoteResp } = MessageType;
    const voter = aNode({ log: [1, 1], term: 1, commit: 2 });
    expect(voter.receive(MsgVote, '2', { term: 2, index: 1, logTerm: 1 })[0]?.context).toHaveLength(0);
    const removed = aNode({ voters: ['2', '3'], log: [1, 1], term: 1, commit: 2 });
    const [refusal] = removed.receive(MsgVote, '2', { term: 2, index: 1, logTerm: 1 });
    expect([refusal?.reject, refusal?.context.length]).toEqual([true, 16]);
    for (const [log, commitIndex] of [
      [[1], 0],
      [[1, 1], 2],
      [[1, 2, 2], 0],
    ] as const) {
      const candidate = aNode({ id: '2', log, term: 2 });
      candidate.campaign();
      candidate.send();
      candidate.receive(MsgVoteResp, '1', { reject: true, context: refusal?.context ?? none });
      expect([candidate.commitIndex, candidate.role]).toEqual([
        commitIndex,
        commitIndex > 0 ? 'follower' : 'candidate',
      ]);
    }
  });
});

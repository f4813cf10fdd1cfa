/** Raft paper §5.1, §5.2 and §5.4.1: terms, elections and votes. */
import { describe, expect, it } from 'vitest';
import { APPEND_THREAD, ConfChangeType, EntryType, MessageType } from '../src/types.ts';
import type { Message } from '../src/types.ts';
import { encodeConfChange } from '../src/codec/conf-change-codec.ts';
import { aGroup } from './kit/group.ts';
import { aLeader, aNode, config, ELECTION_TICKS, entries, inEachRole } from './kit/node.ts';

const { MsgApp, MsgHeartbeat, MsgSnap, MsgVote, MsgVoteResp, MsgTimeoutNow, MsgHup } = MessageType;

describe('terms (§5.1)', () => {
  it('makes a node in any role a follower of a leader with a higher term', () => {
    for (const [role, node] of inEachRole()) {
      expect(node.role).toBe(role);
      node.receive(MsgApp, '2', { term: 2 });
      expect([node.role, node.term, node.leader]).toEqual(['follower', 2, '2']);
    }
  });

  it('ignores messages of lower terms', () => {
    const node = aNode({ term: 5, log: [1] });
    expect(node.receive(MsgApp, '2', { term: 4, index: 1, logTerm: 1, entries: entries([4], 2) })).toEqual([]);
    expect(node.logTerms()).toEqual([1]);
    expect(node.receive(MsgVote, '2', { term: 4, index: 9, logTerm: 4 })).toEqual([]);
  });

  it('refuses messages that only the node itself may send', () => {
    expect(aNode().take(MsgHup, '2')).toBe('local-message');
  });

  it('refuses messages for another node, and those that claim to come from itself', () => {
    expect(aNode().take(MsgHeartbeat, '2', { term: 1, to: '3' })).toBe('wrong-recipient');
    expect(aNode().take(MsgHeartbeat, '1', { term: 1 })).toBe('malformed-message');
  });

  it('refuses messages that contradict themselves', () => {
    const node = aNode({ term: 2, log: [1] });
    const broken: readonly Partial<Message>[] = [
      { term: 0 },
      { index: -1 },
      { index: 1.5 },
      { commit: 2 ** 53 },
      { index: 1, logTerm: 1, entries: entries([2], 3) },
      { index: 1, logTerm: 1, entries: entries([2, 1], 2) },
      { index: 1, logTerm: 1, entries: entries([3], 2) },
    ];
    for (const fields of broken) expect(node.take(MsgApp, '2', fields)).toBe('malformed-message');
    expect(node.take(MessageType.MsgProp, '2', { entries: [] })).toBe('malformed-message');
    expect(node.take(MessageType.MsgReadIndex, '2', { entries: [] })).toBe('malformed-message');
    expect([node.term, node.hasReady()]).toEqual([2, false]);
  });

  it('refuses answers of nodes it does not know', () => {
    expect(aLeader().take(MessageType.MsgAppResp, '9', { index: 1 })).toBe('unknown-peer');
  });
});

describe('starting an election (§5.2)', () => {
  it('starts as follower and stays one while it hears from a leader', () => {
    const node = aNode();
    for (let i = 0; i < 5 * ELECTION_TICKS; i++) {
      node.tick();
      node.receive(MsgHeartbeat, '2', { term: 1 });
    }
    expect(node.role).toBe('follower');
  });

  it('stands for election after a timeout: raises the term, votes for itself, asks all others', () => {
    for (const start of ['follower', 'candidate']) {
      const node = aNode({ term: 1 });
      if (start === 'candidate') node.campaign();
      node.send();
      const { term } = node;
      node.ticks(2 * ELECTION_TICKS - 1);
      expect([node.role, node.term, node.inside.vote]).toEqual(['candidate', term + 1, '1']);
      const asked = node.send().filter(({ type }) => type === MsgVote);
      expect(asked.map(({ to, term: inTerm }) => [to, inTerm])).toEqual([
        ['2', term + 1],
        ['3', term + 1],
      ]);
    }
  });

  it('draws its timeout from all of [T, 2T - 1]', () => {
    const seen = new Set<number>();
    const node = aNode();
    for (let i = 0; i < 1000; i++) {
      node.receive(MsgHeartbeat, '2', { term: node.term + 1 });
      seen.add(node.inside.randomizedElectionTicks);
    }
    expect([...seen].sort((a, b) => a - b)).toEqual(
      Array.from({ length: ELECTION_TICKS }, (_, i) => ELECTION_TICKS + i),
    );
  });

  it('never fires before the timeout and always by its end, in each role that waits', () => {
    for (const role of ['follower', 'candidate']) {
      const node = aNode();
      for (let round = 0; round < 50; round++) {
        if (role === 'follower') node.receive(MsgHeartbeat, '2', { term: node.term + 1 });
        else node.campaign();
        const { term } = node;
        let ticks = 0;
        while (node.term === term) {
          node.tick();
          ticks++;
        }
        expect(ticks).toBeGreaterThanOrEqual(ELECTION_TICKS);
        expect(ticks).toBeLessThan(2 * ELECTION_TICKS);
        node.send();
      }
    }
  });

  it('rarely lets two of five nodes fire together', () => {
    const nodes = Array.from({ length: 5 }, (_, i) => aNode({ id: String(i + 1), voters: ['1', '2', '3', '4', '5'] }));
    let conflicts = 0;
    const rounds = 1000;
    for (let round = 0; round < rounds; round++) {
      for (const node of nodes) node.receive(MsgHeartbeat, '9', { term: round + 1 });
      const timeouts = nodes.map((node) => node.inside.randomizedElectionTicks);
      const first = Math.min(...timeouts);
      if (timeouts.filter((each) => each === first).length > 1) conflicts++;
    }
    // Two particular nodes of a group collide in under 30 % of the rounds; any two of five in about half.
    expect(conflicts / rounds).toBeLessThan(0.6);
    const pairs = Array.from({ length: rounds }, () => {
      for (const node of nodes.slice(0, 2)) node.receive(MsgHeartbeat, '9', { term: node.term + 1 });
      return nodes[0]?.inside.randomizedElectionTicks === nodes[1]?.inside.randomizedElectionTicks;
    });
    expect(pairs.filter(Boolean).length / rounds).toBeLessThan(0.3);
  });

  it('ignores the request to stand on a leader', () => {
    const leader = aLeader();
    leader.campaign();
    expect([leader.role, leader.term, leader.send()]).toEqual(['leader', 1, []]);
  });

  it('does not let a learner, a removed node or one that waits for a snapshot stand', () => {
    const learner = aNode({ voters: ['2', '3'], learners: ['1'] });
    const removed = aNode({ voters: ['2', '3'] });
    const waiting = aNode({ term: 1 });
    const metadata = { index: 5, term: 1, confState: config({ voters: ['1', '2', '3'] }) };
    waiting.take(MsgSnap, '2', { snapshot: { data: new Uint8Array(0), metadata } });
    for (const node of [learner, removed, waiting]) {
      node.campaign();
      node.ticks(3 * ELECTION_TICKS);
      node.take(MsgTimeoutNow, '2', { term: Math.max(node.term, 1) });
      expect(node.role).toBe('follower');
    }
  });

  it('does not let a node stand that has not applied a committed configuration change, also on transfer', () => {
    const change = encodeConfChange({
      id: '0',
      type: ConfChangeType.RemoveNode,
      nodeId: '3',
      context: new Uint8Array(0),
    });
    const entry = { type: EntryType.ConfChange, term: 1, index: 2, data: change };
    for (const types of [[EntryType.ConfChange], [EntryType.Normal, EntryType.ConfChange]]) {
      const list = types.map((type, i) => ({
        ...entry,
        type,
        index: 2 + i,
        data: type === EntryType.Normal ? new Uint8Array(9) : change,
      }));
      // A page of one entry, so that the search has to turn pages.
      const settings = { log: [1], term: 1, commit: 1, applied: 1, maxCommittedBytesPerReady: 1 };
      const node = aNode(settings);
      node.take(MsgApp, '2', { term: 1, index: 1, logTerm: 1, entries: list, commit: 1 + list.length });
      node.campaign();
      node.take(MsgTimeoutNow, '2');
      expect(node.role).toBe('follower');
      node.send();
      node.campaign();
      expect(node.role).toBe('candidate');
    }
  });
});

describe('outcome of an election (§5.2)', () => {
  const cases: readonly (readonly [number, readonly boolean[], string])[] = [
    [1, [], 'leader'],
    [3, [true], 'leader'],
    [5, [true, true], 'leader'],
    [5, [true], 'candidate'],
    [5, [true, false], 'candidate'],
    [3, [false, false], 'follower'],
    [5, [false, false, false], 'follower'],
    [5, [true, false, false, true], 'leader'],
    [5, [true, false, false, false], 'follower'],
  ];
  for (const [size, votes, role] of cases) {
    it(`makes a candidate of ${size} with votes ${JSON.stringify(votes)} a ${role}`, () => {
      const voters = Array.from({ length: size }, (_, i) => String(i + 1));
      const node = aNode({ voters });
      node.campaign();
      node.send();
      for (const [i, granted] of votes.entries())
        node.receive(MsgVoteResp, String(i + 2), { term: 1, reject: !granted });
      expect([node.role, node.term]).toEqual([role, 1]);
    });
  }

  it('counts the first answer of a voter only', () => {
    const node = aNode({ voters: ['1', '2', '3', '4', '5'] });
    node.campaign();
    node.send();
    node.receive(MsgVoteResp, '2');
    node.receive(MsgVoteResp, '2');
    expect(node.role).toBe('candidate');
    node.receive(MsgVoteResp, '3', { reject: true });
    node.receive(MsgVoteResp, '3');
    expect(node.role).toBe('candidate');
    node.receive(MsgVoteResp, '4');
    expect(node.role).toBe('leader');
  });

  it('does not count votes of learners', () => {
    const node = aNode({ voters: ['1', '2', '3'], learners: ['4', '5'] });
    node.campaign();
    node.send();
    node.receive(MsgVoteResp, '4');
    node.receive(MsgVoteResp, '5');
    expect(node.role).toBe('candidate');
  });

  it('needs a majority of both halves of a joint configuration', () => {
    const joint = config({ voters: ['1', '2', '3'], votersOutgoing: ['1', '4', '5'] });
    const node = aNode({ conf: joint });
    node.campaign();
    expect(node.send().map(({ to }) => to)).toEqual(['2', '3', '4', '5']);
    node.receive(MsgVoteResp, '2');
    node.receive(MsgVoteResp, '3');
    expect(node.role).toBe('candidate');
    node.receive(MsgVoteResp, '4');
    expect(node.role).toBe('leader');
    const loser = aNode({ conf: joint });
    loser.campaign();
    loser.send();
    loser.receive(MsgVoteResp, '4', { reject: true });
    loser.receive(MsgVoteResp, '5', { reject: true });
    expect(loser.role).toBe('follower');
  });

  it('counts its own vote only when it is durable', () => {
    const node = aNode({ voters: ['1'] });
    node.campaign();
    const ready = node.ready();
    expect(ready.hardState).toEqual({ term: 1, vote: '1', commit: 0 });
    expect([ready.mustSync, node.role]).toEqual([true, 'candidate']);
    node.advance();
    expect(node.role).toBe('leader');
  });

  it('does not lead before its own term is durable, though all others voted for it', () => {
    // Else a crash makes it forget the term, it is elected in the same term once more, and two entries share an index and a term.
    const node = aNode({ asyncStorageWrites: true });
    node.campaign();
    const write = node.ready().messages.find(({ to }) => to === APPEND_THREAD);
    node.take(MsgVoteResp, '2');
    node.take(MsgVoteResp, '3');
    expect(node.role).toBe('candidate');
    for (const response of write?.responses ?? []) node.step(response);
    expect(node.role).toBe('leader');
  });

  it('is not moved by its own vote once the election is lost', () => {
    const node = aNode({ voters: ['1', '2', '3'] });
    node.campaign();
    node.ready();
    node.take(MsgHeartbeat, '2', { term: 1 });
    node.advance();
    expect([node.role, node.leader]).toEqual(['follower', '2']);
  });

  it('falls back when a leader of its term or above shows itself', () => {
    for (const type of [MsgApp, MsgHeartbeat, MsgSnap]) {
      for (const preVote of [false, true]) {
        for (const ahead of [0, 1]) {
          const node = aNode({ term: 1, preVote });
          node.campaign();
          node.send();
          const term = node.term + ahead;
          node.take(type, '2', { term });
          expect([node.role, node.term, node.leader]).toEqual(['follower', term, '2']);
        }
      }
    }
  });

  it('elects a leader whose log is as new as that of a majority, and one leader per term in a group', () => {
    const group = aGroup(3);
    group.campaign('1');
    expect(group.roles()).toEqual(['leader', 'follower', 'follower']);
    group.isolate('1');
    group.campaign('2');
    expect(group.roles()).toEqual(['leader', 'leader', 'follower']);
    expect(group.node('2').term).toBe(2);
    group.heal();
    group.tick('2');
    expect(group.roles()).toEqual(['follower', 'leader', 'follower']);
  });

  it('does not elect a candidate whose log is behind that of a majority, though its term is taken over', () => {
    const group = aGroup(3);
    group.isolate('3');
    group.campaign('1');
    group.node('3').campaign();
    group.settle();
    group.heal();
    group.campaign('3');
    expect(group.node('3').role).toBe('follower');
    expect(group.node('1').term).toBe(2);
  });
});

describe('voting (§5.4.1)', () => {
  it('votes once per term, first come first served, and repeats the same answer', () => {
    const node = aNode();
    const vote = (from: string) => node.receive(MsgVote, from, { term: 1 }).map(({ to, reject }) => [to, reject]);
    expect(vote('2')).toEqual([['2', false]]);
    expect(vote('3')).toEqual([['3', true]]);
    expect(vote('2')).toEqual([['2', false]]);
    expect(node.storage.initialState().hardState.vote).toBe('2');
  });

  it('does not vote for a second candidate when it became follower again in the same term', () => {
    const node = aNode();
    node.receive(MsgVote, '2', { term: 1 });
    node.receive(MsgHeartbeat, '2', { term: 1 });
    node.forgetLeader();
    expect(node.receive(MsgVote, '3', { term: 1 })[0]?.reject).toBe(true);
  });

  it('remembers its vote over a restart', () => {
    const node = aNode({ term: 3, vote: '2' });
    expect(node.receive(MsgVote, '3', { term: 3 })[0]?.reject).toBe(true);
    expect(node.receive(MsgVote, '2', { term: 3 })[0]?.reject).toBe(false);
  });

  it('refuses to vote once it knows the leader of the term', () => {
    const node = aNode();
    node.receive(MsgHeartbeat, '3', { term: 2 });
    expect(node.receive(MsgVote, '2', { term: 2, index: 9, logTerm: 9 })[0]?.reject).toBe(true);
  });

  const logs: readonly (readonly [number, number, boolean])[] = [
    // last index, last term of the candidate, against a log with terms 2 and 2
    [2, 3, true],
    [1, 3, true],
    [2, 2, true],
    [3, 2, true],
    [1, 2, false],
    [9, 1, false],
    [0, 0, false],
  ];
  for (const [index, logTerm, granted] of logs) {
    it(`${granted ? 'grants' : 'refuses'} a candidate with last entry ${logTerm}/${index} its vote`, () => {
      for (const settings of [{}, { voters: ['2', '3'], learners: ['1'] }]) {
        const node = aNode({ ...settings, log: [2, 2], term: 2 });
        const [answer] = node.receive(MsgVote, '2', { term: 3, index, logTerm });
        expect([answer?.type, answer?.reject, answer?.term]).toEqual([MsgVoteResp, !granted, 3]);
      }
    });
  }

  it('answers from every role when the term is higher', () => {
    for (const [, node] of inEachRole()) {
      const [answer] = node.receive(MsgVote, '2', { term: 9, index: 9, logTerm: 8 });
      expect([answer?.type, answer?.reject, node.role, node.inside.vote]).toEqual([
        MsgVoteResp,
        false,
        'follower',
        '2',
      ]);
    }
  });

  it('restarts its election timeout when it grants a vote', () => {
    const node = aNode({ term: 1 });
    node.ticks(ELECTION_TICKS - 1);
    node.receive(MsgVote, '2', { term: 1 });
    expect(node.inside.electionElapsed).toBe(0);
    node.ticks(3);
    node.receive(MsgVote, '3', { term: 1 });
    expect(node.inside.electionElapsed).toBe(3);
  });
});

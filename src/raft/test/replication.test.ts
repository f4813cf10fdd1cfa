/** Raft paper §5.3 and §5.4.2: replicating the log, and when entries are committed. */
import { describe, expect, it } from 'vitest';
import { MessageType } from '../src/types.ts';
import { aGroup, TestGroup } from './kit/group.ts';
import { aLeader, aNode, bytes, config, entries, places, text } from './kit/node.ts';
import type { TestNode } from './kit/node.ts';

const { MsgApp, MsgAppResp, MsgHeartbeat, MsgVoteResp } = MessageType;

describe('leader', () => {
  it('appends an empty entry of its term when elected and sends it to all (§8)', () => {
    const node = aNode({ log: [1, 2], term: 2 });
    node.campaign();
    node.send();
    const sent = node.receive(MsgVoteResp, '2');
    expect(node.logTerms()).toEqual([1, 2, 3]);
    expect(sent.map(({ type, to, index, logTerm, entries: list }) => [type, to, logTerm, index, places(list)])).toEqual(
      [
        [MsgApp, '2', 2, 2, ['3/3']],
        [MsgApp, '3', 2, 2, ['3/3']],
      ],
    );
  });

  it('commits an entry once a majority has it, applies it and tells the others', () => {
    const leader = aLeader();
    leader.propose([bytes('x')]);
    const sent = leader.send();
    expect(sent.filter(({ entries: list }) => list.length > 0).map(({ to }) => to)).toEqual([]);
    leader.receive(MsgAppResp, '2', { index: 1 });
    const work = leader.receive(MsgAppResp, '2', { index: 2 });
    expect(leader.commitIndex).toBe(2);
    expect(leader.applied.map(({ data }) => text(data))).toEqual(['', 'x']);
    expect(work.map(({ to, commit }) => [to, commit])).toContainEqual(['2', 2]);
  });

  const acknowledgements: readonly (readonly [number, readonly string[], boolean])[] = [
    [1, [], true],
    [3, [], false],
    [3, ['2'], true],
    [3, ['2', '3'], true],
    [5, ['2'], false],
    [5, ['2', '3'], true],
    [5, ['2', '3', '4', '5'], true],
  ];
  for (const [size, acks, isCommitted] of acknowledgements) {
    it(`of ${size} ${isCommitted ? 'commits' : 'does not commit'} with acknowledgements of [${acks.join(' ')}]`, () => {
      const leader = aLeader({ voters: Array.from({ length: size }, (_, i) => String(i + 1)) });
      leader.propose([bytes('x')]);
      leader.send();
      for (const id of acks) leader.receive(MsgAppResp, id, { index: 2 });
      expect(leader.commitIndex >= 2).toBe(isCommitted);
    });
  }

  it('does not count an entry of its own before it is durable', () => {
    const leader = aLeader({ voters: ['1', '2', '3', '4', '5'] });
    leader.propose([bytes('x')]);
    leader.take(MsgAppResp, '2', { index: 2 });
    leader.take(MsgAppResp, '3', { index: 2 });
    // Three of five have it, one of them not yet for good; the empty entry before it was durable on all three.
    expect(leader.commitIndex).toBe(1);
    leader.ready();
    expect(leader.commitIndex).toBe(1);
    leader.advance();
    expect(leader.commitIndex).toBe(2);
  });

  it('does not count learners', () => {
    const leader = aLeader({ learners: ['4', '5'] });
    for (const id of ['4', '5']) leader.receive(MsgAppResp, id, { index: 1 });
    expect(leader.commitIndex).toBe(0);
    leader.receive(MsgAppResp, '3', { index: 1 });
    expect(leader.commitIndex).toBe(1);
  });

  it('needs a majority of both halves of a joint configuration', () => {
    const conf = config({ voters: ['1', '2', '3'], votersOutgoing: ['1', '4', '5'] });
    const leader = aNode({ conf });
    leader.campaign();
    leader.send();
    for (const id of ['2', '4']) leader.receive(MsgVoteResp, id);
    leader.receive(MsgAppResp, '2', { index: 1 });
    leader.receive(MsgAppResp, '3', { index: 1 });
    expect(leader.commitIndex).toBe(0);
    leader.receive(MsgAppResp, '4', { index: 1 });
    expect(leader.commitIndex).toBe(1);
    const other = aNode({ conf });
    other.campaign();
    other.send();
    for (const id of ['2', '4']) other.receive(MsgVoteResp, id);
    for (const id of ['4', '5']) other.receive(MsgAppResp, id, { index: 1 });
    expect(other.commitIndex).toBe(0);
  });

  it('commits entries of earlier terms only together with one of its own (§5.4.2, figure 8)', () => {
    for (const [acknowledged, commit] of [
      [1, 0],
      [2, 0],
      [3, 3],
    ] as const) {
      const leader = aLeader({ log: [1, 2], term: 2 });
      leader.receive(MsgAppResp, '2', { index: acknowledged });
      expect(leader.commitIndex).toBe(commit);
    }
  });

  it('does not lose an entry that figure 8 would let a leader commit too early', () => {
    // Server 1 leads term 4 and has an entry of term 2 on a majority; server 5 has one of term 3 there.
    const leader = aLeader({ voters: ['1', '2', '3', '4', '5'], log: [1, 2], term: 3, commit: 1 });
    leader.receive(MsgAppResp, '2', { index: 2 });
    leader.receive(MsgAppResp, '3', { index: 2 });
    expect(leader.commitIndex).toBe(1);
    const rival = aNode({ id: '5', voters: ['1', '2', '3', '4', '5'], log: [1, 3], term: 4, commit: 1 });
    rival.campaign();
    const [request] = rival.send();
    expect(request?.logTerm).toBe(3);
    const voter = aNode({ id: '2', voters: ['1', '2', '3', '4', '5'], log: [1, 2], term: 4, commit: 1 });
    expect(voter.receive(MessageType.MsgVote, '5', { term: 5, index: 2, logTerm: 3 })[0]?.reject).toBe(false);
  });

  it('follows a lower-term leader in nothing, and answers it nothing either', () => {
    const leader = aLeader({ log: [1], term: 1, commit: 1 });
    const before = leader.logTerms();
    expect(
      leader.receive(MsgApp, '2', { term: 1, index: 1, logTerm: 1, entries: entries([1, 1], 2), commit: 3 }),
    ).toEqual([]);
    expect([leader.role, leader.logTerms()]).toEqual(['leader', before]);
  });

  it('sends heartbeats with a commit index no higher than what the follower is known to have', () => {
    const leader = aLeader({ voters: ['1', '2', '3'], log: [1, 1], term: 1, commit: 2 });
    leader.receive(MsgAppResp, '2', { index: 3 });
    expect(leader.commitIndex).toBe(3);
    leader.tick();
    expect(
      leader
        .send()
        .filter(({ type }) => type === MsgHeartbeat)
        .map(({ to, commit }) => [to, commit]),
    ).toEqual([
      ['2', 3],
      ['3', 0],
    ]);
  });

  it('commits at once after writing when it is alone', () => {
    const leader = aLeader({ voters: ['1'] });
    leader.propose([bytes('a'), bytes('b')]);
    const { applied } = leader.work();
    expect(places(applied)).toEqual(['1/2', '1/3']);
  });
});

describe('follower', () => {
  const appends: readonly (readonly [string, number, number, boolean])[] = [
    ['at the last entry', 2, 2, true],
    ['at an earlier entry', 1, 1, true],
    ['at the start of the log', 0, 0, true],
    ['beyond the end', 3, 3, false],
    ['at an entry of another term', 2, 1, false],
  ];
  for (const [where, index, logTerm, isAccepted] of appends) {
    it(`${isAccepted ? 'accepts' : 'refuses'} an append ${where} (consistency check)`, () => {
      const node = aNode({ log: [1, 2], term: 3 });
      const [answer] = node.receive(MsgApp, '2', { index, logTerm });
      expect([answer?.type, answer?.reject, answer?.index]).toEqual([MsgAppResp, !isAccepted, index]);
    });
  }

  const suffixes: readonly (readonly [number, number, readonly number[], readonly number[]])[] = [
    // previous index, previous term, terms of new entries, log afterwards; from log [1, 2]
    [2, 2, [3], [1, 2, 3]],
    [1, 1, [3, 4], [1, 3, 4]],
    [0, 0, [1], [1, 2]],
    [0, 0, [3], [3]],
    [1, 1, [2], [1, 2]],
    [1, 1, [2, 4], [1, 2, 4]],
  ];
  for (const [index, logTerm, terms, after] of suffixes) {
    it(`has log [${after.join(' ')}] after an append of terms [${terms.join(' ')}] at ${index}`, () => {
      const node = aNode({ log: [1, 2], term: 4 });
      const [answer] = node.receive(MsgApp, '2', { index, logTerm, entries: entries(terms, index + 1) });
      expect(node.logTerms()).toEqual(after);
      expect(answer?.index).toBe(index + terms.length);
      expect(node.storage.lastIndex()).toBe(after.length);
    });
  }

  const commits: readonly (readonly [number, readonly number[], number, number])[] = [
    // previous index, new entries, commit of the leader, own commit then; from log [1, 1, 1] with commit 1
    [3, [], 3, 3],
    [3, [2], 4, 4],
    [3, [2], 2, 2],
    [1, [1], 3, 2],
    [2, [], 3, 2],
    [2, [], 1, 1],
  ];
  for (const [index, terms, commit, after] of commits) {
    it(`commits ${after} after an append at ${index} of ${terms.length} with commit ${commit}: the last new entry at most`, () => {
      const node = aNode({ log: [1, 1, 1], term: 2, commit: 1 });
      node.receive(MsgApp, '2', { index, logTerm: 1, entries: entries(terms, index + 1), commit });
      expect(node.commitIndex).toBe(after);
    });
  }

  it('does not commit what follows the last new entry, as it may differ from the leader', () => {
    // The entry of term 2 is not the leader's, although the leader has committed its own at that index.
    const node = aNode({ log: [1, 2], term: 3, commit: 0 });
    node.receive(MsgApp, '2', { index: 1, logTerm: 1, commit: 2 });
    expect([node.commitIndex, node.applied.length]).toEqual([1, 1]);
  });

  it('commits with heartbeats and never goes back', () => {
    const node = aNode({ log: [1, 1, 1], term: 1, commit: 1 });
    node.receive(MsgHeartbeat, '2', { commit: 3 });
    expect(node.commitIndex).toBe(3);
    node.receive(MsgHeartbeat, '2', { commit: 1 });
    expect(node.commitIndex).toBe(3);
  });

  it('stops rather than commit what it does not have', () => {
    const node = aNode({ log: [1], term: 1 });
    expect(() => node.receive(MsgHeartbeat, '2', { commit: 5 })).toThrow(/corrupted, truncated or lost/);
  });

  it('stops rather than replace what is committed', () => {
    const node = aNode({ log: [1, 1], term: 1, commit: 2 });
    const other = entries([2], 3);
    node.receive(MsgApp, '2', { term: 2, index: 2, logTerm: 1, entries: other, commit: 3 });
    expect(() => node.inside.log.maybeAppend(2, 1, entries([9], 3), 3)).toThrow(/conflicts with a committed entry/);
  });

  it('answers an append below its commit index with the commit index', () => {
    const node = aNode({ log: [1, 1, 1], term: 1, commit: 3 });
    const [answer] = node.receive(MsgApp, '2', { index: 1, logTerm: 1, entries: entries([1], 2) });
    expect([answer?.index, answer?.reject]).toEqual([3, false]);
  });

  it('keeps what follows when an old append comes again or late', () => {
    const node = aNode({ term: 1 });
    const first = { index: 0, logTerm: 0, entries: entries([1], 1) };
    const second = { index: 1, logTerm: 1, entries: entries([1], 2) };
    for (const append of [first, second, first, second, first]) node.receive(MsgApp, '2', append);
    expect(node.logTerms()).toEqual([1, 1]);
    // A later one first is refused, and taken when its turn comes.
    const late = aNode({ term: 1 });
    expect(late.receive(MsgApp, '2', second)[0]?.reject).toBe(true);
    for (const append of [first, second]) late.receive(MsgApp, '2', append);
    expect(late.logTerms()).toEqual([1, 1]);
  });

  it('acknowledges only what is durable', () => {
    const node = aNode({ term: 1, asyncStorageWrites: true });
    node.take(MsgApp, '2', { index: 0, logTerm: 0, entries: entries([1, 1], 1) });
    const { messages } = node.ready();
    expect(messages.map(({ type }) => type)).toEqual([MessageType.MsgStorageAppend]);
    expect(messages[0]?.responses.map(({ type, to }) => [type, to])).toEqual([
      [MsgAppResp, '2'],
      [MessageType.MsgStorageAppendResp, '1'],
    ]);
  });
});

describe('conflict hints', () => {
  const hints: readonly (readonly [readonly number[], number, number, number, number])[] = [
    // follower's log, previous index and term of the append, hinted index and term
    [[1, 1, 1], 5, 2, 3, 1],
    [[1, 2, 3], 3, 2, 2, 2],
    [[1, 3, 3, 3], 4, 2, 1, 1],
    [[3, 3, 3], 3, 2, 0, 0],
    [[1, 1, 4, 4], 3, 3, 2, 1],
  ];
  for (const [log, index, logTerm, hintIndex, hintTerm] of hints) {
    it(`of a follower with [${log.join(' ')}] point at ${hintTerm}/${hintIndex} for an append at ${logTerm}/${index}`, () => {
      const [answer] = aNode({ log, term: 5 }).receive(MsgApp, '2', { index, logTerm });
      expect([answer?.reject, answer?.rejectHint, answer?.logTerm]).toEqual([true, hintIndex, hintTerm]);
    });
  }

  const probes: readonly (readonly [string, readonly number[], readonly number[], number])[] = [
    // leader's log (its empty entry follows), follower's log, probes until they agree
    ['the follower has a longer tail of a lower term', [1, 3, 3, 3, 5, 5, 5, 5, 5], [1, 1, 1, 1, 2, 2], 2],
    ['the follower has a longer tail of a higher term', [1, 3, 3, 3, 3, 3, 3, 3, 7], [1, 3, 3, 4, 4, 5, 5, 5, 6], 3],
    ['the follower is empty', [1, 1, 2, 2], [], 2],
    ['one term at a time', [1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 1, 1], 2],
    ['the leader has large terms only', [1, 5, 5, 5, 5, 5], [1, 2, 2, 3, 3, 4], 2],
    ['terms alternate', [1, 2, 2, 4, 4, 6], [1, 1, 3, 3, 5, 5], 4],
  ];
  for (const [what, ours, theirs, most] of probes) {
    it(`lead to agreement in at most ${most} probes when ${what}`, () => {
      const term = Math.max(...ours, ...theirs);
      const follower = aNode({ id: '2', voters: ['1', '2'], log: theirs, term });
      // Elected without the vote of that follower's log mattering here: a third one votes.
      const leader = aNode({ voters: ['1', '2', '3'], log: ours, term });
      leader.campaign();
      leader.send();
      let queue = leader.receive(MsgVoteResp, '3').filter(({ to }) => to === '2');
      let count = 0;
      while (queue.length > 0) {
        count += queue.filter(({ type }) => type === MsgApp).length;
        const answers = queue.flatMap((message) => {
          follower.step(message);
          return follower.send();
        });
        if (follower.lastIndex === leader.lastIndex && answers.every(({ reject }) => !reject)) break;
        queue = answers.flatMap((message) => {
          leader.step(message);
          return leader.send().filter(({ to }) => to === '2');
        });
      }
      expect(follower.logTerms()).toEqual([...ours, term + 1]);
      expect(count).toBeLessThanOrEqual(most);
    });
  }

  it('bring all followers of figure 7 to the log of the leader', () => {
    const logs: Readonly<Record<string, readonly number[]>> = {
      '1': [1, 1, 1, 4, 4, 5, 5, 6, 6, 6],
      '2': [1, 1, 1, 4, 4, 5, 5, 6, 6],
      '3': [1, 1, 1, 4],
      '4': [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
      '5': [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
      '6': [1, 1, 1, 4, 4, 4, 4],
      '7': [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
    };
    const voters = Object.keys(logs);
    const nodes = voters.map((id) => aNode({ id, voters, log: logs[id] ?? [], term: 7 }));
    const group = new TestGroup(nodes);
    group.campaign('1');
    expect(group.node('1').role).toBe('leader');
    for (const node of nodes) expect(node.logTerms()).toEqual([1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 8]);
  });

  it('that come late move nothing back', () => {
    const leader = aLeader();
    leader.propose([bytes('x')]);
    leader.receive(MsgAppResp, '2', { index: 2 });
    const before = leader.status().peers[1];
    expect(leader.receive(MsgAppResp, '2', { index: 1, reject: true, rejectHint: 0 })).toEqual([]);
    expect(leader.status().peers[1]).toEqual(before);
  });
});

describe('group', () => {
  it('brings a node that was away up to date', () => {
    const group = aGroup(3);
    group.campaign('1');
    group.isolate('3');
    for (let i = 0; i < 10; i++) group.node('1').propose([bytes(String(i))]);
    group.settle();
    group.heal();
    group.tick('1');
    const data = (node: TestNode) => node.applied.map((entry) => text(entry.data)).join('');
    group.tick('1');
    expect(group.nodes.map(data)).toEqual(['0123456789', '0123456789', '0123456789']);
  });

  it('replaces what an old leader wrote alone', () => {
    const group = aGroup(3);
    group.campaign('1');
    group.isolate('1');
    group.node('1').propose([bytes('lost'), bytes('lost')]);
    group.settle();
    group.campaign('2');
    group.node('2').propose([bytes('kept')]);
    group.settle();
    group.heal();
    group.tick('2');
    group.tick('2');
    expect(group.nodes.map((node) => node.applied.map((entry) => text(entry.data)).filter(Boolean))).toEqual([
      ['kept'],
      ['kept'],
      ['kept'],
    ]);
  });

  it('does not commit without a majority', () => {
    const group = aGroup(5);
    group.campaign('1');
    group.isolate('1', '2');
    group.node('1').propose([bytes('x')]);
    group.settle();
    expect(group.node('1').commitIndex).toBe(1);
    group.heal();
    group.tick('1');
    expect(group.node('1').commitIndex).toBe(2);
  });
});

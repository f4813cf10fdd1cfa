/** Pre-vote (Ongaro's thesis §9.6): asking whether an election could be won, before disturbing anybody. */
import { describe, expect, it } from 'vitest';
import { MessageType } from '../src/types.ts';
import { aGroup } from './kit/group.ts';
import { aNode, ELECTION_TICKS } from './kit/node.ts';

const { MsgApp, MsgHeartbeat, MsgPreVote, MsgPreVoteResp, MsgVote, MsgVoteResp, MsgAppResp } = MessageType;

describe('pre-vote', () => {
  it('changes neither term nor vote of the asker', () => {
    const node = aNode({ term: 3, preVote: true, log: [1, 2] });
    node.campaign();
    expect([node.role, node.term, node.inside.vote]).toEqual(['pre-candidate', 3, '0']);
    const asked = node.send();
    expect(asked.map(({ type, term, index, logTerm }) => [type, term, index, logTerm])).toEqual([
      [MsgPreVote, 4, 2, 2],
      [MsgPreVote, 4, 2, 2],
    ]);
  });

  it('changes neither term nor vote nor timeout of the asked, who answers in the term asked for', () => {
    const node = aNode({ term: 3, log: [1, 2] });
    node.ticks(4);
    const [answer] = node.receive(MsgPreVote, '2', { term: 9, index: 2, logTerm: 2 });
    expect([answer?.type, answer?.term, answer?.reject]).toEqual([MsgPreVoteResp, 9, false]);
    expect([node.term, node.inside.vote, node.inside.electionElapsed]).toEqual([3, '0', 4]);
    const [second] = node.receive(MsgPreVote, '3', { term: 9, index: 2, logTerm: 2 });
    expect(second?.reject).toBe(false);
  });

  it('is refused to a candidate with an older log, in the own term', () => {
    const node = aNode({ term: 3, log: [1, 2] });
    const [answer] = node.receive(MsgPreVote, '2', { term: 9, index: 1, logTerm: 1 });
    expect([answer?.reject, answer?.term]).toEqual([true, 3]);
  });

  it('becomes an election when a majority would vote', () => {
    const node = aNode({ term: 3, preVote: true });
    node.campaign();
    node.send();
    const asked = node.receive(MsgPreVoteResp, '2', { term: 4 });
    expect([node.role, node.term, node.inside.vote]).toEqual(['candidate', 4, '1']);
    expect(asked.every(({ type, term }) => type === MsgVote && term === 4)).toBe(true);
    node.receive(MsgVoteResp, '3');
    expect(node.role).toBe('leader');
  });

  it('is given up when a majority would not', () => {
    const node = aNode({ term: 3, preVote: true });
    node.campaign();
    node.send();
    node.receive(MsgPreVoteResp, '2', { term: 3, reject: true });
    node.receive(MsgPreVoteResp, '3', { term: 3, reject: true });
    expect([node.role, node.term]).toEqual(['follower', 3]);
  });

  it('makes the asker step down to the higher term of a refusal', () => {
    const node = aNode({ term: 3, preVote: true });
    node.campaign();
    node.send();
    node.receive(MsgPreVoteResp, '2', { term: 7, reject: true });
    expect([node.role, node.term]).toEqual(['follower', 7]);
  });

  it('does not count its own pre-vote in the election that followed', () => {
    const node = aNode({ term: 3, preVote: true, voters: ['1', '2', '3', '4', '5'] });
    node.campaign();
    node.ready();
    for (const id of ['2', '3', '4']) node.take(MsgPreVoteResp, id, { term: 4 });
    expect(node.role).toBe('candidate');
    node.take(MsgVoteResp, '2');
    // The own pre-vote becomes durable only now.
    node.advance();
    node.send();
    expect(node.role).toBe('candidate');
    node.take(MsgPreVoteResp, '5', { term: 4 });
    expect(node.role).toBe('candidate');
  });

  it('refuses a pre-vote of a lower term, so that the asker learns the term', () => {
    const node = aNode({ term: 5 });
    const [answer] = node.receive(MsgPreVote, '2', { term: 2, index: 9, logTerm: 9 });
    expect([answer?.type, answer?.reject, answer?.term]).toEqual([MsgPreVoteResp, true, 5]);
  });

  it('does not let a node that was cut off disturb the group when it comes back', () => {
    const group = aGroup(3, { preVote: true });
    group.campaign('1');
    group.isolate('3');
    group.tick('3', 5 * ELECTION_TICKS);
    expect([group.node('3').role, group.node('3').term]).toEqual(['pre-candidate', 1]);
    group.node('1').propose([new Uint8Array(1)]);
    group.settle();
    group.heal();
    group.tick('3', 2 * ELECTION_TICKS);
    group.tick('1');
    expect(group.roles()).toEqual(['leader', 'follower', 'follower']);
    expect(group.nodes.map((node) => node.term)).toEqual([1, 1, 1]);
  });

  it('elects in a group where only some nodes use it', () => {
    for (const withPreVote of [['1'], ['2', '3'], ['1', '2']]) {
      const group = aGroup(3, (id) => ({ preVote: withPreVote.includes(id) }));
      group.campaign('1');
      expect(group.roles()).toEqual(['leader', 'follower', 'follower']);
      group.isolate('1');
      group.tick('3', 2 * ELECTION_TICKS);
      expect(group.node('3').role).toBe('leader');
    }
  });

  it('frees a stuck node with a higher term by answering the leader of a lower one', () => {
    for (const settings of [{ preVote: true }, { checkQuorum: true }]) {
      for (const type of [MsgApp, MsgHeartbeat]) {
        const node = aNode({ ...settings, term: 5 });
        const [answer] = node.receive(type, '2', { term: 3 });
        expect([answer?.type, answer?.term, answer?.index]).toEqual([MsgAppResp, 5, 0]);
      }
    }
    expect(aNode({ term: 5 }).receive(MsgApp, '2', { term: 3 })).toEqual([]);
  });

  it('resolves split pre-votes', () => {
    const group = aGroup(3, { preVote: true });
    group.campaign('1');
    group.isolate('1');
    // Both stand at once and refuse nothing, as pre-votes bind nobody.
    group.node('2').campaign();
    group.node('3').campaign();
    group.settle();
    for (let i = 0; i < 10 && !group.roles().slice(1).includes('leader'); i++) {
      group.tick('2', ELECTION_TICKS / 2);
      group.tick('3', ELECTION_TICKS / 2);
    }
    expect(group.roles().slice(1)).toContain('leader');
  });
});

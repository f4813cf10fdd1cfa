import { describe, expect, it } from 'vitest';
import { ConfChangeType, EntryType, MessageType } from '../../src/types.ts';
import type { ConfState, PeerId } from '../../src/types.ts';
import { newMessage } from '../../src/messages.ts';
import { Group, HeldLog, threeNodes, text, change, settled } from './group.ts';
import type { Peer } from './group.ts';

describe('three nodes', () => {
  it('elect one leader, who sends the proposals of one turn in one message', async () => {
    const group = await threeNodes();
    const [id, leader] = await group.leader();
    expect([...group.peers.values()].filter((peer) => peer.node.isLeader)).toHaveLength(1);
    await group.tick(2);
    group.sent.length = 0;
    for (let i = 0; i < 50; i++) leader.node.propose(text(`text ${String(i)}`));
    await group.run();
    const appends = group.sent.filter((message) => message.type === MessageType.MsgApp && message.entries.length > 0);
    expect(appends.map((message) => message.entries.length)).toEqual([50, 50]);
    await group.tick();
    for (const peer of group.peers.values()) {
      expect(peer.machine.texts).toHaveLength(50);
      expect(peer.node.leader).toBe(id);
      expect(peer.log.initialState().hardState).toMatchObject({ term: leader.node.status()?.hardState.term });
    }
    const votes = [...group.peers.values()].filter((peer) => peer.log.initialState().hardState.vote === id);
    expect(votes.length).toBeGreaterThanOrEqual(2);
    for (const peer of group.peers.values()) {
      expect(peer.log.lastIndex()).toBe(leader.log.lastIndex());
    }
  });

  it('do not let the leader wait for its own disk, but those that have nothing else to do', async () => {
    const group = await threeNodes();
    const [id, { node, log }] = await group.leader();
    const logs = [...group.peers].map(([peer, { log: own }]) => ({ peer, own }));
    for (const { own } of logs) own.waits = 0;
    node.propose(text('a'));
    await group.run();
    expect(log.waits).toBe(0);
    for (const { peer, own } of logs.filter((other) => other.peer !== id)) expect([peer, own.waits]).toEqual([peer, 1]);
  });

  it('refuse proposals where they do not lead, and name the leader', async () => {
    const group = await threeNodes();
    expect(group.get('1').node.propose(text('a'))).toEqual({ ok: false, reason: 'no-leader', leader: '0' });
    const [id] = await group.leader();
    await group.tick();
    const follower = [...group.peers].find(([peer]) => peer !== id)?.[1] as Peer;
    expect(follower.node.propose(text('a'))).toEqual({ ok: false, reason: 'not-leader', leader: id });
    const changed = settled(follower.node.proposeConfChange(change([ConfChangeType.RemoveNode, '3'])));
    await group.run();
    expect(changed.result).toContain('not-leader');
  });

  it('announce leadership only when entries of earlier terms are applied', async () => {
    const group = await threeNodes();
    const [id, leader] = await group.leader();
    leader.node.propose(text('old'));
    await group.run();
    const next = [...group.peers].find(([peer]) => peer !== id) as [PeerId, Peer];
    // The old leader disappears; the next one must first commit in its own term.
    group.delivers = (message) => message.from !== id && message.to !== id && message.type !== MessageType.MsgApp;
    for (
      let i = 0;
      i < 100 && [...group.peers].every(([peer, { node }]) => peer === id || node.status()?.role !== 'leader');
      i++
    )
      await group.tick();
    const [, elected] = [...group.peers].find(
      ([peer, { node }]) => peer !== id && node.status()?.role === 'leader',
    ) as [PeerId, Peer];
    expect(elected.node.isLeader).toBe(false);
    expect(elected.node.propose(text('new'))).toMatchObject({ ok: false, reason: 'leader-not-ready' });
    group.delivers = (message) => message.from !== id && message.to !== id;
    await group.leader();
    for (let i = 0; i < 30 && !elected.node.isLeader; i++) await group.tick();
    expect([...group.peers].filter(([peer, { node }]) => peer !== id && node.isLeader)).toHaveLength(1);
    expect(elected.machine.texts).toEqual(['old']);
    expect(next).toBeDefined();
    expect(leader.events.at(-1)).toMatch(/^leads no more/);
  });

  it('confirm all reads that wait with one round of heartbeats', async () => {
    const group = await threeNodes();
    const [, leader] = await group.leader();
    leader.node.propose(text('a'));
    await group.run();
    await group.tick();
    group.sent.length = 0;
    const reads = Array.from({ length: 20 }, () => settled(leader.node.readIndex()));
    await group.run();
    expect(reads.every((read) => read.result === leader.node.appliedIndex)).toBe(true);
    expect(group.sent.filter((message) => message.type === MessageType.MsgHeartbeat)).toHaveLength(2);
  });

  it('serve reads of a follower, which waits until it has applied them', async () => {
    const group = await threeNodes();
    const [id, leader] = await group.leader();
    await group.tick();
    const [otherId, follower] = [...group.peers].find(([peer]) => peer !== id) as [PeerId, Peer];
    group.delivers = (message) => !(message.to === otherId && message.type === MessageType.MsgApp);
    leader.node.propose(text('a'));
    await group.run();
    const read = settled(follower.node.readIndex());
    await group.run();
    expect(read.result).toBeUndefined();
    group.delivers = () => true;
    await group.tick(3);
    expect(read.result).toBe(leader.node.appliedIndex);
    expect(follower.machine.texts).toEqual(['a']);
  });

  it('refuse reads when no leader answers', async () => {
    const group = await threeNodes();
    const [, leader] = await group.leader();
    group.delivers = () => false;
    const read = settled(leader.node.readIndex());
    await group.tick(5);
    expect(read.result).toBeUndefined();
    await group.tick(30);
    expect(read.result).toContain('no-leader');
  });

  it('refuse what waits for a leadership that was lost', async () => {
    const group = await threeNodes();
    const [, leader] = await group.leader();
    group.delivers = () => false;
    const changed = settled(leader.node.proposeConfChange(change([ConfChangeType.AddLearnerNode, '4'])));
    await group.tick(40);
    expect(changed.result).toContain('leadership-lost');
    expect(leader.events.at(-1)).toMatch(/^leads no more/);
  });

  it('take one configuration change at a time', async () => {
    const group = await threeNodes();
    const [, leader] = await group.leader();
    await group.tick();
    const first = settled(leader.node.proposeConfChange(change([ConfChangeType.AddLearnerNode, '4'])));
    const second = settled(leader.node.proposeConfChange(change([ConfChangeType.AddLearnerNode, '5'])));
    await group.tick(3);
    expect((first.result as ConfState).learners).toEqual(['4']);
    expect(second.result).toContain('change-not-now');
  });

  it('resolve a joint change when the joint configuration is left', async () => {
    const group = await threeNodes();
    const [id, leader] = await group.leader();
    await group.tick();
    const gone = [...group.peers.keys()].find((peer) => peer !== id) as PeerId;
    await group.add('4');
    const changed = settled(
      leader.node.proposeConfChange(change([ConfChangeType.AddNode, '4'], [ConfChangeType.RemoveNode, gone])),
    );
    await group.tick(5);
    const expected = ['1', '2', '3', '4'].filter((peer) => peer !== gone);
    expect(changed.result).toMatchObject({ voters: expected, votersOutgoing: [] });
    expect(leader.events).toContain(`voters ${expected.join()} joint`);
    expect(leader.events.at(-1)).toBe(`${gone} removed`);
    leader.node.propose(text('a'));
    await group.tick(3);
    expect(group.get('4').machine.texts).toEqual(['a']);
  });

  it('let a leader that is removed step down', async () => {
    const group = await threeNodes();
    const [id, leader] = await group.leader();
    await group.tick();
    const changed = settled(leader.node.proposeConfChange(change([ConfChangeType.RemoveNode, id])));
    await group.tick(3);
    expect((changed.result as ConfState).voters).not.toContain(id);
    expect(leader.events).toContain(`${id} removed`);
    expect(leader.node.isLeader).toBe(false);
    group.peers.delete(id);
    leader.node.stop();
    const [next] = await group.leader();
    expect(next).not.toBe(id);
  });

  it('hand leadership over, and say so when it fails', async () => {
    const group = await threeNodes();
    const [id, leader] = await group.leader();
    await group.tick();
    const to = [...group.peers.keys()].find((peer) => peer !== id) as PeerId;
    const unknown = settled(leader.node.transferLeadership('9'));
    group.delivers = (message) => message.to !== to;
    const lost = settled(leader.node.transferLeadership(to));
    expect(leader.node.propose(text('a'))).toMatchObject({ ok: false, reason: 'transferring' });
    await group.tick(15);
    expect(unknown.result).toContain('transfer-failed');
    expect(lost.result).toContain('transfer-failed');
    group.delivers = () => true;
    const [now, again] = await group.leader();
    await group.tick(3);
    const target = [...group.peers.keys()].find((peer) => peer !== now) as PeerId;
    let isDone = false;
    void again.node.transferLeadership(target).then(() => {
      isDone = true;
    });
    await group.tick(3);
    expect(isDone).toBe(true);
    expect(group.get(target).node.isLeader).toBe(true);
  });

  it('say that a transfer failed when the leader stepped down for a successor that then fell silent', async () => {
    const group = await threeNodes();
    const [id, leader] = await group.leader();
    await group.tick();
    const to = [...group.peers.keys()].find((peer) => peer !== id) as PeerId;
    const isVote = (type: MessageType): boolean =>
      type === MessageType.MsgVoteResp || type === MessageType.MsgPreVoteResp;
    group.delivers = (message) =>
      [id, to].includes(message.to) && [id, to].includes(message.from) && !isVote(message.type);
    const lost = settled(leader.node.transferLeadership(to));
    await group.tick(5);
    expect(leader.node.isLeader).toBe(false);
    expect(lost.result).toBeUndefined();
    await group.tick(20);
    expect(lost.result).toContain('transfer-failed');
  });

  it('give leadership away when the leader has no room on its disk', async () => {
    const group = await threeNodes();
    const [id, leader] = await group.leader();
    await group.tick(2);
    leader.log.isDiskFull = true;
    await group.tick(5);
    expect(leader.node.isLeader).toBe(false);
    expect((await group.leader())[0]).not.toBe(id);
  });

  it('discard entries that wait to be applied when a snapshot overtakes them', async () => {
    const group = await threeNodes({ snapshotEntries: 5, trailingEntries: 0 });
    const [id, leader] = await group.leader();
    await group.tick();
    const [behindId, behind] = [...group.peers].find(([peer]) => peer !== id) as [PeerId, Peer];
    // Its disk is slow: the change is durable there and committed, but has to wait for the commit index to be durable.
    behind.log.isHolding = true;
    const changed = settled(leader.node.proposeConfChange(change([ConfChangeType.AddLearnerNode, '7'])));
    await group.tick(2);
    expect((changed.result as ConfState).learners).toEqual(['7']);
    behind.log.held.shift()?.();
    await group.run();
    expect(behind.log.batches.some((batch) => batch.sync === true && batch.entries === undefined)).toBe(true);
    expect(behind.node.confState?.learners).toEqual([]);
    group.delivers = (message) => message.to !== behindId;
    for (let i = 0; i < 20; i++) {
      leader.node.propose(text(`text ${String(i)}`));
      await group.run();
    }
    leader.node.reportUnreachable(behindId);
    group.delivers = () => true;
    await group.tick(3);
    expect(behind.log.batches.some((batch) => batch.snapshot !== undefined)).toBe(true);
    behind.log.release();
    await group.tick(10);
    expect(behind.errors).toEqual([]);
    expect(behind.events.some((event) => event.startsWith('restored'))).toBe(true);
    expect(behind.machine.texts).toEqual(leader.machine.texts);
    expect(behind.node.confState?.learners).toEqual(['7']);
  });

  it('ignore the message of a snapshot whose content did not arrive', async () => {
    const group = await threeNodes();
    const [id] = await group.leader();
    const [to, follower] = [...group.peers].find(([peer]) => peer !== id) as [PeerId, Peer];
    const confState = follower.node.confState as ConfState;
    const snapshot = { data: new Uint8Array(0), metadata: { index: 500, term: 2, confState } };
    follower.node.step(
      newMessage({
        type: MessageType.MsgSnap,
        from: id,
        to,
        term: follower.node.status()?.hardState.term ?? 0,
        snapshot,
      }),
    );
    await group.run();
    expect(follower.errors).toEqual([]);
    expect(follower.log.snapshot().metadata.index).toBe(0);
  });

  it('pass over a configuration change that nobody can read', async () => {
    const group = new Group();
    const log = new HeldLog(group.defer);
    const entry = { type: EntryType.ConfChange, term: 1, index: 2, data: new Uint8Array([255, 255]) };
    const first = await group.add('1', { bootstrap: [{ id: '1' }], log });
    first.node.stop();
    log.append(
      {
        entries: [{ ...entry, index: log.lastIndex() + 1, term: 2 }],
        hardState: { term: 2, vote: '1', commit: log.lastIndex() + 1 },
      },
      () => undefined,
    );
    const again = await group.add('1', { log });
    expect(again.errors).toEqual([]);
    expect(again.node.isLeader).toBe(true);
  });
});

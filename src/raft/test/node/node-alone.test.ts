import { describe, expect, it } from 'vitest';
import { ConfChangeType } from '../../src/types.ts';
import type { ConfState } from '../../src/types.ts';
import { oneNode, text, change, settled } from './group.ts';

describe('a node alone', () => {
  it('leads at once, without waiting for an election timeout', async () => {
    const [group, { node, events }] = await oneNode();
    expect(node.isLeader).toBe(true);
    expect(events).toEqual(['voters 1', 'leads in 2']);
    expect(group.sent).toEqual([]);
  });

  it('tells index and term of a proposal before it is written, and applies in order', async () => {
    const [group, { node, machine, log }] = await oneNode();
    const results = ['a', 'b', 'c'].map((value) => node.propose(text(value)));
    expect(results).toEqual([3, 4, 5].map((index) => ({ ok: true, index, term: 2 })));
    expect(machine.texts).toEqual([]);
    await group.run();
    expect(machine.texts).toEqual(['a', 'b', 'c']);
    // All of one turn in one write.
    expect(log.batches.filter((batch) => (batch.entries?.length ?? 0) === 3)).toHaveLength(1);
  });

  it('does not apply what is not durable', async () => {
    const [group, { node, machine, log }] = await oneNode();
    log.isHolding = true;
    node.propose(text('a'));
    await group.run();
    expect(machine.texts).toEqual([]);
    log.release();
    await group.run();
    expect(machine.texts).toEqual(['a']);
  });

  it('waits for a lone write and applies it in the same turn, if the disk is quick', async () => {
    const [group, { node, machine, log }] = await oneNode();
    log.isHolding = true;
    log.isQuick = true;
    log.waits = 0;
    node.propose(text('a'));
    await group.run();
    expect([log.waits, machine.texts]).toEqual([1, ['a']]);
    log.release();
    await group.run();
    log.isHolding = true;
    log.isQuick = false;
    node.propose(text('b'));
    await group.run();
    expect([log.waits, machine.texts]).toEqual([2, ['a']]);
    log.release();
    await group.run();
    expect(machine.texts).toEqual(['a', 'b']);
  });

  it('goes on with other work while several writes are under way', async () => {
    const [group, { node, log }] = await oneNode();
    log.isHolding = true;
    log.waits = 0;
    for (const value of ['a', 'b']) node.propose(text(value));
    await group.run();
    node.propose(text('c'));
    await group.run();
    expect(log.waits).toBe(0);
  });

  it('asks to try again when too many bytes wait', async () => {
    const [group, { node, log }] = await oneNode({ maxUncommittedBytes: 100 });
    log.isHolding = true;
    expect(node.propose(new Uint8Array(1000)).ok).toBe(true);
    expect(node.propose(new Uint8Array(1))).toEqual({ ok: false, reason: 'uncommitted-limit', leader: '1' });
    expect(node.propose(new Uint8Array(0)).ok).toBe(true);
    await group.run();
    expect(node.propose(new Uint8Array(1)).ok).toBe(false);
    log.release();
    await group.run();
    expect(node.propose(new Uint8Array(60)).ok).toBe(true);
    expect(node.propose(new Uint8Array(60)).ok).toBe(false);
  });

  it('starts again from its snapshot and the log behind it', async () => {
    const [group, first] = await oneNode({ snapshotEntries: 10, trailingEntries: 3 });
    for (let i = 0; i < 25; i++) {
      first.node.propose(text(`text ${String(i)}`));
      await group.run();
    }
    const snapshotIndex = first.log.snapshot().metadata.index;
    expect(snapshotIndex).toBeGreaterThan(15);
    expect(first.log.firstIndex()).toBe(snapshotIndex - 2);
    first.node.stop();
    const again = await group.add('1', { log: first.log });
    await group.leader();
    expect(again.machine.texts).toEqual(first.machine.texts);
    expect(again.events).toEqual(['leads in 3']);
  });

  it('makes snapshots as often as it is told while it runs', async () => {
    const [group, { node, log }] = await oneNode({ snapshotEntries: 1_000, trailingEntries: 500 });
    const write = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        node.propose(text(`text ${String(i)}`));
        await group.run();
      }
    };
    await write(20);
    expect(log.snapshot().metadata.index).toBe(0);
    node.setSnapshotPolicy({ snapshotEntries: 5 });
    await write(1);
    const first = log.snapshot().metadata.index;
    expect(first).toBeGreaterThan(20);
    expect(log.firstIndex()).toBe(1);
    node.setSnapshotPolicy({ trailingEntries: 2 });
    await write(5);
    expect(log.snapshot().metadata.index).toBe(first + 5);
    expect(log.firstIndex()).toBe(first + 5 - 1);
  });

  it('makes a snapshot on request', async () => {
    const [group, { node, log }] = await oneNode();
    node.propose(text('a'));
    node.requestSnapshot();
    await group.run();
    await group.tick();
    expect(log.snapshot().metadata.index).toBeGreaterThan(0);
  });

  it('takes the view of a snapshot before anything more is applied', async () => {
    const [group, { node, log, machine }] = await oneNode({ snapshotEntries: 3 });
    for (let i = 0; i < 10; i++) node.propose(text(`text ${String(i)}`));
    await group.run();
    const { metadata } = log.snapshot();
    for await (const chunk of (await log.openSnapshot(metadata)).chunks()) {
      expect(JSON.parse(Buffer.from(chunk).toString())).toMatchObject({ applied: metadata.index });
    }
    expect(machine.texts).toHaveLength(10);
  });

  it('refuses proposals while the disk is full', async () => {
    const [group, { node, log }] = await oneNode();
    log.isDiskFull = true;
    await group.tick(30);
    expect(node.propose(text('a'))).toEqual({ ok: false, reason: 'disk-full', leader: '1' });
    log.isDiskFull = false;
    expect(node.propose(text('a')).ok).toBe(true);
  });

  it('stops when the state machine fails', async () => {
    const [group, { node, machine, errors, events }] = await oneNode();
    machine.apply = () => {
      throw new Error('defect');
    };
    const read = settled(node.readIndex());
    node.propose(text('a'));
    await group.run();
    expect(errors.map((error) => error.message)).toEqual(['defect']);
    expect(node.propose(text('b'))).toMatchObject({ ok: false, reason: 'stopped' });
    expect(events.at(-1)).toBe('leads no more in 2');
    expect(read.result).toBe(2);
  });

  it('refuses what waits when it is stopped', async () => {
    const [group, { node, log }] = await oneNode();
    log.isHolding = true;
    const changed = settled(node.proposeConfChange(change([ConfChangeType.AddLearnerNode, '2'])));
    await group.run();
    node.stop();
    const read = settled(node.readIndex());
    await group.run();
    expect(changed.result).toContain('stopped');
    expect(read.result).toContain('stopped');
  });

  it('makes a commit index durable before it applies a configuration change', async () => {
    const [group, { node, log }] = await oneNode();
    log.isHolding = true;
    const changed = settled(node.proposeConfChange(change([ConfChangeType.AddLearnerNode, '2'])));
    await group.run();
    // The entry becomes durable, and so committed; the commit index does not become durable yet.
    for (const task of log.held.splice(0)) task();
    await group.run();
    expect(node.status()?.hardState.commit).toBe(3);
    expect(log.durableCommit).toBe(2);
    expect(node.confState?.learners).toEqual([]);
    log.release();
    await group.run();
    expect(log.durableCommit).toBe(3);
    expect((changed.result as ConfState).learners).toEqual(['2']);
  });

  it('makes no snapshot while part of a page is applied, which raft may still have to read', async () => {
    const [group, { node, log }] = await oneNode({ snapshotEntries: 2, trailingEntries: 0 });
    await group.run();
    const before = log.snapshot().metadata.index;
    log.isHolding = true;
    for (const value of ['a', 'b', 'c']) node.propose(text(value));
    void node.proposeConfChange(change([ConfChangeType.AddLearnerNode, '2']));
    await group.run();
    for (const task of log.held.splice(0)) task();
    await group.run();
    expect(node.appliedIndex).toBe(5);
    expect(log.snapshot().metadata.index).toBe(before);
    log.release();
    await group.run();
    expect(log.snapshot().metadata.index).toBe(6);
  });

  it('refuses to remove the last voter', async () => {
    const [group, { node }] = await oneNode();
    const changed = settled(node.proposeConfChange(change([ConfChangeType.RemoveNode, '1'])));
    await group.run();
    expect(changed.result).toContain('invalid-change');
  });
});

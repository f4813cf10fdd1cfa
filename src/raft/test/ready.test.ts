/** What a node hands out to be written, sent and applied, and how it takes a snapshot. */
import { describe, expect, it } from 'vitest';
import { APPEND_THREAD, APPLY_THREAD, MessageType } from '../src/types.ts';
import type { Message } from '../src/types.ts';
import type { MemoryStorage } from '../src/memory-storage.ts';
import { aLeader, aNode, bytes, config, entries, places, snapshotAt } from './kit/node.ts';

const { MsgApp, MsgAppResp, MsgSnap, MsgStorageAppend, MsgStorageAppendResp, MsgStorageApply, MsgStorageApplyResp } =
  MessageType;

describe('ready', () => {
  it('shows what changed, once', () => {
    const node = aNode({ voters: ['1'] });
    expect(node.hasReady()).toBe(false);
    node.campaign();
    const first = node.ready();
    expect([first.softState, first.hardState, first.mustSync]).toEqual([
      { role: 'candidate', leader: '0' },
      { term: 1, vote: '1', commit: 0 },
      true,
    ]);
    expect(() => node.ready()).toThrow(/without advance/);
    node.advance();
    const second = node.ready();
    expect([second.softState?.role, second.hardState, places(second.entries)]).toEqual(['leader', undefined, ['1/1']]);
    node.storage.append(second.entries);
    node.advance();
    const third = node.ready();
    // Only the commit index changed: no need to wait for the disk.
    expect([third.hardState?.commit, third.mustSync, places(third.committedEntries)]).toEqual([1, false, ['1/1']]);
    node.advance();
    expect(node.hasReady()).toBe(false);
  });

  it('hands entries out again after a restart from where they were applied', () => {
    const node = aNode({ log: [1, 1, 1], term: 1, commit: 3, applied: 1 });
    expect(places(node.work().applied)).toEqual(['1/2', '1/3']);
  });

  it('refuses to start from storage that contradicts itself', () => {
    expect(() => aNode({ log: [1], term: 1, commit: 2 })).toThrow(/out of range/);
    const prepare = (storage: MemoryStorage) => void storage.applySnapshot(snapshotAt(5));
    expect(() => aNode({ prepare, term: 1, commit: 4 })).toThrow(/before a snapshot/);
  });

  it('refuses configurations that make no sense, naming the field', () => {
    const broken = [
      [{ id: '0' }, /id/],
      [{ heartbeatTicks: 0 }, /heartbeatTicks/],
      [{ electionTicks: 1 }, /electionTicks/],
      [{ maxInflightMessages: 0 }, /maxInflightMessages/],
      [{ maxMessageBytes: 100, maxInflightBytes: 50 }, /maxInflightBytes/],
      [{ maxCommittedBytesPerReady: 0 }, /maxCommittedBytesPerReady/],
      [{ applied: -1 }, /applied/],
    ] as const;
    for (const [settings, text] of broken) expect(() => aNode(settings)).toThrow(text);
  });

  it('has no advance with async storage writes', () => {
    expect(() => aNode({ asyncStorageWrites: true }).advance()).toThrow(/async/);
  });
});

describe('async storage writes', () => {
  const storage = (messages: readonly Message[], to: string) => messages.filter((message) => message.to === to);

  it('ask for one write and one apply per ready, after all other messages', () => {
    const leader = aLeader({ voters: ['1'] });
    expect(leader.inside.config.asyncStorageWrites).toBe(false);
    const node = aNode({ voters: ['1'], asyncStorageWrites: true });
    node.campaign();
    const [vote] = node.ready().messages;
    expect(vote).toMatchObject({ type: MsgStorageAppend, to: APPEND_THREAD, term: 1, vote: '1' });
    node.storage.setHardState({ term: 1, vote: '1', commit: 0 });
    for (const response of vote?.responses ?? []) node.step(response);
    expect(node.role).toBe('leader');
    const [write] = node.ready().messages;
    expect(write?.responses.map(({ type }) => type)).toEqual([MsgAppResp, MsgStorageAppendResp]);
    node.storage.append(write?.entries ?? []);
    for (const response of write?.responses ?? []) node.step(response);
    const { messages } = node.ready();
    expect(messages.map(({ type, to }) => [type, to])).toEqual([
      [MsgStorageAppend, APPEND_THREAD],
      [MsgStorageApply, APPLY_THREAD],
    ]);
    expect(node.appliedIndex).toBe(0);
    for (const response of messages[1]?.responses ?? []) {
      expect(response).toMatchObject({ type: MsgStorageApplyResp, term: 0, from: APPLY_THREAD });
      node.step(response);
    }
    expect(node.appliedIndex).toBe(1);
  });

  it('hand out only durable entries to be applied', () => {
    const node = aNode({ asyncStorageWrites: true, term: 1 });
    node.take(MsgApp, '2', { entries: entries([1, 1]), commit: 2 });
    const first = node.ready().messages;
    expect([node.commitIndex, storage(first, APPLY_THREAD)]).toEqual([2, []]);
    const [write] = storage(first, APPEND_THREAD);
    node.storage.append(write?.entries ?? []);
    for (const response of write?.responses.filter(({ to }) => to === '1') ?? []) node.step(response);
    const [apply] = storage(node.ready().messages, APPLY_THREAD);
    expect(places(apply?.entries ?? [])).toEqual(['1/1', '1/2']);
  });

  it('do not take a late acknowledgement for one of entries that replaced the written ones', () => {
    const node = aNode({ asyncStorageWrites: true, term: 1, log: [1] });
    node.take(MsgApp, '2', { index: 1, logTerm: 1, entries: entries([1, 1], 2) });
    const [first] = storage(node.ready().messages, APPEND_THREAD);
    const late = first?.responses.find(({ type }) => type === MsgStorageAppendResp);
    // A new leader replaces them, then another one brings the old ones back, all while the first write is on its way.
    node.take(MsgApp, '3', { term: 2, index: 1, logTerm: 1, entries: entries([2], 2) });
    node.ready();
    node.take(MsgApp, '2', { term: 3, index: 1, logTerm: 1, entries: entries([1, 1], 2) });
    expect(late).toMatchObject({ index: 3, logTerm: 1, term: 1 });
    if (late !== undefined) node.step(late);
    expect([node.inside.log.unstable.offset, node.inside.log.unstable.entries.length]).toEqual([2, 2]);
    const [again] = storage(node.ready().messages, APPEND_THREAD);
    expect(places(again?.entries ?? [])).toEqual(['1/2', '1/3']);
  });

  it('acknowledge a snapshot whatever the term is by then', () => {
    const node = aNode({ asyncStorageWrites: true, term: 1 });
    node.take(MsgSnap, '2', { snapshot: snapshotAt(5) });
    const [write] = storage(node.ready().messages, APPEND_THREAD);
    expect(write?.snapshot?.metadata.index).toBe(5);
    const late = write?.responses.find(({ type }) => type === MsgStorageAppendResp);
    node.take(MsgApp, '3', { term: 2, index: 5, logTerm: 1 });
    node.storage.applySnapshot(snapshotAt(5));
    if (late !== undefined) node.step(late);
    expect([node.appliedIndex, node.inside.log.unstable.snapshot]).toEqual([5, undefined]);
  });

  it('can be pipelined: more is handed out while a write is on its way', () => {
    const node = aNode({ asyncStorageWrites: true, term: 1 });
    node.take(MsgApp, '2', { entries: entries([1]) });
    const first = storage(node.ready().messages, APPEND_THREAD);
    node.take(MsgApp, '2', { index: 1, logTerm: 1, entries: entries([1], 2) });
    const second = storage(node.ready().messages, APPEND_THREAD);
    expect([...first, ...second].map((message) => places(message.entries))).toEqual([['1/1'], ['1/2']]);
    expect(second[0]?.responses.at(-1)).toMatchObject({ type: MsgStorageAppendResp, index: 2, logTerm: 1 });
  });
});

describe('restoring a snapshot', () => {
  it('replaces log and configuration and is acknowledged when it is durable', () => {
    const node = aNode({ log: [1, 1], term: 2, commit: 1, applied: 1 });
    node.take(MsgSnap, '2', {
      snapshot: { data: bytes(''), metadata: { index: 9, term: 2, confState: config({ voters: ['1', '2'] }) } },
    });
    const ready = node.ready();
    expect([ready.snapshot?.metadata.index, ready.hardState?.commit, node.confState.voters]).toEqual([
      9,
      9,
      ['1', '2'],
    ]);
    expect(ready.messages.map(({ type, index }) => [type, index])).toEqual([[MsgAppResp, 9]]);
    if (ready.snapshot !== undefined) node.storage.applySnapshot(ready.snapshot);
    node.advance();
    expect([node.appliedIndex, node.lastIndex]).toEqual([9, 9]);
  });

  it('is not done for one that is old', () => {
    const node = aNode({ log: [1, 1, 1], term: 1, commit: 3 });
    const [answer] = node.receive(MsgSnap, '2', { snapshot: snapshotAt(2) });
    expect([answer?.index, node.lastIndex, node.storage.snapshot().metadata.index]).toEqual([3, 3, 0]);
  });

  it('ignores an old one also when its own log no longer reaches back there', () => {
    const prepare = (storage: MemoryStorage): void => void storage.applySnapshot(snapshotAt(10));
    const node = aNode({ term: 1, commit: 10, applied: 10, prepare });
    const [answer] = node.receive(MsgSnap, '2', { snapshot: snapshotAt(5) });
    expect([answer?.index, node.inside.log.committed, node.lastIndex]).toEqual([10, 10, 10]);
  });

  it('only commits if the log has all of it already', () => {
    const node = aNode({ log: [1, 1, 1, 1], term: 1, commit: 1 });
    const [answer] = node.receive(MsgSnap, '2', { snapshot: snapshotAt(3) });
    expect([node.commitIndex, node.lastIndex, answer?.index]).toEqual([3, 4, 3]);
  });

  it('replaces a log that has another entry there', () => {
    const node = aNode({ log: [1, 1, 1, 1], term: 2, commit: 1 });
    node.receive(MsgSnap, '2', { snapshot: snapshotAt(3, 2) });
    expect([node.lastIndex, node.inside.log.term(3)]).toEqual([3, 2]);
  });

  it('is not done by a node that is not a member there, nor without a snapshot', () => {
    const node = aNode({ id: '9', voters: ['9'], term: 1 });
    const [answer] = node.receive(MsgSnap, '2', { snapshot: snapshotAt(5) });
    expect([node.lastIndex, answer?.index]).toEqual([0, 0]);
    expect(node.receive(MsgSnap, '2')).toHaveLength(1);
  });

  it('makes a learner of a node that the snapshot has as one, also in a joint configuration', () => {
    const confState = config({ voters: ['2', '3'], votersOutgoing: ['1', '2'], learnersNext: ['1'] });
    const node = aNode({ term: 1 });
    node.receive(MsgSnap, '2', { snapshot: { data: bytes(''), metadata: { index: 5, term: 1, confState } } });
    expect(node.confState).toEqual(confState);
    const learner = aNode({ term: 1 });
    const other = config({ voters: ['2', '3'], learners: ['1'] });
    learner.receive(MsgSnap, '2', { snapshot: { data: bytes(''), metadata: { index: 5, term: 1, confState: other } } });
    expect([learner.inside.isLearner, learner.inside.isPromotable]).toEqual([true, false]);
  });
});

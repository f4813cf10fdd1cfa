import { describe, expect, it } from 'vitest';
import { MessageType } from '../../src/types.ts';
import type { Message } from '../../src/types.ts';
import { oneNode, settled, text, threeNodes } from './group.ts';

const isNotice = ({ type, entries }: Message): boolean => type === MessageType.MsgApp && entries.length === 0;

/** A group whose leader tells followers of commits only when the test lets it. */
async function reticent() {
  const late: (() => void)[] = [];
  const group = await threeNodes({ deferNotice: (task) => void late.push(task) });
  const [id, leader] = await group.leader();
  const release = async (): Promise<void> => {
    for (const task of late.splice(0)) task();
    await group.run();
  };
  await release();
  group.sent.length = 0;
  const followers = [...group.peers].filter(([peer]) => peer !== id).map(([, peer]) => peer);
  return { group, leader, followers, late, release };
}

describe('the notice of a commit', () => {
  it('waits, and goes to every follower once', async () => {
    const { group, leader, followers, release } = await reticent();
    leader.node.propose(text('a'));
    await group.run();
    expect(leader.machine.texts).toEqual(['a']);
    expect(followers.map(({ machine }) => machine.texts)).toEqual([[], []]);
    await release();
    expect(followers.map(({ machine }) => machine.texts)).toEqual([['a'], ['a']]);
    expect(group.sent.filter(isNotice)).toHaveLength(2);
    await release();
    expect(group.sent.filter(isNotice)).toHaveLength(2);
  });

  it('is not sent when another append takes it along', async () => {
    const { group, leader, followers, release, late } = await reticent();
    for (const value of ['a', 'b', 'c']) {
      leader.node.propose(text(value));
      await group.run();
    }
    expect(late).toHaveLength(1);
    expect(group.sent.filter(isNotice)).toEqual([]);
    expect(followers.map(({ machine }) => machine.texts)).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
    // The notice of c is younger than the wait that just ended.
    await release();
    expect(group.sent.filter(isNotice)).toEqual([]);
    await release();
    expect(followers.map(({ machine }) => machine.texts.length)).toEqual([3, 3]);
  });

  it('is not waited for by a linearizable read of a follower', async () => {
    const { group, leader, followers } = await reticent();
    leader.node.propose(text('a'));
    await group.run();
    const [follower] = followers;
    const read = settled((follower as (typeof followers)[number]).node.readIndex());
    await group.run();
    expect(read.result).toBe(leader.node.appliedIndex);
    expect(follower?.machine.texts).toEqual(['a']);
  });

  it('is forgotten when the node stops', async () => {
    const { group, leader, release } = await reticent();
    leader.node.propose(text('a'));
    await group.run();
    leader.node.stop();
    await release();
    expect(group.sent.filter(isNotice)).toEqual([]);
  });
});

describe('a leader that applies many entries', () => {
  it('lets other work have its turn between some and the next', async () => {
    const [group, { node, machine }] = await oneNode();
    const seen: number[] = [];
    for (let i = 0; i < 200; i++) node.propose(text(String(i)));
    const look = (): void => {
      seen.push(machine.texts.length);
      if (machine.texts.length < 200) group.defer(look);
    };
    group.defer(look);
    await group.run();
    expect(machine.texts.at(-1)).toBe('199');
    // 256 KiB in one turn, and no entry counts for less than 16.
    const steps = seen.slice(1).map((count, i) => count - (seen[i] as number));
    expect(Math.max(...steps)).toBe(16);
  });

  it('goes on for a third of the time that all else took', async () => {
    let elsewhere = 0;
    let applied = (): number => 0;
    // To apply an entry takes a millisecond.
    const [group, { node, machine }] = await oneNode({ monotonic: () => elsewhere + applied() });
    applied = () => machine.texts.length;
    for (let i = 0; i < 400; i++) node.propose(text(String(i)));
    const seen: number[] = [];
    const look = (): void => {
      elsewhere += 96;
      seen.push(machine.texts.length);
      if (machine.texts.length < 400) group.defer(look);
    };
    group.defer(look);
    await group.run();
    const steps = seen.slice(1).map((count, i) => count - (seen[i] as number));
    expect(Math.max(...steps)).toBe(32);
    expect(machine.texts).toHaveLength(400);
  });
});

import { describe, expect, it, onTestFinished } from 'vitest';
import { DurableLog } from '../../src/log/durable-log.ts';
import { forceNewGroup } from '../../src/node/force-new-group.ts';
import { ConfChangeTransition, ConfChangeType } from '../../src/types.ts';
import type { ConfChangeV2, PeerId } from '../../src/types.ts';
import { aDirectory, openLog } from '../log/support.ts';
import { Cluster, proposeText } from './cluster.ts';
import type { CopySnapshot, Member } from './cluster.ts';

const copyFiles: CopySnapshot = async (message, from, to) => {
  const metadata = message.snapshot?.metadata;
  if (metadata === undefined || !(from.log instanceof DurableLog) || !(to.log instanceof DurableLog))
    throw new Error('no snapshot');
  const content = await from.log.openSnapshot(metadata);
  const writer = await to.log.receiveSnapshot(metadata);
  try {
    for await (const chunk of content.chunks()) await writer.write(chunk);
    await writer.publish({ contentBytes: content.contentBytes, digest: content.digest });
  } finally {
    await writer.abort();
    await content.close();
  }
};

const BOOTSTRAP = ['1', '2', '3'].map((id) => ({ id }));
const SMALL = { snapshotEntries: 200, trailingEntries: 20, electionTicks: 50, heartbeatTicks: 5 };

function change(type: ConfChangeType, nodeId: PeerId): ConfChangeV2 {
  return { transition: ConfChangeTransition.Auto, changes: [{ type, nodeId }], context: new Uint8Array(0) };
}

async function threeMembers(): Promise<{ cluster: Cluster; directories: Map<PeerId, string> }> {
  const cluster = new Cluster(copyFiles);
  onTestFinished(() => cluster.stop());
  const directories = new Map(['1', '2', '3'].map((id) => [id, aDirectory()]));
  for (const [id, directory] of directories) {
    await cluster.start(id, await openLog(directory, { nodeId: id }), { bootstrap: BOOTSTRAP, ...SMALL });
  }
  return { cluster, directories };
}

describe('three nodes over durable logs', () => {
  it('elect a leader and agree on ten thousand proposals', async () => {
    const { cluster } = await threeMembers();
    const leader = await cluster.leader();
    const texts = Array.from({ length: 10_000 }, (_, i) => `text ${String(i)}`);
    for (let at = 0; at < texts.length; at += 500) {
      for (const text of texts.slice(at, at + 500)) proposeText(leader, text);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await cluster.converge();
    for (const member of cluster.members.values()) expect(member.machine.texts).toEqual(texts);
    expect(leader.leaderships).toEqual([true]);
  }, 60_000);

  it('catch up a member that was killed and restarted, by log and by snapshot', async () => {
    const { cluster, directories } = await threeMembers();
    const leader = await cluster.leader();
    const victim = ['1', '2', '3'].find((id) => id !== leader.id) as PeerId;
    for (const count of [10, 1000]) {
      proposeText(leader, 'before');
      await cluster.converge();
      const dead = cluster.crash(victim);
      await (dead.log as DurableLog).abandon();
      for (let i = 0; i < count; i++) {
        proposeText(leader, `while dead ${String(i)}`);
        if (i % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      }
      await cluster.converge();
      const back: Member = await cluster.start(
        victim,
        await openLog(directories.get(victim) as string, { nodeId: victim }),
        SMALL,
      );
      await cluster.converge();
      expect(back.machine.texts).toEqual(leader.machine.texts);
    }
    expect(cluster.snapshotsSent).toBeGreaterThan(0);
  }, 60_000);

  it('lose nothing when all are killed at once', async () => {
    const { cluster, directories } = await threeMembers();
    const leader = await cluster.leader();
    for (let i = 0; i < 300; i++) proposeText(leader, `text ${String(i)}`);
    const read = await cluster.settle('read', leader.node.readIndex());
    expect(leader.node.appliedIndex).toBeGreaterThanOrEqual(read);
    const acknowledged = leader.machine.texts.length;
    for (const id of directories.keys()) await (cluster.crash(id).log as DurableLog).abandon();
    for (const [id, directory] of directories) await cluster.start(id, await openLog(directory, { nodeId: id }), SMALL);
    await cluster.leader();
    await cluster.converge();
    for (const member of cluster.members.values())
      expect(member.machine.texts.length).toBeGreaterThanOrEqual(acknowledged);
  }, 60_000);

  it('hand over leadership, add a learner, promote it and remove a member', async () => {
    const { cluster } = await threeMembers();
    const first = await cluster.leader();
    const target = ['1', '2', '3'].find((id) => id !== first.id) as PeerId;
    await cluster.settle('transfer', first.node.transferLeadership(target));
    const leader = await cluster.leader();
    expect(leader.id).toBe(target);
    expect(first.leaderships).toEqual([true, false]);

    for (let i = 0; i < 500; i++) proposeText(leader, `text ${String(i)}`);
    await cluster.converge();
    await cluster.start('4', await openLog(aDirectory(), { nodeId: '4' }), SMALL);
    const learned = await cluster.settle(
      'learner',
      leader.node.proposeConfChange(change(ConfChangeType.AddLearnerNode, '4')),
    );
    expect(learned.learners).toEqual(['4']);
    await cluster.converge();
    expect(cluster.get('4').machine.texts).toEqual(leader.machine.texts);
    expect(cluster.snapshotsSent).toBeGreaterThan(0);
    const promoted = await cluster.settle(
      'promotion',
      leader.node.proposeConfChange(change(ConfChangeType.AddNode, '4')),
    );
    expect(promoted.voters).toEqual(['1', '2', '3', '4']);
    const reduced = await cluster.settle(
      'removal',
      leader.node.proposeConfChange(change(ConfChangeType.RemoveNode, first.id)),
    );
    expect(reduced.voters).not.toContain(first.id);
    expect(leader.removed).toEqual([first.id]);
    cluster.crash(first.id);
    proposeText(leader, 'after the removal');
    await cluster.converge();
    for (const member of cluster.members.values()) expect(member.machine.texts.at(-1)).toBe('after the removal');
  }, 60_000);

  it('can be reduced to the only one that is left', async () => {
    const { cluster, directories } = await threeMembers();
    const leader = await cluster.leader();
    for (let i = 0; i < 250; i++) proposeText(leader, `text ${String(i)}`);
    await cluster.settle('learner', leader.node.proposeConfChange(change(ConfChangeType.AddLearnerNode, '4')));
    await cluster.converge();
    const { texts } = leader.machine;
    cluster.isolate(leader.id);
    // It may well have been committed, for all that the survivor knows.
    proposeText(leader, 'last words');
    await new Promise((resolve) => setTimeout(resolve, 20));
    for (const id of directories.keys()) await (cluster.crash(id).log as DurableLog).close();
    const log = await openLog(directories.get(leader.id) as string, { nodeId: leader.id });
    const confState = await forceNewGroup(log, leader.id);
    expect(confState).toMatchObject({ voters: [leader.id], learners: [], votersOutgoing: [] });
    cluster.heal();
    const alone = await cluster.start(leader.id, log, SMALL);
    await cluster.leader();
    expect(alone.machine.texts).toEqual([...texts, 'last words']);
    proposeText(alone, 'alone');
    await cluster.converge();
    expect(alone.machine.texts.at(-1)).toBe('alone');
    expect(alone.node.confState?.voters).toEqual([leader.id]);
  }, 60_000);
});

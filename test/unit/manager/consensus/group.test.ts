import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stateHash } from '../../../../src/manager/store/snapshot.ts';
import { Cluster, Config } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { ClusterSpec } from '../../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import { ConsensusGroup, type TestMember } from '../../../support/consensus-group.ts';

const aConfig = (id: string): Config => Config.fromPartial({ id, spec: { annotations: { name: id } } });
const write = (at: TestMember, id: string): Promise<void> => at.store.update((tx) => tx.config.create(aConfig(id)));
const within = { timeout: 15_000, interval: 20 };

describe('a group of managers', () => {
  let group: ConsensusGroup;
  beforeEach(async () => {
    group = await ConsensusGroup.create();
  });
  afterEach(() => group.close());

  const leads = (member: TestMember) => expect.poll(() => member.consensus.isLeader, within).toBe(true);

  async function threeMembers(): Promise<[TestMember, TestMember, TestMember]> {
    const first = await group.start('a', { bootstrap: true });
    await leads(first);
    const join = async (name: string): Promise<TestMember> => {
      const joined = await group.start(name, { known: first.consensus.members.all() });
      await first.consensus.admit(joined.member);
      // Its promotion is a change of its own, and there is one change at a time.
      await expect.poll(() => first.consensus.voters, within).toContain(joined.member.raftId);
      return joined;
    };
    const second = await join('b');
    const third = await join('c');
    return [first, second, third];
  }

  it('replicates to members that joined later, to the same bytes', async () => {
    const members = await threeMembers();
    for (let i = 0; i < 50; i++) await write(members[0], `c${i}`);
    const version = members[0].store.version;
    for (const { store } of members) await expect.poll(() => store.version, within).toBeGreaterThanOrEqual(version);
    const hashes = members.map(({ store }) => stateHash(store.capture()));
    expect(new Set(hashes).size).toBe(1);
  });

  it('goes on under another leader when the leader dies, losing nothing it acknowledged', async () => {
    const [first, second, third] = await threeMembers();
    for (let i = 0; i < 20; i++) await write(first, `c${i}`);
    await first.kill();
    await expect.poll(() => second.consensus.isLeader || third.consensus.isLeader, within).toBe(true);
    const leader = second.consensus.isLeader ? second : third;
    await write(leader, 'after');
    expect(leader.store.read.config.size).toBe(21);
    const resumed = await group.start('a', {}, first.member);
    await expect.poll(() => resumed.store.read.config.size, within).toBe(21);
  });

  it('reads on a follower what was written before', async () => {
    const [first, second] = await threeMembers();
    for (let i = 0; i < 30; i++) {
      await write(first, `c${i}`);
      await second.consensus.readBarrier();
      expect(second.store.read.config.get(`c${i}`)).toBeDefined();
    }
  });

  it('hands leadership over at an orderly stop', async () => {
    const [first, second, third] = await threeMembers();
    await first.stop();
    await expect.poll(() => second.consensus.isLeader || third.consensus.isLeader, within).toBe(true);
  });

  it('brings a newcomer up to date with a snapshot once the log is cut', async () => {
    const first = await group.start('a', { bootstrap: true, snapshotEntries: 50 });
    await leads(first);
    for (let i = 0; i < 200; i++) await write(first, `c${i}`);
    const joined = await group.start('b', { known: first.consensus.members.all() });
    await first.consensus.admit(joined.member);
    await expect.poll(() => joined.store.read.config.size, within).toBe(200);
    await expect.poll(() => first.consensus.voters.length, within).toBe(2);
    await write(first, 'more');
    await expect.poll(() => stateHash(joined.store.capture()), within).toBe(stateHash(first.store.capture()));
  });

  it('makes snapshots as often as the cluster says', async () => {
    const member = await group.start('a', { bootstrap: true });
    await leads(member);
    const spec = (snapshotInterval: number) =>
      ClusterSpec.fromPartial({ raft: { snapshotInterval, logEntriesForSlowFollowers: 2 } });
    await member.store.update((tx) => tx.cluster.create(Cluster.fromPartial({ id: 'c', spec: spec(5) })));
    for (let i = 0; i < 20; i++) await write(member, `c${i}`);
    await expect.poll(() => group.snapshots('a'), within).toHaveLength(1);
  });

  it('takes a member out and tells it', async () => {
    const [first, second, third] = await threeMembers();
    await first.consensus.remove(third.member.raftId);
    await expect.poll(() => third.wasRemoved, within).toBe(true);
    await write(first, 'two are left');
    await expect.poll(() => second.store.read.config.size, within).toBe(1);
    expect(first.consensus.members.isRemoved(third.member.raftId)).toBe(true);
  });
});

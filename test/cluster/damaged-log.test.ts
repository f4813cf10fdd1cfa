import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestCluster, type SwarmStatusBody, type TestDaemon } from '../support/cluster.ts';

interface Status extends SwarmStatusBody {
  readonly logRepair: { readonly reason: string; readonly count: number } | null;
  readonly members: readonly { readonly raftId: string; readonly nodeId: string }[];
  readonly nodeId: string;
}

describe('a manager whose log is damaged while others have theirs', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start({ managers: 3, workers: 0, runtime: 'none' });
  });
  afterAll(() => cluster.close());

  const status = (daemon: TestDaemon): Promise<Status> => daemon.ask('GET', '/swarmd/status');
  const raftIdOf = async (daemon: TestDaemon): Promise<string | undefined> => {
    const { members, nodeId } = await status(daemon);
    return members.find((member) => member.nodeId === nodeId)?.raftId;
  };
  /** Waits until it has what the others have. */
  const caughtUp = async (daemon: TestDaemon): Promise<void> => {
    await expect
      .poll(async () => [(await status(daemon)).stateHash, (await status(cluster.first)).stateHash], {
        timeout: 20_000,
      })
      .toSatisfy(([own, other]: readonly string[]) => own === other);
  };

  it('joins them anew under another raft id, sets the files aside and says why', async () => {
    const second = cluster.managers[1] as TestDaemon;
    const raftId = await raftIdOf(second);
    const oldId = (await status(second)).nodeId;
    for (let i = 0; i < 20; i++) await second.ask('POST', '/configs/create', { Name: `c${i}`, Data: 'eA==' });
    await second.stop();
    const segments = readdirSync(join(second.directory, 'raft')).filter((file) => file.endsWith('.wal'));
    const file = join(second.directory, 'raft', segments[0] as string);
    const bytes = readFileSync(file);
    bytes[600] = (bytes[600] ?? 0) ^ 0xff;
    writeFileSync(file, bytes);

    await second.start();
    await caughtUp(second);
    const after = await status(second);
    expect(after.nodeId).toBe(oldId);
    expect(await raftIdOf(second)).not.toBe(raftId);
    expect(after.members.filter((member) => member.nodeId === oldId)).toHaveLength(1);
    expect(after.logRepair).toMatchObject({ count: 1 });
    expect(after.logRepair?.reason).toContain('raft log is corrupt');
    expect(readdirSync(join(second.directory, 'raft.damaged-1'))).toContain(segments[0]);
    expect(second.log).toContain('joins the other managers again as a new member');
  });

  it('does the same when the log is gone', async () => {
    const third = cluster.managers[2] as TestDaemon;
    const raftId = await raftIdOf(third);
    await third.kill();
    rmSync(join(third.directory, 'raft'), { recursive: true });
    await third.start();
    await caughtUp(third);
    expect(await raftIdOf(third)).not.toBe(raftId);
    expect((await status(third)).logRepair?.reason).toContain('is gone');
  });

  it('comes back as a worker when it was demoted while it was away', async () => {
    const third = cluster.managers[2] as TestDaemon;
    await third.kill();
    rmSync(join(third.directory, 'raft'), { recursive: true });
    await cluster.setRole(third.name, 'worker');
    await expect.poll(async () => (await cluster.node(third.name)).ManagerStatus, { timeout: 20_000 }).toBeUndefined();

    await third.start();
    const isManager = async (): Promise<boolean> =>
      (await third.ask<{ Swarm: { ControlAvailable: boolean } }>('GET', '/info')).Swarm.ControlAvailable;
    await expect.poll(isManager, { timeout: 20_000 }).toBe(false);
    await expect.poll(async () => (await cluster.node(third.name)).Status.State, { timeout: 20_000 }).toBe('ready');
    expect((await status(cluster.first)).members).toHaveLength(2);
  });
});

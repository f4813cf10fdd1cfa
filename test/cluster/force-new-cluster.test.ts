import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aService, docker, TestCluster } from '../support/cluster.ts';

describe('a swarm whose majority is lost for good', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start({ managers: 3, workers: 0 });
  });
  afterAll(() => cluster.close());

  it('goes on with one manager and everything it knew, and takes new managers', async () => {
    const [first, ...others] = cluster.managers;
    if (!first) throw new Error('there is no manager');
    await first.ask('POST', '/services/create', aService('kept', 2));
    for (const other of others) await other.kill();

    const nodeId = await docker(first, 'swarm', 'init', '--force-new-cluster', '--advertise-addr', '127.0.0.1');
    expect(nodeId).toContain('Swarm initialized');
    // A task that was placed on a lost manager moves once that node counts as down.
    await expect.poll(async () => (await cluster.running('kept')).length, { timeout: 60_000 }).toBe(2);
    await first.ask('POST', '/services/create', aService('new', 2));
    await expect.poll(async () => (await cluster.running('new')).length, { timeout: 20_000 }).toBe(2);

    await cluster.addManager('m4');
    const reachable = async () =>
      (await cluster.nodes())
        .filter((n) => n.ManagerStatus?.Reachability === 'reachable')
        .map((n) => n.Description.Hostname);
    await expect.poll(reachable, { timeout: 10_000 }).toHaveLength(2);
    expect(await reachable()).toEqual(expect.arrayContaining(['m1', 'm4']));
    for (const { ID } of (await cluster.nodes()).filter((n) => n.ManagerStatus === undefined)) {
      expect(await docker(first, 'node', 'rm', '--force', ID)).toBe(ID);
    }
    expect(await cluster.nodes()).toHaveLength(2);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aService, TestCluster, type SwarmStatusBody, type TestDaemon } from '../support/cluster.ts';

const within = { timeout: 60_000, interval: 100 };

/** Any order will do, as long as it is always the same. */
const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

describe('a swarm of three managers and two workers', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start({ managers: 3, workers: 2, managerRuntime: 'none' });
  });
  afterAll(() => cluster.close());

  const anyOf = (...daemons: readonly TestDaemon[]): TestDaemon => daemons[0] as TestDaemon;

  it('runs a service on the workers, told through a follower', async () => {
    const follower = cluster.managers[1] as TestDaemon;
    await follower.ask('POST', '/services/create', aService('web', 4));
    await expect.poll(async () => (await cluster.running('web')).length, within).toBe(4);
    const nodes = new Set((await cluster.running('web')).map((task) => task.NodeID));
    expect(nodes.size).toBe(2);
  });

  it('loses no acknowledged write and restarts no task when the leader is killed', async () => {
    const before = await cluster.running('web');
    const leader = (await cluster.leader()) as TestDaemon;
    const others = cluster.managers.filter((m) => m !== leader);
    const acknowledged: string[] = [];
    let isWriting = true;
    const writer = (async () => {
      for (let i = 0; isWriting; i++) {
        const name = `during-${i}`;
        const answer = await anyOf(...others)
          .call('POST', '/configs/create', { Name: name, Data: 'eA==' })
          .catch(() => undefined);
        if (answer?.status === 201) acknowledged.push(name);
      }
    })();
    await expect.poll(() => acknowledged.length, within).toBeGreaterThan(20);
    await leader.kill();
    const soFar = acknowledged.length;
    await expect.poll(() => acknowledged.length, within).toBeGreaterThan(soFar + 20);
    isWriting = false;
    await writer;
    await leader.start();
    const configs = await anyOf(...others).ask<readonly { Spec: { Name: string } }[]>('GET', '/configs');
    const stored = new Set(configs.map((c) => c.Spec.Name));
    expect(acknowledged.filter((name) => !stored.has(name))).toEqual([]);
    const after = await cluster.running('web', anyOf(...others));
    expect(after.map((t) => t.ID).sort(byText)).toEqual(before.map((t) => t.ID).sort(byText));
    expect(after.map((t) => t.Status.ContainerStatus?.PID).sort(byText)).toEqual(
      before.map((t) => t.Status.ContainerStatus?.PID).sort(byText),
    );
  });

  it('has the same state on all managers', async () => {
    await expect
      .poll(async () => {
        const states = await Promise.all(cluster.managers.map((m) => m.ask<SwarmStatusBody>('GET', '/swarmd/status')));
        return new Set(states.map((s) => `${s.appliedIndex} ${s.stateHash}`)).size;
      }, within)
      .toBe(1);
  });

  it('replaces the tasks of a worker that is killed', async () => {
    const [gone, left] = cluster.workers as [TestDaemon, TestDaemon];
    const leftId = (await cluster.node(left.name)).ID;
    await gone.kill();
    await expect
      .poll(async () => {
        const running = await cluster.running('web');
        return running.length === 4 && running.every((task) => task.NodeID === leftId);
      }, within)
      .toBe(true);
    await gone.start();
    await expect.poll(async () => (await cluster.node(gone.name)).Status.State, within).toBe('ready');
  });

  it('keeps tasks running while every manager is restarted', async () => {
    const before = await cluster.running('web');
    await Promise.all(cluster.managers.map((m) => m.stop()));
    await Promise.all(cluster.managers.map((m) => m.start()));
    await expect.poll(async () => (await cluster.leader()) !== undefined, within).toBe(true);
    await expect
      .poll(async () => (await cluster.nodes()).filter((n) => n.Status.State === 'ready').length, within)
      .toBe(5);
    const after = await cluster.running('web');
    expect(after.map((t) => [t.ID, t.Status.ContainerStatus?.PID]).sort(byText)).toEqual(
      before.map((t) => [t.ID, t.Status.ContainerStatus?.PID]).sort(byText),
    );
  });

  it('keeps tasks running while an agent is restarted', async () => {
    const before = await cluster.running('web');
    for (const worker of cluster.workers) {
      await worker.stop();
      // Longer than a connection may be broken before its node counts as down: this one was closed in good order.
      if (worker === cluster.workers[0]) await new Promise((resolve) => setTimeout(resolve, 4_000));
      await worker.start();
    }
    await expect
      .poll(async () => (await cluster.nodes()).filter((n) => n.Status.State === 'ready').length, within)
      .toBe(5);
    const after = await cluster.running('web');
    expect(after.map((t) => [t.ID, t.Status.ContainerStatus?.PID]).sort(byText)).toEqual(
      before.map((t) => [t.ID, t.Status.ContainerStatus?.PID]).sort(byText),
    );
  });

  it('makes a worker a manager and a worker again without touching its tasks', async () => {
    const worker = cluster.workers[0] as TestDaemon;
    const before = (await cluster.running('web')).map((t) => t.ID).sort(byText);
    await cluster.setRole(worker.name, 'manager');
    await expect
      .poll(async () => (await cluster.node(worker.name)).ManagerStatus?.Reachability, within)
      .toBe('reachable');
    await expect.poll(async () => (await worker.call('GET', '/nodes')).status, within).toBe(200);
    await cluster.setRole(worker.name, 'worker');
    await expect.poll(async () => (await cluster.node(worker.name)).ManagerStatus, within).toBeUndefined();
    await expect.poll(async () => (await worker.call('GET', '/nodes')).status, within).toBe(503);
    expect((await cluster.running('web')).map((t) => t.ID).sort(byText)).toEqual(before);
  });
});

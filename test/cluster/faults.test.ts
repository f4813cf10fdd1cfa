import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aService, docker, freePort, TestCluster, TestDaemon } from '../support/cluster.ts';
import { itWith } from '../support/requirements.ts';

/** Any order will do, as long as it is always the same. */
const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

describe('one node and what may go wrong', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start({ managers: 1, workers: 0 });
  });
  afterAll(() => cluster.close());

  it('refuses a state folder that another daemon uses, naming it', async () => {
    const second = new TestDaemon('m1', cluster.directory, [
      'manager',
      '--listen-addr',
      `127.0.0.1:${await freePort()}`,
    ]);
    await expect(second.start()).rejects.toThrow(new RegExp(`in use by the daemon with pid ${cluster.first.pid}`));
    expect((await cluster.first.call('GET', '/nodes')).status).toBe(200);
  });

  it('refuses a port that is taken, naming it, and leaves nothing behind', async () => {
    const port = await freePort();
    const args = ['manager', '--listen-addr', `127.0.0.1:${port}`];
    const holder = new TestDaemon('holder', cluster.directory, args);
    await holder.start();
    const late = new TestDaemon('late', cluster.directory, args);
    await expect(late.start()).rejects.toThrow(
      new RegExp(`cannot listen on 127.0.0.1:${port}: the port is already in use`),
    );
    await holder.kill();
    await late.start();
    await late.kill();
  });

  it('refuses a wrong token at once', async () => {
    const token = `SWMTKN-1-${'0'.repeat(50)}-${'0'.repeat(25)}`;
    const worker = new TestDaemon('wrong', cluster.directory, [
      'worker',
      '--join',
      '127.0.0.1:1',
      '--token',
      'nonsense',
    ]);
    await expect(worker.start()).rejects.toThrow('invalid join token');
    const port = /:(\d+)/.exec((await cluster.node('m1')).ManagerStatus ? await managerPort(cluster) : '')?.[1] ?? '';
    const stranger = new TestDaemon('stranger', cluster.directory, [
      'worker',
      '--join',
      `127.0.0.1:${port}`,
      '--token',
      token,
    ]);
    await expect(stranger.start()).rejects.toThrow('does not match the join token');
  });

  it('can be stopped while it still tries to join', async () => {
    const token = `SWMTKN-1-${'0'.repeat(50)}-${'0'.repeat(25)}`;
    const patient = new TestDaemon('patient', cluster.directory, ['worker', '--join', '127.0.0.1:1', '--token', token]);
    const starting = patient.start();
    const ended = expect(starting).rejects.toThrow('ended with code 143');
    await expect.poll(() => patient.log, { timeout: 10_000 }).toContain('API is served');
    patient.signal('SIGTERM');
    await ended;
  });

  it('answers bad input with an error and lives on', async () => {
    const { first } = cluster;
    const tries: readonly (readonly [string, string, unknown])[] = [
      ['POST', '/services/create', { Name: 'x', TaskTemplate: { ContainerSpec: { Image: 5 } } }],
      ['POST', '/services/create', { Name: '-bad-', TaskTemplate: { ContainerSpec: { Image: 'host' } } }],
      ['POST', '/services/create', []],
      ['POST', '/configs/create', { Name: 'big', Data: 'A'.repeat(3_000_000) }],
      ['POST', '/nodes/nosuch/update?version=1', { Role: 'worker', Availability: 'active' }],
      ['GET', '/tasks?filters={"bogus":["x"]}', undefined],
    ];
    for (const [method, path, body] of tries) {
      const answer = await first.call<{ message: string }>(method, encodeURI(path), body);
      expect(answer.status, `${method} ${path}`).toBeGreaterThanOrEqual(400);
      expect(answer.status, `${method} ${path}`).toBeLessThan(500);
      expect(answer.body.message).not.toBe('');
    }
    expect((await first.call('GET', '/version')).status).toBe(200);
  });

  it('comes back after kill -9 with everything it acknowledged, its tasks untouched', async () => {
    const { first } = cluster;
    await first.ask('POST', '/services/create', aService('steady', 2));
    await expect.poll(async () => (await cluster.running('steady')).length, { timeout: 30_000 }).toBe(2);
    const before = await cluster.running('steady');
    for (let round = 0; round < 3; round++) {
      await first.ask('POST', '/configs/create', { Name: `kept-${round}`, Data: 'eA==' });
      await first.kill();
      await first.start();
    }
    await expect.poll(async () => (await cluster.node('m1')).Status.State, { timeout: 30_000 }).toBe('ready');
    const configs = await first.ask<readonly { Spec: { Name: string } }[]>('GET', '/configs');
    expect(configs.map((c) => c.Spec.Name)).toEqual(expect.arrayContaining(['kept-0', 'kept-1', 'kept-2']));
    const pids = (tasks: typeof before) => tasks.map((t) => [t.ID, t.Status.ContainerStatus?.PID]).sort(byText);
    expect(pids(await cluster.running('steady'))).toEqual(pids(before));
  });

  it('refuses to start from a damaged log, naming the place, and touches nothing', async () => {
    const daemon = new TestDaemon('damaged', cluster.directory, [
      'manager',
      '--listen-addr',
      `127.0.0.1:${await freePort()}`,
    ]);
    await daemon.start();
    for (let i = 0; i < 20; i++) await daemon.ask('POST', '/configs/create', { Name: `c${i}`, Data: 'eA==' });
    await daemon.stop();
    const { readdirSync, readFileSync } = await import('node:fs');
    const folder = join(daemon.directory, 'raft');
    const segment = readdirSync(folder).find((f) => f.endsWith('.wal')) as string;
    const bytes = readFileSync(join(folder, segment));
    bytes[600] = (bytes[600] ?? 0) ^ 0xff;
    writeFileSync(join(folder, segment), bytes);
    await expect(daemon.start()).rejects.toThrow(/raft log is corrupt/);
  });

  itWith(['docker'], 'serves the docker CLI: create, scale, update, inspect, remove', async () => {
    const { first } = cluster;
    await docker(
      first,
      'service',
      'create',
      '--detach',
      '--no-resolve-image',
      '--name',
      'cli',
      '--replicas',
      '2',
      'host',
      'sleep',
      '1000',
    );
    await docker(first, 'service', 'scale', '--detach', 'cli=3');
    await expect
      .poll(() => docker(first, 'service', 'ls', '--filter', 'name=cli', '--format', '{{.Replicas}}'), {
        timeout: 30_000,
      })
      .toBe('3/3');
    await docker(
      first,
      'service',
      'update',
      '--detach',
      '--no-resolve-image',
      '--env-add',
      'A=1',
      '--update-parallelism',
      '0',
      '--stop-grace-period',
      '1s',
      'cli',
    );
    await expect
      .poll(() => docker(first, 'service', 'inspect', '-f', '{{.UpdateStatus.State}}', 'cli'), {
        timeout: 60_000,
        interval: 300,
      })
      .toBe('completed');
    expect(await docker(first, 'service', 'inspect', '-f', '{{.Spec.TaskTemplate.ContainerSpec.Env}}', 'cli')).toBe(
      '[A=1]',
    );
    await docker(first, 'service', 'rm', 'cli');
    await expect(docker(first, 'service', 'inspect', 'cli')).rejects.toThrow('no such service: cli');
  });
});

async function managerPort(cluster: TestCluster): Promise<string> {
  const info = await cluster.first.ask<{ Swarm: { RemoteManagers: readonly { Addr: string }[] } }>('GET', '/info');
  return info.Swarm.RemoteManagers[0]?.Addr ?? '';
}

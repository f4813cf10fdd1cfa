import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { aService, TestCluster, type TestDaemon } from '../support/cluster.ts';
import { repositoryRoot } from '../support/repository.ts';

interface Ended {
  readonly code: number;
  readonly output: string;
}

/** Runs a command of swarmd that is no daemon. */
const swarmd = (...args: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(process.execPath, [join(repositoryRoot, 'bin', 'swarmd.js'), ...args], (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr });
    });
  });

const clusterId = async (daemon: TestDaemon): Promise<string> => (await daemon.ask<{ ID: string }>('GET', '/swarm')).ID;
const namesOf = async (daemon: TestDaemon, kind: 'configs' | 'secrets'): Promise<readonly string[]> =>
  (await daemon.ask<readonly { Spec: { Name: string } }[]>('GET', `/${kind}`)).map(({ Spec }) => Spec.Name).toSorted();

describe('a swarm that is gone', () => {
  let cluster: TestCluster | undefined;
  afterEach(async () => {
    await cluster?.close();
    cluster = undefined;
  });

  it('is restored from a backup with its id, authority and objects; its nodes come back without tokens', async () => {
    cluster = await TestCluster.start({ managers: 2, workers: 1, managerRuntime: 'none' });
    const [first, second] = cluster.managers as [TestDaemon, TestDaemon];
    const worker = cluster.workers[0] as TestDaemon;
    await first.ask('POST', '/secrets/create', { Name: 'kept', Data: 'c2VjcmV0' });
    await first.ask('POST', '/services/create', aService('web', 2));
    const running = async () => (await cluster?.running('web'))?.length;
    await expect.poll(running, { timeout: 20_000 }).toBe(2);
    const pids = async () =>
      (await cluster?.running('web'))?.map((task) => task.Status.ContainerStatus?.PID ?? 0).toSorted((a, b) => a - b);
    const before = await pids();
    const id = await clusterId(first);
    const file = join(cluster.directory, 'swarm.backup');
    const passphrase = join(cluster.directory, 'passphrase');
    writeFileSync(passphrase, 'open sesame\n');
    const backup = ['--out', file, '--passphrase-file', passphrase];
    expect(await swarmd('backup', '--api', first.host, ...backup)).toMatchObject({ code: 0 });
    await first.ask('POST', '/configs/create', { Name: 'too-late', Data: 'eA==' });

    await first.kill();
    await second.kill();
    rmSync(first.directory, { recursive: true });
    const into = ['--data-dir', first.directory, '--passphrase-file', passphrase];
    const restored = await swarmd('restore', '--from', file, ...into);
    expect(restored).toMatchObject({ code: 0 });
    expect(restored.output).toContain(id);
    expect((await swarmd('restore', '--from', file, ...into)).output).toContain('choose an empty folder');
    await first.start();

    expect(await clusterId(first)).toBe(id);
    expect(await namesOf(first, 'secrets')).toEqual(['kept']);
    expect(await namesOf(first, 'configs')).toEqual([]);
    await expect.poll(async () => (await cluster?.node(worker.name))?.Status.State, { timeout: 30_000 }).toBe('ready');
    await expect.poll(running, { timeout: 20_000 }).toBe(2);
    expect(await pids()).toEqual(before);
    // A manager with the old state learns that it is a member no more, and joins anew by its certificate.
    await second.start();
    await expect
      .poll(async () => (await cluster?.node(second.name))?.ManagerStatus?.Reachability, { timeout: 40_000 })
      .toBe('reachable');
    await second.ask('POST', '/configs/create', { Name: 'new', Data: 'eA==' });
    expect(await namesOf(first, 'configs')).toEqual(['new']);
  });

  it('goes on from the best of the state folders that are left', async () => {
    cluster = await TestCluster.start({ managers: 3, workers: 0, runtime: 'none' });
    const [first, second, third] = cluster.managers as [TestDaemon, TestDaemon, TestDaemon];
    await second.kill();
    for (let i = 0; i < 10; i++) await first.ask('POST', '/configs/create', { Name: `c${i}`, Data: 'eA==' });
    expect((await swarmd('recover', '--data-dir', first.directory)).output).toContain('is in use by the daemon');
    await first.kill();
    await third.kill();
    rmSync(first.directory, { recursive: true });
    const folders = ['--data-dir', second.directory, '--data-dir', third.directory];

    const looked = await swarmd('recover', '--data-dir', second.directory);
    expect(looked.code).toBe(1);
    expect(looked.output).toContain('1 of the 3 managers that decide were looked at');
    expect(looked.output).toContain('May be lost: what the other managers acknowledged after entry');
    expect(looked.output).toContain('Nothing was changed');

    const done = await swarmd('recover', ...folders, '--yes');
    expect(done.code).toBe(0);
    expect(done.output).toContain(`${third.directory} goes furthest`);
    expect(done.output).toContain('nothing that was acknowledged is lost');
    await third.start();
    expect(await namesOf(third, 'configs')).toHaveLength(10);
    await third.ask('POST', '/configs/create', { Name: 'after', Data: 'eA==' });
    // The one that was passed over joins anew by itself.
    await second.start();
    await expect
      .poll(async () => (await cluster?.node(second.name, third))?.ManagerStatus?.Reachability, { timeout: 40_000 })
      .toBe('reachable');
    await expect.poll(() => namesOf(second, 'configs').catch(() => []), { timeout: 20_000 }).toContain('after');
  });
});

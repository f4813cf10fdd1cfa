/** `swarmd hollow` against a real manager: each pretend worker has a node of its own, and takes and drops tasks. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aService, TestCluster, type ApiNode } from '../support/cluster.ts';
import { repositoryRoot } from '../support/repository.ts';

const WORKERS = 20;

describe('hollow workers', () => {
  let cluster: TestCluster;
  let hollow: ChildProcess;
  beforeAll(async () => {
    cluster = await TestCluster.start({ managers: 1, workers: 0, managerRuntime: 'none' });
    const { JoinTokens } = await cluster.first.ask<{ JoinTokens: { Worker: string } }>('GET', '/swarm');
    const { Swarm } = await cluster.first.ask<{ Swarm: { RemoteManagers: { Addr: string }[] } }>('GET', '/info');
    const to = ['--join', Swarm.RemoteManagers[0]?.Addr ?? '', '--token', JoinTokens.Worker];
    const flags = ['hollow', ...to, '--nodes', String(WORKERS), '--prefix', 'pretend'];
    hollow = spawn(process.execPath, [join(repositoryRoot, 'bin', 'swarmd.js'), ...flags], { stdio: 'ignore' });
  });
  afterAll(async () => {
    hollow.kill('SIGKILL');
    await cluster.close();
  });

  const workers = async (state: string): Promise<readonly ApiNode[]> => {
    const nodes = await cluster.first.ask<readonly ApiNode[]>('GET', '/nodes');
    return nodes.filter(
      ({ Description, Status }) => Description.Hostname?.startsWith('pretend') && Status.State === state,
    );
  };

  it('are ready, each with an id of its own', async () => {
    await expect.poll(() => workers('ready'), { timeout: 30_000 }).toHaveLength(WORKERS);
    expect(new Set((await workers('ready')).map(({ ID }) => ID)).size).toBe(WORKERS);
  });

  it('run tasks and drop them again', async () => {
    await cluster.first.ask('POST', '/services/create', aService('web', 3 * WORKERS));
    await expect.poll(() => cluster.running('web'), { timeout: 30_000 }).toHaveLength(3 * WORKERS);
    await cluster.first.ask('DELETE', '/services/web');
    await expect
      .poll(() => cluster.first.ask<readonly unknown[]>('GET', '/tasks'), { timeout: 30_000 })
      .toHaveLength(0);
  });

  it('are gone when told to end', async () => {
    hollow.kill('SIGTERM');
    await once(hollow, 'exit');
    expect(hollow.exitCode).toBe(0);
    await expect.poll(() => workers('down'), { timeout: 30_000 }).toHaveLength(WORKERS);
  });
});

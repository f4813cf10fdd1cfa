import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createRootCa } from '../../src/identity/certificate.ts';
import { aService, TestCluster } from '../support/cluster.ts';
import { startExternalAuthority, type ExternalAuthority } from '../support/external-authority.ts';
import { repositoryRoot } from '../support/repository.ts';

const run = promisify(execFile);
const within = { timeout: 60_000, interval: 200 };

interface SwarmBody {
  readonly TLSInfo: { readonly TrustRoot: string };
}

describe('a root whose key is kept outside of the swarm', () => {
  let directory: string;
  let cluster: TestCluster;
  let authority: ExternalAuthority;
  let rootFile: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'swarmd-outside-'));
    cluster = await TestCluster.start({ managers: 1, workers: 1 });
    const root = await createRootCa(Date.now());
    rootFile = join(directory, 'root.pem');
    await writeFile(rootFile, root.certificate);
    authority = await startExternalAuthority(directory, root, (await swarm()).TLSInfo.TrustRoot + root.certificate);
    await cluster.first.ask('POST', '/services/create', aService('web', 2));
    await vi.waitUntil(async () => (await cluster.running('web')).length === 2, within);
  });
  afterAll(async () => {
    await cluster.close();
    await authority.close();
    await rm(directory, { recursive: true, force: true });
  });

  const swarm = (): Promise<SwarmBody> => cluster.first.ask('GET', '/swarm');
  const swarmctl = async (...args: readonly string[]): Promise<string> => {
    const program = join(repositoryRoot, 'bin', 'swarmctl.js');
    return (await run(process.execPath, [program, '--host', `unix://${cluster.first.socket}`, ...args])).stdout;
  };
  const pids = async (): Promise<readonly unknown[]> =>
    (await cluster.running('web')).map((task) => `${task.ID} ${task.Status.ContainerStatus?.PID}`).sort();
  it('takes over, certifies who joins then, survives a crash of the manager, and gives way again', async () => {
    const before = await pids();
    const external = `protocol=cfssl,url=${authority.url}`;
    const printed = await swarmctl('swarm', 'ca', '--rotate', '--ca-cert', rootFile, '--external-ca', external);
    expect(printed.trim()).toBe((await swarm()).TLSInfo.TrustRoot.trim());
    expect(authority.asked.length).toBeGreaterThanOrEqual(2);
    await cluster.first.kill();
    await cluster.first.start();
    await vi.waitUntil(async () => (await cluster.running('web')).length === 2, within);
    await cluster.addWorker('late', 'none');
    expect(authority.asked.at(-1)?.subject.names[0]?.OU).toBe('swarm-worker');
    await expect(
      swarmctl('swarm', 'update', '--external-ca', 'protocol=cfssl,url=https://127.0.0.1:1'),
    ).rejects.toThrow('reachable external CA corresponding to the current CA certificate');
    await swarmctl('swarm', 'ca', '--rotate');
    expect((await swarm()).TLSInfo.TrustRoot).not.toBe(printed);
    expect(await pids()).toEqual(before);
  }, 180_000);
});

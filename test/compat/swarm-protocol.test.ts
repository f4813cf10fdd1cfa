import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BUSYBOX_IMAGE, DockerEngine } from '../support/docker-engine.ts';
import { docker, TestDaemon } from '../support/cluster.ts';
import { describeWith } from '../support/requirements.ts';

const within = { timeout: 60_000, interval: 200 };
const NEEDS = ['root', 'docker', 'dockerd', 'ip', 'busybox'] as const;
const LOOP = 'trap "exit 0" TERM; while :; do sleep 0.1; done';

describeWith(NEEDS, 'an unmodified Docker Engine that joins our managers', () => {
  let folder: string;
  let engine: DockerEngine;
  let manager: TestDaemon;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'swarmd-south-'));
    engine = await DockerEngine.start({ joinsSwarm: true });
    const args = ['manager', '--listen-addr', '127.0.0.1:2377', '--runtime', 'none'];
    manager = new TestDaemon('boss', folder, args, engine.namespace);
    await manager.start();
    const token = await docker(manager, 'swarm', 'join-token', '-q', 'worker');
    await engine.docker('swarm', 'join', '--advertise-addr', '127.0.0.1', '--token', token, '127.0.0.1:2377');
  });
  afterAll(async () => {
    await manager.kill();
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  });

  const containers = async (): Promise<readonly string[]> =>
    (await engine.docker('ps', '--format', '{{.ID}}')).split('\n').filter((id) => id !== '');
  const replicas = (name: string): Promise<string> =>
    docker(manager, 'service', 'ls', '--filter', `name=${name}`, '--format', '{{.Replicas}}');

  it('becomes ready', async () => {
    await expect
      .poll(() => docker(manager, 'node', 'ls', '--format', '{{.EngineVersion}} {{.Status}}'), within)
      .toMatch(/^\d+\.\d+\.\d+.* Ready$/m);
  });

  it('runs tasks with secrets and configs, and sends their logs', async () => {
    await manager.ask('POST', '/secrets/create', { Name: 's1', Data: Buffer.from('hush').toString('base64') });
    await manager.ask('POST', '/configs/create', { Name: 'c1', Data: Buffer.from('plain').toString('base64') });
    const command = `cat /run/secrets/s1 /etc/c1; echo; ${LOOP}`;
    const flags = ['--detach', '--no-resolve-image', '--name', 'web', '--replicas', '3', '--secret', 's1'];
    await docker(
      manager,
      'service',
      'create',
      ...flags,
      '--config',
      'source=c1,target=/etc/c1',
      BUSYBOX_IMAGE,
      'sh',
      '-c',
      command,
    );
    await expect.poll(() => replicas('web'), within).toBe('3/3');
    expect(await containers()).toHaveLength(3);
    const logs = (await docker(manager, 'service', 'logs', '--raw', 'web')).split('\n');
    expect(logs).toEqual(['hushplain', 'hushplain', 'hushplain']);
  });

  it('keeps its containers while the manager is killed and started again', async () => {
    const before = await containers();
    await manager.kill();
    await manager.start();
    await expect.poll(() => replicas('web'), within).toBe('3/3');
    await expect
      .poll(() => docker(manager, 'node', 'ls', '--format', '{{.Hostname}} {{.Status}}'), within)
      .not.toMatch(/Unknown|Down/);
    expect([...(await containers())].sort((a, b) => a.localeCompare(b))).toEqual(
      [...before].sort((a, b) => a.localeCompare(b)),
    );
  });

  it('follows a rolling update, a drain and a removal', async () => {
    await docker(
      manager,
      'service',
      'update',
      '--detach',
      '--no-resolve-image',
      '--env-add',
      'A=1',
      '--update-parallelism',
      '0',
      'web',
    );
    await expect
      .poll(() => docker(manager, 'service', 'inspect', '-f', '{{.UpdateStatus.State}}', 'web'), within)
      .toBe('completed');
    expect(await containers()).toHaveLength(3);
    const id = await docker(manager, 'node', 'ls', '--filter', 'role=worker', '-q');
    await docker(manager, 'node', 'update', '--availability', 'drain', id);
    await expect.poll(containers, within).toEqual([]);
    await docker(manager, 'node', 'update', '--availability', 'active', id);
    await expect.poll(() => replicas('web'), within).toBe('3/3');
    await docker(manager, 'service', 'rm', 'web');
    await expect.poll(() => engine.docker('ps', '-aq'), within).toBe('');
  });

  it('is refused as a manager, with words that say what to do', async () => {
    await engine.docker('swarm', 'leave');
    const token = await docker(manager, 'swarm', 'join-token', '-q', 'manager');
    const flags = [
      '--advertise-addr',
      '127.0.0.1',
      '--listen-addr',
      '127.0.0.1:2378',
      '--token',
      token,
      '127.0.0.1:2377',
    ];
    await expect(engine.docker('swarm', 'join', ...flags)).rejects.toThrow(/cannot be a manager of this swarm/);
    expect((await manager.call('GET', '/nodes')).status).toBe(200);
  });
});

describeWith(NEEDS, 'our worker in a real Docker Swarm', () => {
  let folder: string;
  let engine: DockerEngine;
  let worker: TestDaemon;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'swarmd-north-'));
    engine = await DockerEngine.start({ joinsSwarm: true });
    await engine.docker('swarm', 'init', '--advertise-addr', '127.0.0.1');
    const token = await engine.docker('swarm', 'join-token', '-q', 'worker');
    const args = ['worker', '--join', '127.0.0.1:2377', '--token', token, '--listen-addr', '127.0.0.1:2400'];
    worker = new TestDaemon('ours', folder, args, engine.namespace);
    await worker.start();
  });
  afterAll(async () => {
    await engine.docker('service', 'rm', 'web').catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    await worker.kill();
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  });

  const replicas = (): Promise<string> => engine.docker('service', 'ls', '--format', '{{.Replicas}}');
  const nodeState = (): Promise<string> =>
    engine.docker('node', 'ls', '--filter', 'name=ours', '--format', '{{.Status}}');

  it('shows as ready', async () => {
    await expect.poll(nodeState, within).toBe('Ready');
  });

  it('runs tasks and sends their logs', async () => {
    const flags = ['--detach', '--no-resolve-image', '--name', 'web', '--replicas', '2', '--stop-grace-period', '1s'];
    const constraint = ['--constraint', 'node.hostname==ours'];
    await engine.docker('service', 'create', ...flags, ...constraint, 'host', 'sh', '-c', `echo hello; ${LOOP}`);
    await expect.poll(replicas, within).toBe('2/2');
    await expect.poll(() => engine.docker('service', 'logs', '--raw', 'web'), within).toBe('hello\nhello');
  });

  it('goes on with its tasks while the manager is away', async () => {
    const ids = (): Promise<string> => engine.docker('service', 'ps', '--filter', 'desired-state=running', '-q', 'web');
    const before = await ids();
    await engine.stopDaemon();
    await engine.startDaemon();
    await expect.poll(nodeState, within).toBe('Ready');
    await expect.poll(replicas, within).toBe('2/2');
    expect(await ids()).toBe(before);
  });

  it('gives its tasks up when it is drained', async () => {
    await engine.docker('node', 'update', '--availability', 'drain', 'ours');
    const running = async (): Promise<number> => {
      const states = await engine.docker('service', 'ps', '--format', '{{.CurrentState}}', 'web');
      return states.split('\n').filter((state) => state.startsWith('Running')).length;
    };
    await expect.poll(running, within).toBe(0);
  });
});

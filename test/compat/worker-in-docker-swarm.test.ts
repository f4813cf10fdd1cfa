/** Our workers in a real Docker Swarm: one runs processes, one containers; to the swarm they are nodes like others. */
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { docker, TestDaemon } from '../support/cluster.ts';
import { BUSYBOX_IMAGE, DockerEngine, unmountBelow } from '../support/docker-engine.ts';
import { killLeftTasks } from '../support/left-tasks.ts';
import { describeWith } from '../support/requirements.ts';

const within = { timeout: 45_000, interval: 200 };
const LOOP = 'echo hello; trap "exit 0" TERM; sleep 100000 & wait';

describeWith(['root', 'docker', 'dockerd', 'ip', 'busybox'], 'our workers in a real Docker Swarm', () => {
  let folder: string;
  let engine: DockerEngine;
  const workers = new Map<string, TestDaemon>();
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'swarmd-north-'));
    engine = await DockerEngine.start({ joinsSwarm: true });
    await engine.docker('swarm', 'init', '--advertise-addr', '127.0.0.1', '--dispatcher-heartbeat', '1s');
    await engine.docker('node', 'update', '--availability', 'drain', await engine.docker('node', 'ls', '-q'));
    const token = await engine.docker('swarm', 'join-token', '-q', 'worker');
    for (const [runtime, port] of [
      ['process', 2400],
      ['docker', 2401],
    ] as const) {
      const flags = ['--join', '127.0.0.1:2377', '--token', token, '--listen-addr', `127.0.0.1:${port}`];
      const args = ['worker', ...flags, '--runtime', runtime, '--engine', engine.host];
      const worker = new TestDaemon(runtime, folder, args, engine.namespace);
      workers.set(runtime, worker);
      await worker.start();
    }
  });
  afterAll(async () => {
    await Promise.all([...workers.values()].map((worker) => worker.kill()));
    killLeftTasks(folder);
    await engine?.close();
    await unmountBelow(folder);
    await rm(folder, { recursive: true, force: true });
  });

  const nodeState = (runtime: string): Promise<string> =>
    engine.docker('node', 'ls', '--filter', `name=${runtime}`, '--format', '{{.Status}} {{.Availability}}');
  const replicas = (name: string): Promise<string> =>
    engine.docker('service', 'ls', '--filter', `name=${name}`, '--format', '{{.Replicas}}');
  const taskIds = (name: string): Promise<string> =>
    engine.docker('service', 'ps', '--filter', 'desired-state=running', '--no-trunc', '-q', name);

  it('show as ready', async () => {
    for (const runtime of workers.keys()) await expect.poll(() => nodeState(runtime), within).toBe('Ready Active');
  });

  it.each([
    ['process', 'host'],
    ['docker', BUSYBOX_IMAGE],
  ])('run tasks as a %s, tell how they are, and send their logs', async (runtime, image) => {
    const flags = ['--detach', '--no-resolve-image', '--name', runtime, '--replicas', '2', '--stop-grace-period', '1s'];
    const place = ['--constraint', `node.hostname==${runtime}`, '--restart-delay', '1s'];
    await engine.docker('service', 'create', ...flags, ...place, image, 'sh', '-c', LOOP);
    await expect.poll(() => replicas(runtime), within).toBe('2/2');
    await expect.poll(() => engine.docker('service', 'logs', '--raw', runtime), within).toBe('hello\nhello');
    const once = ['--detach', '--no-resolve-image', '--name', `${runtime}-once`, '--restart-condition', 'none'];
    await engine.docker('service', 'create', ...once, ...place, image, 'sh', '-c', 'exit 3');
    await expect
      .poll(
        () =>
          engine.docker('service', 'ps', '--no-trunc', '--format', '{{.CurrentState}} {{.Error}}', `${runtime}-once`),
        within,
      )
      .toMatch(/^Failed .*task: non-zero exit \(3\)/);
    await engine.docker('service', 'rm', `${runtime}-once`);
  });

  it('go on with their tasks while the manager is away', async () => {
    const before = [await taskIds('process'), await taskIds('docker')];
    await engine.stopDaemon();
    await engine.startDaemon();
    for (const runtime of workers.keys()) await expect.poll(() => nodeState(runtime), within).toBe('Ready Active');
    // The engine stopped, so the containers of its worker are gone; processes know of no engine.
    await expect.poll(() => replicas('process'), within).toBe('2/2');
    await expect.poll(() => replicas('docker'), within).toBe('2/2');
    expect(await taskIds('process')).toBe(before[0]);
  });

  it('renew their certificates when the swarm changes its root', async () => {
    const certificate = async (runtime: string): Promise<X509Certificate> =>
      new X509Certificate(await readFile(join(folder, runtime, 'certificates', 'swarm-node.pem')));
    const before = await Promise.all([...workers.keys()].map(certificate));
    // Waits until every node has a certificate of the new root.
    await engine.docker('swarm', 'ca', '--rotate', '--quiet');
    const root = new X509Certificate(await engine.docker('swarm', 'ca'));
    const after = await Promise.all([...workers.keys()].map(certificate));
    for (const [i, renewed] of after.entries()) {
      expect(renewed.serialNumber).not.toBe(before[i]?.serialNumber);
      expect(renewed.verify(root.publicKey)).toBe(true);
    }
    for (const runtime of workers.keys()) await expect.poll(() => nodeState(runtime), within).toBe('Ready Active');
  });

  it('come back when the swarm began to change its root while they were away', async () => {
    const ofManager = (): Promise<string> =>
      readFile(join(engine.directory, 'data', 'swarm', 'certificates', 'swarm-node.crt'), 'utf8');
    const before = await ofManager();
    await Promise.all([...workers.values()].map((worker) => worker.kill()));
    await engine.docker('swarm', 'ca', '--rotate', '--detach', '--quiet');
    // From now on the manager shows a certificate of a root that they do not know yet.
    await expect.poll(ofManager, within).not.toBe(before);
    for (const worker of workers.values()) await worker.start();
    const isRotating = (): Promise<string> =>
      engine.docker('info', '--format', '{{.Swarm.Cluster.RootRotationInProgress}}');
    await expect.poll(isRotating, within).toBe('false');
    for (const runtime of workers.keys()) await expect.poll(() => nodeState(runtime), within).toBe('Ready Active');
  });

  it('stay workers when they are promoted, since managers of both kinds would have no majority', async () => {
    const before = await taskIds('process');
    await engine.docker('node', 'promote', 'process');
    await expect
      .poll(() => workers.get('process')?.log, within)
      .toContain('the managers of this swarm are Docker Engines');
    // Changes something, which takes a majority.
    await engine.docker('node', 'update', '--label-add', 'still=there', 'process');
    await expect.poll(() => nodeState('process'), within).toBe('Ready Active');
    expect(await taskIds('process')).toBe(before);
  });

  describe('give their tasks up', () => {
    it('when they are drained', async () => {
      const running = async (name: string): Promise<number> => {
        const states = await engine.docker('service', 'ps', '--format', '{{.CurrentState}}', name);
        return states.split('\n').filter((state) => state.startsWith('Running')).length;
      };
      for (const runtime of workers.keys()) {
        await engine.docker('node', 'update', '--availability', 'drain', runtime);
        await expect.poll(() => running(runtime), within).toBe(0);
      }
      await engine.docker('service', 'rm', 'process', 'docker');
    });

    it('when they leave', async () => {
      for (const [runtime, worker] of workers) {
        // One of them was promoted.
        await docker(worker, 'swarm', 'leave', '--force');
        await expect.poll(() => nodeState(runtime), within).toBe('Down Drain');
        await engine.docker('node', 'rm', runtime);
      }
      expect(await engine.docker('ps', '-aq')).toBe('');
    });
  });
});

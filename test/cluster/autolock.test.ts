import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { aService, docker, TestCluster, type TestDaemon } from '../support/cluster.ts';
import { describeWith } from '../support/requirements.ts';

const LOCKED =
  'Swarm is encrypted and needs to be unlocked before it can be used. Please use "docker swarm unlock" to unlock it.';
const WRONG_KEY = 'SWMKEY-1-7c37Cc8654o6p38HnroywCi19pllOnGtbdZEgtKxZu8';

const unlockKey = (daemon: TestDaemon): Promise<string> => docker(daemon, 'swarm', 'unlock-key', '-q');

/** The docker CLI asks for the key at a terminal, or reads it from its input. */
const dockerUnlock = (daemon: TestDaemon, key: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const env = { ...process.env, DOCKER_HOST: daemon.host, DOCKER_CLI_HINTS: 'false', LC_ALL: 'C' };
    const child = spawn('docker', ['swarm', 'unlock'], { env });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve(output) : reject(new Error(output))));
    child.stdin.end(`${key}\n`);
  });

const state = async (daemon: TestDaemon): Promise<string> =>
  (await daemon.ask<{ Swarm: { LocalNodeState: string } }>('GET', '/info')).Swarm.LocalNodeState;

const sealedKeys = async (daemon: TestDaemon): Promise<{ sealed: boolean; keys: Record<string, string> }> =>
  JSON.parse(await readFile(join(daemon.directory, 'keys.json'), 'utf8')) as never;

const certificateOf = async (daemon: TestDaemon): Promise<string> =>
  new X509Certificate(await readFile(join(daemon.directory, 'certificates', 'swarm-node.pem'))).subject;

/** Each manager restarts locked under this key, and only under this one. */
const isSealed = async (daemon: TestDaemon): Promise<boolean> => {
  const pem = await readFile(join(daemon.directory, 'certificates', 'swarm-node.pem'), 'utf8');
  return (await sealedKeys(daemon)).sealed && pem.includes('ENCRYPTED PRIVATE KEY');
};

describeWith(['docker'], 'a locked manager', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start({ managers: 1, workers: 0 });
  });
  afterAll(() => cluster.close());

  it('waits for the unlock key after a restart while its tasks go on, and then takes everything up', async () => {
    const { first } = cluster;
    await first.ask('POST', '/services/create', aService('kept', 2));
    await expect.poll(async () => (await cluster.running('kept')).length, { timeout: 20_000 }).toBe(2);
    const pidsOf = async () =>
      (await cluster.running('kept')).map((task) => task.Status.ContainerStatus?.PID ?? 0).toSorted((a, b) => a - b);
    const pids = await pidsOf();

    expect(await docker(first, 'swarm', 'update', '--autolock=true')).toContain('SWMKEY-1-');
    const key = await unlockKey(first);
    await expect.poll(() => isSealed(first), { timeout: 10_000 }).toBe(true);
    await first.kill();
    await first.start();

    expect(await state(first)).toBe('locked');
    expect(await docker(first, 'info')).toContain('Swarm: locked');
    const ready = await first.call<{ message: string }>('GET', '/readyz').catch((error: unknown) => error);
    expect(JSON.stringify(ready)).toContain('locked');
    for (const [method, path, body] of LOCKED_CALLS) {
      const { status, body: answer } = await first.call<{ message: string }>(method, path, body);
      expect({ path, status, message: answer.message }).toEqual({ path, status: 503, message: LOCKED });
    }
    for (const pid of pids) expect(() => process.kill(pid, 0)).not.toThrow();

    await expect(dockerUnlock(first, WRONG_KEY)).rejects.toThrow('swarm could not be unlocked: invalid key provided');
    expect(await first.call('POST', '/swarm/unlock', { UnlockKey: WRONG_KEY })).toMatchObject({ status: 401 });
    expect(await first.call('POST', '/swarm/unlock', { UnlockKey: 'nonsense' })).toMatchObject({ status: 400 });
    expect(await first.call('POST', '/swarm/leave')).toMatchObject({ status: 503 });
    expect(await state(first)).toBe('locked');

    await dockerUnlock(first, key);
    expect(await state(first)).toBe('active');
    await expect.poll(async () => (await cluster.running('kept')).length, { timeout: 20_000 }).toBe(2);
    expect(await pidsOf()).toEqual(pids);
    expect(await first.call('POST', '/swarm/unlock', { UnlockKey: key })).toMatchObject({
      status: 409,
      body: { message: 'swarm is not locked' },
    });
    await first.ask('POST', '/services/create', aService('new', 1));
  });

  it('needs no key any more once autolock is off, and leaves with --force while locked', async () => {
    const { first } = cluster;
    await docker(first, 'swarm', 'update', '--autolock=false');
    await expect.poll(() => isSealed(first), { timeout: 10_000 }).toBe(false);
    await expect(docker(first, 'swarm', 'unlock-key')).rejects.toThrow('no unlock key is set');
    await first.kill();
    await first.start();
    expect(await state(first)).toBe('active');

    await docker(first, 'swarm', 'update', '--autolock=true');
    await expect.poll(() => isSealed(first), { timeout: 10_000 }).toBe(true);
    await first.kill();
    await first.start();
    expect(await state(first)).toBe('locked');
    await docker(first, 'swarm', 'leave', '--force');
    expect(await state(first)).toBe('inactive');
  });
});

const LOCKED_CALLS: readonly (readonly [string, string, unknown?])[] = [
  ['GET', '/swarm'],
  ['GET', '/swarm/unlockkey'],
  ['POST', '/swarm/update?version=1', {}],
  ['GET', '/nodes'],
  ['GET', '/nodes/x'],
  ['GET', '/services'],
  ['GET', '/services/x'],
  ['POST', '/services/create', aService('x', 1)],
  ['GET', '/tasks'],
  ['GET', '/tasks/x'],
  ['GET', '/secrets'],
  ['POST', '/secrets/create', { Name: 'x', Data: 'YQ==' }],
  ['GET', '/configs'],
  ['POST', '/configs/create', { Name: 'x', Data: 'YQ==' }],
];

describeWith(['docker'], 'locked managers of one swarm', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start({ managers: 3, workers: 0 });
  });
  afterAll(() => cluster.close());

  it('all learn a new unlock key; one that was away unlocks with the old key and takes the new one', async () => {
    const [first, second, third] = cluster.managers as [TestDaemon, TestDaemon, TestDaemon];
    await docker(first, 'swarm', 'update', '--autolock=true');
    const old = await unlockKey(first);
    for (const manager of cluster.managers) await expect.poll(() => isSealed(manager), { timeout: 10_000 }).toBe(true);
    await third.kill();
    const before = await sealedKeys(second);

    await docker(first, 'swarm', 'unlock-key', '--rotate', '-q');
    const key = await unlockKey(first);
    expect(key).not.toBe(old);
    await expect.poll(async () => (await sealedKeys(second)).keys, { timeout: 10_000 }).not.toEqual(before.keys);
    // The log goes on under another key, and the older ones are forgotten.
    await expect
      .poll(async () => Object.keys((await sealedKeys(second)).keys).filter((id) => id in before.keys), {
        timeout: 10_000,
      })
      .toEqual([]);

    await second.kill();
    await second.start();
    await expect(dockerUnlock(second, old)).rejects.toThrow('invalid key provided');
    await dockerUnlock(second, key);
    await third.start();
    expect(await state(third)).toBe('locked');
    await expect(dockerUnlock(third, key)).rejects.toThrow('invalid key provided');
    const sealedBefore = await sealedKeys(third);
    await dockerUnlock(third, old);
    await expect.poll(async () => (await sealedKeys(third)).keys, { timeout: 10_000 }).not.toEqual(sealedBefore.keys);
    await third.kill();
    await third.start();
    await expect.poll(() => state(third)).toBe('locked');
    await dockerUnlock(third, key);
    await expect
      .poll(
        async () => (await cluster.nodes(third)).filter((n) => n.ManagerStatus?.Reachability === 'reachable').length,
        {
          timeout: 20_000,
        },
      )
      .toBe(3);
  });

  it('drop their key when they become workers, and take it when they become managers', async () => {
    const [first, second] = cluster.managers as [TestDaemon, TestDaemon, TestDaemon];
    const hostname = (await cluster.node(second.name)).ID;
    await docker(first, 'node', 'demote', hostname);
    const pem = () => readFile(join(second.directory, 'certificates', 'swarm-node.pem'), 'utf8');
    await expect.poll(pem, { timeout: 20_000 }).not.toContain('ENCRYPTED');
    await expect
      .poll(
        () =>
          readFile(join(second.directory, 'keys.json')).then(
            () => 'there',
            () => 'gone',
          ),
        { timeout: 20_000 },
      )
      .toBe('gone');
    const isManager = async () =>
      (await second.ask<{ Swarm: { ControlAvailable: boolean } }>('GET', '/info')).Swarm.ControlAvailable;
    await expect.poll(isManager, { timeout: 20_000 }).toBe(false);
    await expect.poll(() => certificateOf(second), { timeout: 20_000 }).toContain('swarm-worker');
    await second.kill();
    await second.start();
    expect(await state(second)).toBe('active');

    await cluster.setRole(second.name, 'manager');
    await expect.poll(() => isSealed(second).catch(() => false), { timeout: 30_000 }).toBe(true);
  });
});

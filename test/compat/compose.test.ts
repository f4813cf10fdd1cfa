/** deploy/compose.yaml on a real engine: the swarm forms by itself, runs a service, and survives its leader's container. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DockerEngine } from '../support/docker-engine.ts';
import { describeWith } from '../support/requirements.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BASE_IMAGE = 'swarmd-base:local';
const MANAGERS = ['manager1', 'manager2', 'manager3'] as const;
const PATIENCE_MS = 60_000;

let engine: DockerEngine;

/** Runs a command with the environment of the engine; throws with what it said. */
const run = (command: string, ...args: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const env = {
      ...process.env,
      DOCKER_HOST: engine.host,
      DOCKER_BUILDKIT: '0',
      COMPOSE_DOCKER_CLI_BUILD: '0',
      COMPOSE_PROJECT_NAME: 'swarm',
      BASE_IMAGE,
    };
    execFile(command, args, { env, cwd: ROOT, timeout: 180_000, maxBuffer: 16 << 20 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${command} ${args.join(' ')}: ${error.message}\n${stdout}${stderr}`.slice(-4000)));
      else resolve(stdout.trim());
    });
  });

const compose = (...args: readonly string[]): Promise<string> =>
  run('docker-compose', '-f', 'deploy/compose.yaml', ...args);
/** Containers are called swarm_manager1_1 or swarm-manager1-1. */
const containerOf = (name: string): Promise<string> => compose('ps', '-q', name);
const swarmctl = async (node: string, ...args: readonly string[]): Promise<string> =>
  run('docker', 'exec', await containerOf(node), 'swarmctl', ...args);

async function eventually<T>(what: string, check: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + PATIENCE_MS;
  let last: unknown;
  for (;;) {
    try {
      const found = await check();
      if (found !== undefined) return found;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) throw new Error(`${what}: not within ${PATIENCE_MS} ms`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** Lines "name status manager-status" of `swarmctl node ls`. */
const nodes = async (at: string): Promise<readonly string[]> =>
  (await swarmctl(at, 'node', 'ls', '--format', '{{.Hostname}} {{.Status}} {{.ManagerStatus}}'))
    .split('\n')
    .map((line) => line.trim());

describeWith(['root', 'docker', 'dockerd', 'dockerCompose', 'ip', 'busybox'], 'compose.yaml on a real engine', () => {
  beforeAll(async () => {
    engine = await DockerEngine.start();
    await run('deploy/base-image.sh', BASE_IMAGE);
    await compose('build', 'manager1');
    await compose('up', '-d', '--no-build');
  }, 240_000);

  afterAll(async () => {
    await compose('down', '--volumes', '--timeout', '2').catch(() => undefined);
    await engine.close();
  }, 60_000);

  it('forms a swarm of three managers and two workers by itself', async () => {
    await eventually('all five nodes are ready', async () => {
      const all = await nodes('manager1');
      return all.filter((line) => line.split(' ')[1] === 'ready').length === 5 ? true : undefined;
    });
    expect((await nodes('manager1')).map((line) => line.split(' ')[0])).toEqual([...MANAGERS, 'worker1', 'worker2']);
  }, 120_000);

  it('keeps join tokens from everybody but root', async () => {
    const modes = await run('docker', 'exec', await containerOf('worker1'), 'stat', '-c', '%a %n', '/tokens/worker');
    expect(modes).toBe('600 /tokens/worker');
    const write = run('docker', 'exec', await containerOf('worker1'), 'touch', '/tokens/other');
    await expect(write).rejects.toThrow('Read-only file system');
  });

  it('is healthy by its own health check', async () => {
    const id = await containerOf('manager2');
    await eventually('the container is healthy', async () => {
      const state = await run('docker', 'inspect', '--format', '{{.State.Health.Status}}', id);
      return state === 'healthy' ? true : undefined;
    });
  }, 120_000);

  it('runs and scales a service, also after its leader was killed', async () => {
    const service = ['service', 'create', '--name', 'web', '--replicas', '3', '--constraint', 'node.role==worker'];
    await swarmctl('manager1', ...service, '--timeout', '40s', 'host', 'sleep', '100000');
    await swarmctl('manager1', 'service', 'scale', '--timeout', '40s', 'web=5');

    const leader = (await nodes('manager1')).find((line) => line.endsWith(' leader'))?.split(' ')[0] ?? '';
    expect(MANAGERS).toContain(leader);
    await run('docker', 'kill', await containerOf(leader));

    const other = MANAGERS.find((name) => name !== leader) ?? '';
    await eventually('the service is scaled again', async () => {
      await swarmctl(other, 'service', 'scale', '--timeout', '40s', 'web=8');
      return true;
    });
    expect(await swarmctl(other, 'service', 'ls', '--format', '{{.Name}} {{.Replicas}}')).toBe('web 8/8');
    expect((await nodes(other)).find((line) => line.endsWith(' leader'))).not.toContain(leader);
  }, 180_000);
});

/** dockerode's swarm calls on one `swarmd node`: the life of every kind of object, and of the swarm itself, again and again. */
import Docker from 'dockerode';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, TestDaemon } from '../support/cluster.ts';

const ROUNDS = 30;

interface SwarmBody {
  readonly Version: { readonly Index: number };
  readonly Spec: { readonly Labels?: Record<string, string>; readonly Orchestration: object };
  readonly JoinTokens: { readonly Worker: string; readonly Manager: string };
}

let directory: string;
let daemon: TestDaemon;
let docker: Docker;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'swarmd-dockerode-'));
  daemon = await startNode('node-1');
  docker = new Docker({ socketPath: daemon.socket });
});
afterAll(async () => {
  await daemon?.kill();
  await rm(directory, { recursive: true, force: true });
});

async function startNode(name: string): Promise<TestDaemon> {
  const node = new TestDaemon(name, directory, ['node', '--runtime', 'process']);
  await node.start();
  return node;
}

const localState = async (): Promise<string> => (await docker.info()).Swarm.LocalNodeState as string;
/** Seconds that each took, to be shown; how long they may take is for the benches to say. */
const seconds = { init: [] as number[], join: [] as number[] };
const timed = async <T>(what: keyof typeof seconds, call: () => Promise<T>): Promise<T> => {
  const began = performance.now();
  const result = await call();
  seconds[what].push((performance.now() - began) / 1000);
  return result;
};

const init = async (): Promise<string> => {
  const address = `127.0.0.1:${await freePort()}`;
  return timed('init', async () => (await docker.swarmInit({ ListenAddr: address, AdvertiseAddr: address })) as string);
};
const leave = async (): Promise<void> => void (await docker.swarmLeave({ force: true }));

describe('dockerode', () => {
  it('founds and leaves swarms, and joins another, again and again', async () => {
    const other = await startNode('node-2');
    try {
      const otherAddress = `127.0.0.1:${await freePort()}`;
      const otherDocker = new Docker({ socketPath: other.socket });
      await otherDocker.swarmInit({ ListenAddr: otherAddress, AdvertiseAddr: otherAddress });
      const { JoinTokens } = (await otherDocker.swarmInspect()) as SwarmBody;
      const ids = new Set<string>();
      for (let round = 0; round < ROUNDS; round++) {
        ids.add(await init());
        expect(await localState()).toBe('active');
        await leave();
        expect(await localState()).toBe('inactive');
        const address = `127.0.0.1:${await freePort()}`;
        await timed('join', () =>
          docker.swarmJoin({
            ListenAddr: address,
            AdvertiseAddr: address,
            RemoteAddrs: [otherAddress],
            JoinToken: JoinTokens.Worker,
          }),
        );
        const { Swarm } = (await docker.info()) as { readonly Swarm: { NodeID: string; ControlAvailable: boolean } };
        expect(Swarm.ControlAvailable).toBe(false);
        ids.add(Swarm.NodeID);
        await leave();
        await otherDocker.getNode(Swarm.NodeID).remove({ force: true });
      }
      expect(ids.size).toBe(2 * ROUNDS);
      expect(await otherDocker.listNodes()).toHaveLength(1);
      for (const [what, each] of Object.entries(seconds)) {
        const shown = each.map((value) => value.toFixed(3)).join(' ');
        console.log(`dockerode, ${what}: ${shown} s, longest ${Math.max(...each).toFixed(3)} s`);
      }
    } finally {
      await other.kill();
    }
  });

  it('is refused in and outside of a swarm with the codes it knows', async () => {
    await expect(docker.swarmInspect()).rejects.toMatchObject({ statusCode: 503 });
    await expect(docker.listServices()).rejects.toMatchObject({ statusCode: 503 });
    await init();
    await expect(init()).rejects.toMatchObject({ statusCode: 503 });
    await expect(docker.swarmLeave({})).rejects.toMatchObject({ statusCode: 503 });
    await leave();
  });

  describe('in a swarm', () => {
    beforeAll(async () => void (await init()));
    afterAll(leave);

    it('changes the swarm and rotates its tokens', async () => {
      const before = (await docker.swarmInspect()) as SwarmBody;
      await docker.swarmUpdate({
        version: before.Version.Index,
        rotateWorkerToken: true,
        ...before.Spec,
        Labels: { team: 'a' },
      });
      const after = (await docker.swarmInspect()) as SwarmBody;
      expect(after.Spec.Labels).toEqual({ team: 'a' });
      expect(after.JoinTokens.Worker).not.toBe(before.JoinTokens.Worker);
      expect(after.JoinTokens.Manager).toBe(before.JoinTokens.Manager);
      const stale = docker.swarmUpdate({ version: before.Version.Index, ...before.Spec });
      await expect(stale).rejects.toMatchObject({ statusCode: 409 });
    });

    it('runs, changes, follows and removes a service', async () => {
      const spec = {
        Name: 'web',
        TaskTemplate: { ContainerSpec: { Image: 'host', Command: ['sh', '-c', 'echo hello; exec sleep 1000'] } },
        Mode: { Replicated: { Replicas: 2 } },
      };
      const created = (await docker.createService(spec)) as { readonly id: string };
      const service = docker.getService(created.id);
      const running = async (): Promise<number> =>
        (await docker.listTasks({ filters: { service: ['web'], 'desired-state': ['running'] } })).filter(
          (task: { readonly Status: { readonly State: string } }) => task.Status.State === 'running',
        ).length;
      await expect.poll(running, { timeout: 15_000 }).toBe(2);
      const logs = async (): Promise<number> => {
        const printed = (await service.logs({ stdout: true, stderr: true })) as unknown as Buffer;
        return printed.toString().split('hello').length - 1;
      };
      await expect.poll(logs, { timeout: 15_000 }).toBe(2);
      const { Version } = (await service.inspect()) as { readonly Version: { readonly Index: number } };
      await service.update({ ...spec, version: Version.Index, Mode: { Replicated: { Replicas: 1 } } });
      await expect.poll(running, { timeout: 15_000 }).toBe(1);
      const [task] = await docker.listTasks({ filters: { service: ['web'] } });
      expect(await docker.getTask(task?.ID ?? '').inspect()).toMatchObject({ ServiceID: created.id });
      await service.remove();
      await expect(service.inspect()).rejects.toMatchObject({ statusCode: 404 });
    });

    it('keeps, labels and removes secrets and configs', async () => {
      const secret = await docker.createSecret({ Name: 's', Labels: {}, Data: 'aGk=' });
      const config = await docker.createConfig({ Name: 'c', Labels: {}, Data: 'aGk=' });
      for (const stored of [docker.getSecret(secret.id), docker.getConfig(config.id)]) {
        const shown = (await stored.inspect()) as {
          readonly Version: { readonly Index: number };
          readonly Spec: object;
        };
        await stored.update({ version: shown.Version.Index, ...shown.Spec, Labels: { a: 'b' } });
        expect(await stored.inspect()).toMatchObject({ Spec: { Labels: { a: 'b' } } });
        await stored.remove();
        await expect(stored.inspect()).rejects.toMatchObject({ statusCode: 404 });
      }
      expect([await docker.listSecrets(), await docker.listConfigs()]).toEqual([[], []]);
    });

    it('makes and removes networks', async () => {
      const made = await docker.createNetwork({ Name: 'n', Driver: 'overlay', Attachable: true });
      const network = docker.getNetwork(made.id);
      expect(await network.inspect()).toMatchObject({ Name: 'n', Driver: 'overlay', Scope: 'swarm' });
      expect((await docker.listNetworks({ filters: { name: ['n'] } })).map(({ Id }) => Id)).toContain(made.id);
      await network.remove();
      await expect(network.inspect()).rejects.toMatchObject({ statusCode: 404 });
    });

    it('labels a node and drains it', async () => {
      const [found] = (await docker.listNodes()) as readonly { readonly ID: string }[];
      const node = docker.getNode(found?.ID ?? '');
      const { Version, Spec } = (await node.inspect()) as {
        readonly Version: { readonly Index: number };
        readonly Spec: object;
      };
      await node.update({ version: Version.Index, ...Spec, Availability: 'drain', Labels: { zone: 'a' } });
      expect(await node.inspect()).toMatchObject({ Spec: { Availability: 'drain', Labels: { zone: 'a' } } });
      await expect(node.remove()).rejects.toMatchObject({ statusCode: 400 });
    });
  });
});

/** The unmodified docker CLI takes services through their life on two nodes with real engines. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { docker, type TestDaemon } from '../support/cluster.ts';
import { BUSYBOX_IMAGE } from '../support/docker-engine.ts';
import { DockerSwarm } from '../support/docker-swarm.ts';
import { describeWith, itWith } from '../support/requirements.ts';

const SLEEP = ['sh', '-c', 'echo hello from $SLOT; trap "exit 0" TERM; while :; do sleep 0.2; done'] as const;
const IN_TIME = { timeout: 40_000, interval: 250 };

describeWith(['root', 'docker', 'dockerd', 'ip', 'busybox'], 'the docker CLI with the docker runtime', () => {
  let swarm: DockerSwarm;
  beforeAll(async () => {
    swarm = await DockerSwarm.start(2);
  });
  afterAll(() => swarm?.close());
  afterEach(async () => {
    const services = await cli('service', 'ls', '-q');
    if (services !== '') await cli('service', 'rm', ...services.split('\n'));
    await expect.poll(containers, IN_TIME).toEqual([]);
  });

  const cli = (...args: readonly string[]): Promise<string> => docker(swarm.first, ...args);
  const replicas = async (service: string): Promise<string> =>
    cli('service', 'ls', '--filter', `name=${service}`, '--format', '{{.Replicas}}');
  /** Name and id of every container of both engines, by name. */
  const containers = async (): Promise<readonly string[]> => {
    const lists = await Promise.all(
      swarm.engines.map((engine) => engine.docker('ps', '-a', '--no-trunc', '--format', '{{.Names}} {{.ID}}')),
    );
    return lists.flatMap((list) => list.split('\n').filter(Boolean)).toSorted();
  };
  const create = (name: string, ...flags: readonly string[]): Promise<string> =>
    cli('service', 'create', '-d', '--name', name, '--env', 'SLOT={{.Task.Slot}}', ...flags, BUSYBOX_IMAGE, ...SLEEP);

  it('creates, lists, inspects, scales and removes a service, and shows its logs', async () => {
    await create('web', '--replicas', '2');
    await expect.poll(() => replicas('web'), IN_TIME).toBe('2/2');
    const rows = (await cli('service', 'ps', 'web', '--format', '{{.Name}} {{.Node}} {{.CurrentState}}')).split('\n');
    expect(rows.map((row) => row.split(' ').slice(0, 3).join(' ')).toSorted()).toEqual([
      expect.stringMatching(/^web\.1 node-[12] Running$/),
      expect.stringMatching(/^web\.2 node-[12] Running$/),
    ]);
    expect(await cli('service', 'inspect', '-f', '{{.Spec.TaskTemplate.ContainerSpec.Image}}', 'web')).toBe(
      BUSYBOX_IMAGE,
    );
    expect((await cli('service', 'logs', '--raw', 'web')).split('\n').toSorted()).toEqual([
      'hello from 1',
      'hello from 2',
    ]);
    await cli('service', 'scale', '-d', 'web=4');
    await expect.poll(() => replicas('web'), IN_TIME).toBe('4/4');
    expect((await containers()).length).toBe(4);
    await cli('service', 'rm', 'web');
    await expect.poll(containers, IN_TIME).toEqual([]);
  });

  it('uses the networks engines have of their own', async () => {
    await create('on-host', '--network', 'host');
    await create('on-bridge', '--network', 'bridge');
    await expect.poll(() => replicas('on-host'), IN_TIME).toBe('1/1');
    await expect.poll(() => replicas('on-bridge'), IN_TIME).toBe('1/1');
    const modes = await Promise.all(
      swarm.engines.map(async (engine) => {
        const ids = await engine.docker('ps', '-q');
        return ids === '' ? '' : engine.docker('inspect', '-f', '{{.HostConfig.NetworkMode}}', ...ids.split('\n'));
      }),
    );
    expect(modes.join('\n').split('\n').filter(Boolean).toSorted()).toEqual(['bridge', 'host']);
  });

  itWith(
    ['nft', 'vxlan'],
    'answers published ports on every node, and leads a service name to all its tasks',
    async () => {
      const serve = ['sh', '-c', 'echo $SLOT > /index.html; exec httpd -f -p 80 -h /'];
      const flags = ['-d', '--replicas', '2', '--env', 'SLOT={{.Task.Slot}}', '--stop-grace-period', '1s'];
      await cli('network', 'create', '-d', 'overlay', 'back');
      await cli('service', 'create', '--name', 'web', '--publish', '8080:80', ...flags, BUSYBOX_IMAGE, ...serve);
      await cli('service', 'create', '--name', 'inner', '--network', 'back', ...flags, BUSYBOX_IMAGE, ...serve);
      await create('client', '--network', 'back');
      for (const name of ['web', 'inner']) await expect.poll(() => replicas(name), IN_TIME).toBe('2/2');
      await expect.poll(() => replicas('client'), IN_TIME).toBe('1/1');
      const twice = async (get: () => Promise<string>): Promise<string> =>
        [await get().catch(String), await get().catch(String)].toSorted().join(' ');
      for (const at of [0, 1]) {
        for (const host of [swarm.addresses[at] ?? '', '127.0.0.1']) {
          const url = `http://${host}:8080/`;
          await expect
            .poll(() => twice(() => swarm.onHost(at, 'busybox', 'wget', '-q', '-O', '-', url)), IN_TIME)
            .toBe('1 2');
        }
      }
      const inside = async (...command: readonly string[]): Promise<string> => {
        for (const engine of swarm.engines) {
          const id = await engine.docker('ps', '-q', '--filter', 'label=com.docker.swarm.service.name=client');
          if (id !== '') return engine.docker('exec', id, ...command);
        }
        throw new Error('no client runs');
      };
      await expect.poll(() => twice(() => inside('wget', '-q', '-O', '-', 'http://inner/')), IN_TIME).toBe('1 2');
      const [service] = await swarm.first.ask<{ Endpoint: { VirtualIPs: { Addr: string }[] } }[]>(
        'GET',
        '/services?filters={"name":["inner"]}',
      );
      const vip = new RegExp(` ${service?.Endpoint.VirtualIPs[0]?.Addr.split('/')[0] ?? ''}$`, 'm');
      expect(await inside('nslookup', 'inner', '127.0.0.11')).toMatch(vip);
      expect(await inside('nslookup', 'tasks.inner', '127.0.0.11')).not.toMatch(vip);
      // The kernel goes on without the agent.
      for (const daemon of swarm.daemons) await daemon.kill();
      const own = `http://${swarm.addresses[1] ?? ''}:8080/`;
      expect(await twice(() => swarm.onHost(1, 'busybox', 'wget', '-q', '-O', '-', own))).toBe('1 2');
      for (const daemon of swarm.daemons) await daemon.start();
      await cli('service', 'scale', '-d', 'web=1');
      await expect
        .poll(() => twice(() => swarm.onHost(1, 'busybox', 'wget', '-q', '-O', '-', own)), IN_TIME)
        .toMatch(/^(1 1|2 2)$/);
      await cli('service', 'rm', 'web', 'inner', 'client');
      await expect.poll(() => cli('network', 'rm', 'back').catch(String), IN_TIME).toBe('back');
      await expect.poll(() => swarm.onHost(1, 'nft', 'list', 'tables'), IN_TIME).not.toContain('swarmd');
    },
  );

  it('lets a container that is started by hand on a worker find services by name', async () => {
    const onWorker = (...args: readonly string[]): Promise<string> => docker(swarm.daemons[1] as TestDaemon, ...args);
    await cli('network', 'create', '-d', 'overlay', '--attachable', '--subnet', '10.77.3.0/24', 'by-hand');
    await create('found', '--network', 'by-hand', '--endpoint-mode', 'dnsrr');
    await expect.poll(() => replicas('found'), IN_TIME).toBe('1/1');
    await onWorker('run', '-d', '--name', 'seeker', '--network', 'by-hand', BUSYBOX_IMAGE, ...SLEEP);
    const lookUp = (): Promise<string> =>
      onWorker('exec', 'seeker', 'nslookup', 'found', '127.0.0.11').catch((error: Error) => error.message);
    await expect.poll(lookUp, IN_TIME).toContain('10.77.3.');
    await onWorker('rm', '-f', 'seeker');
    await cli('service', 'rm', 'found');
    await expect.poll(() => cli('network', 'rm', 'by-hand').catch(() => ''), IN_TIME).toBe('by-hand');
  });

  it('shows the containers of the node it talks to, and runs commands in them', async () => {
    await create('web', '--mode', 'global', '--constraint', 'node.hostname==node-1');
    await expect.poll(() => replicas('web'), IN_TIME).toBe('1/1');
    const id = await cli('ps', '-q', '--filter', 'label=com.docker.swarm.service.name=web');
    expect(await cli('exec', id, 'echo', 'within')).toBe('within');
    expect(await cli('logs', id)).toContain('hello from');
  });

  it('updates a service, and rolls back one whose new tasks fail', async () => {
    await create('web', '--replicas', '2', '--update-monitor', '1s', '--update-failure-action', 'rollback');
    await expect.poll(() => replicas('web'), IN_TIME).toBe('2/2');
    const state = (): Promise<string> =>
      cli('service', 'inspect', '-f', '{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}', 'web');
    await cli('service', 'update', '-d', '--env-add', 'VERSION=2', 'web');
    await expect.poll(state, IN_TIME).toBe('completed');
    await cli('service', 'update', '-d', '--args', 'false', 'web');
    await expect.poll(state, IN_TIME).toBe('rollback_completed');
    await expect.poll(() => replicas('web'), IN_TIME).toBe('2/2');
    const env = await cli('service', 'inspect', '-f', '{{json .Spec.TaskTemplate.ContainerSpec.Env}}', 'web');
    expect(JSON.parse(env)).toContain('VERSION=2');
    await cli('service', 'rollback', '-d', 'web').catch(() => undefined);
  });

  it('moves tasks away from a node that is drained', async () => {
    await create('web', '--replicas', '4');
    await expect.poll(() => replicas('web'), IN_TIME).toBe('4/4');
    await cli('node', 'update', '--availability', 'drain', 'node-2');
    const nodes = async (): Promise<readonly string[]> =>
      (
        await cli(
          'service',
          'ps',
          'web',
          '--filter',
          'desired-state=running',
          '--format',
          '{{.Node}} {{.CurrentState}}',
        )
      )
        .split('\n')
        .map((row) => row.split(' ').slice(0, 2).join(' '));
    await expect.poll(nodes, IN_TIME).toEqual(Array.from({ length: 4 }, () => 'node-1 Running'));
    await expect.poll(() => swarm.engines[1]?.docker('ps', '-q'), IN_TIME).toBe('');
    await cli('node', 'update', '--availability', 'active', 'node-2');
  });

  it('keeps containers running while agents and the manager are killed and started again', async () => {
    await create('web', '--replicas', '4');
    await expect.poll(() => replicas('web'), IN_TIME).toBe('4/4');
    const before = await containers();
    for (const daemon of swarm.daemons.toReversed()) {
      await daemon.kill();
      await daemon.start();
      await expect.poll(() => replicas('web'), IN_TIME).toBe('4/4');
    }
    await expect.poll(() => cli('node', 'ls', '--format', '{{.Status}}'), IN_TIME).toBe('Ready\nReady');
    await cli('service', 'scale', '-d', 'web=5');
    await expect.poll(() => replicas('web'), IN_TIME).toBe('5/5');
    expect(await containers()).toEqual(expect.arrayContaining([...before]));
  });

  it('keeps containers running while their engine is started again, even if the agent starts without it', async () => {
    await create('web', '--replicas', '2');
    await expect.poll(() => replicas('web'), IN_TIME).toBe('2/2');
    const before = await containers();
    const [engine, agent] = [swarm.engines[1], swarm.daemons[1]];
    await engine?.stopDaemon();
    await cli('service', 'update', '-d', '--label-add', 'seen=yes', 'web');
    await engine?.startDaemon();
    await cli('service', 'scale', '-d', 'web=4');
    await expect.poll(() => replicas('web'), IN_TIME).toBe('4/4');
    expect(await containers()).toEqual(expect.arrayContaining([...before]));

    await agent?.kill();
    await engine?.stopDaemon();
    await agent?.start();
    await engine?.startDaemon();
    await expect.poll(() => cli('node', 'ls', '--format', '{{.Status}}'), IN_TIME).toBe('Ready\nReady');
    await expect.poll(() => replicas('web'), IN_TIME).toBe('4/4');
    expect(await containers()).toEqual(expect.arrayContaining([...before]));
  });
});

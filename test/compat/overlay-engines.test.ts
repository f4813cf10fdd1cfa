/** Overlay networks between unmodified Docker Engines whose managers are ours, on hosts of their own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { docker, TestDaemon } from '../support/cluster.ts';
import { BUSYBOX_IMAGE, DockerEngine } from '../support/docker-engine.ts';
import { NetworkLab } from '../support/network-lab.ts';
import { describeWith, itWith } from '../support/requirements.ts';

const within = { timeout: 60_000, interval: 200 };

describeWith(['root', 'docker', 'dockerd', 'ip', 'busybox', 'vxlan'], 'overlay networks of two Docker Engines', () => {
  let folder: string;
  let lab: NetworkLab;
  let manager: TestDaemon;
  const engines: DockerEngine[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'swarmd-overlay-'));
    lab = await NetworkLab.start();
    const host = await lab.addHost();
    const args = ['manager', '--listen-addr', `${host.address}:2377`, '--runtime', 'none'];
    manager = new TestDaemon('boss', folder, args, host.namespace);
    await manager.start();
    const token = await docker(manager, 'swarm', 'join-token', '-q', 'worker');
    for (let i = 0; i < 2; i++) {
      const engine = await DockerEngine.start({ joinsSwarm: true });
      engines.push(engine);
      const address = await lab.plugIn(engine.namespace);
      await engine.docker('swarm', 'join', '--advertise-addr', address, '--token', token, `${host.address}:2377`);
    }
    await docker(manager, 'network', 'create', '-d', 'overlay', '--attachable', 'back');
    const [one = '', two = ''] = await nodeIds();
    await create('web', one, ['--endpoint-mode', 'dnsrr', '--network', 'name=back,alias=www'], SERVE);
    await create('far', two, ['--endpoint-mode', 'dnsrr', '--network', 'name=back,alias=www'], SERVE);
    await create('vip', one, ['--network', 'back', '--publish', '8080:80'], SERVE);
    await create('client', two, ['--network', 'back'], 'sleep 100000');
  });
  afterAll(async () => {
    await manager?.kill();
    for (const engine of engines) await engine.close();
    await lab?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const SERVE = 'echo hello from $NAME > /index.html; exec httpd -f -p 80 -h /';
  const nodeIds = async (): Promise<readonly string[]> =>
    (await docker(manager, 'node', 'ls', '--filter', 'role=worker', '-q')).split('\n');
  const create = (name: string, node: string, flags: readonly string[], script: string): Promise<string> => {
    const given = [
      '--detach',
      '--no-resolve-image',
      '--name',
      name,
      '--env',
      `NAME=${name}`,
      '--stop-grace-period',
      '1s',
    ];
    const place = ['--constraint', `node.id==${node}`];
    return docker(manager, 'service', 'create', ...given, ...place, ...flags, BUSYBOX_IMAGE, 'sh', '-c', script);
  };
  /** The engine a service's task is on, and its container. */
  async function container(service: string): Promise<{ readonly engine: DockerEngine; readonly id: string }> {
    for (const engine of engines) {
      const id = await engine.docker('ps', '-q', '--filter', `label=com.docker.swarm.service.name=${service}`);
      if (id !== '') return { engine, id };
    }
    throw new Error(`no container of ${service}`);
  }
  async function inside(service: string, ...command: readonly string[]): Promise<string> {
    const { engine, id } = await container(service);
    return engine.docker('exec', id, ...command);
  }
  const addressesOf = async (name: string): Promise<number> => {
    const text = await inside('client', 'nslookup', name, '127.0.0.11').catch(() => '');
    const found = [...text.matchAll(/^Address(?: \d+)?:\s+(\d+\.\d+\.\d+\.\d+)$/gm)].map(([, address]) => address);
    return new Set(found.filter((address) => address !== '127.0.0.11')).size;
  };
  const replicas = (): Promise<string> => docker(manager, 'service', 'ls', '--format', '{{.Name}} {{.Replicas}}');

  it('run their tasks', async () => {
    await expect.poll(replicas, within).toBe('client 1/1\nfar 1/1\nvip 1/1\nweb 1/1');
  });

  it('carry traffic by name from one engine to the other', async () => {
    await expect
      .poll(() => inside('client', 'wget', '-q', '-O', '-', 'http://web/').catch(String), within)
      .toBe('hello from web');
  });

  it('know aliases, tasks and services on both engines', async () => {
    await expect.poll(() => addressesOf('www'), within).toBe(2);
    expect(await addressesOf('tasks.web')).toBe(1);
    expect(await addressesOf('vip')).toBe(1);
  });

  it('resolve a service to the virtual address the managers chose', async () => {
    const [service] = await manager.ask<{ Endpoint: { VirtualIPs: { NetworkID: string; Addr: string }[] } }[]>(
      'GET',
      '/services?filters={"name":["vip"]}',
    );
    const [back] = await manager.ask<{ Id: string }[]>('GET', '/networks?filters={"name":["back"]}');
    const vip = service?.Endpoint.VirtualIPs.find((ip) => ip.NetworkID === back?.Id)?.Addr.split('/')[0];
    expect(await inside('client', 'nslookup', 'vip', '127.0.0.11')).toContain(vip);
  });

  itWith(['ipvs'], 'lead connections to a virtual address and to a published port', async () => {
    await expect
      .poll(() => inside('client', 'wget', '-q', '-O', '-', 'http://vip/').catch(String), within)
      .toBe('hello from vip');
  });

  it('give containers started by hand an address in attachable networks, and take it back', async () => {
    const engine = (await container('client')).engine;
    const serviceless = async (): Promise<number> => {
      const tasks = await manager.ask<{ ServiceID?: string }[]>('GET', '/tasks');
      return tasks.filter(({ ServiceID }) => !ServiceID).length;
    };
    const answer = await engine.docker(
      'run',
      '--rm',
      '--network',
      'back',
      BUSYBOX_IMAGE,
      'wget',
      '-q',
      '-O',
      '-',
      'http://web/',
    );
    expect(answer).toBe('hello from web');
    await expect.poll(serviceless, within).toBe(0);
    await docker(manager, 'network', 'create', '-d', 'overlay', 'closed');
    await expect(engine.docker('run', '--rm', '--network', 'closed', BUSYBOX_IMAGE, 'true')).rejects.toThrow(
      /not manually attachable/,
    );
  });

  it('let go of a network with its last task', async () => {
    await docker(manager, 'service', 'rm', 'web', 'far', 'vip', 'client');
    for (const engine of engines) {
      await expect.poll(() => engine.docker('network', 'ls', '--format', '{{.Name}}'), within).not.toMatch(/^back$/m);
    }
    await expect.poll(() => docker(manager, 'network', 'rm', 'back').catch(String), within).toBe('back');
  });
});

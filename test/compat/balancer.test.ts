/** Connections to published ports and virtual addresses, led by the kernel from host to host. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Routes } from '../../src/worker/balancer/routes.ts';
import { CONNECTION_MARK, rulesetOf } from '../../src/worker/balancer/ruleset.ts';
import { NetworkNamespace } from '../../src/worker/network/namespace.ts';
import { hardwareAddress } from '../../src/worker/network/overlay.ts';
import { VxlanDevice } from '../../src/worker/network/vxlan.ts';
import { docker, TestDaemon } from '../support/cluster.ts';
import { run } from '../support/docker-engine.ts';
import { NetworkLab } from '../support/network-lab.ts';
import { describeWith, itWith } from '../support/requirements.ts';

const within = { timeout: 30_000, interval: 100 };
const NOTHING: Routes = { ports: [], addresses: [], nodes: [], ownAddresses: [] };

describeWith(['root', 'ip', 'nft', 'busybox'], 'the rules of the load balancer', () => {
  let lab: NetworkLab;
  let folder: string;
  const servers: ChildProcess[] = [];
  const hosts: { readonly namespace: string; readonly address: string }[] = [];

  const inside = (namespace: string, command: string, ...args: readonly string[]): Promise<string> =>
    run('nsenter', [`--net=/run/netns/${namespace}`, '--', command, ...args]);
  const shell = (namespace: string, line: string): Promise<string> => inside(namespace, 'sh', '-c', line);
  /** A web server that says its name. */
  async function serve(namespace: string, name: string, port: number): Promise<void> {
    const root = path.join(folder, name);
    await mkdir(root);
    await writeFile(path.join(root, 'index.html'), name);
    const words = ['busybox', 'httpd', '-f', '-p', String(port), '-h', root];
    servers.push(spawn('nsenter', [`--net=/run/netns/${namespace}`, '--', ...words], { stdio: 'ignore' }));
    const url = `http://127.0.0.1:${port}/`;
    await expect
      .poll(() => inside(namespace, 'busybox', 'wget', '-q', '-O', '-', url).catch(String), within)
      .toBe(name);
  }
  const get = (namespace: string, at: string): Promise<string> =>
    inside(namespace, 'timeout', '3', 'busybox', 'wget', '-q', '-O', '-', `http://${at}/`).catch(String);
  const several = async (count: number, namespace: string, at: string): Promise<readonly string[]> => {
    const answers: string[] = [];
    for (let i = 0; i < count; i++) answers.push(await get(namespace, at));
    return answers.toSorted();
  };
  /** Puts the rules of a node into its namespace. */
  async function lead(namespace: string, routes: Partial<Routes>): Promise<void> {
    const file = path.join(folder, `${namespace}.nft`);
    await writeFile(file, rulesetOf('swarmd_test', { ...NOTHING, ...routes }));
    await inside(namespace, 'nft', '-f', file);
  }

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'swarmd-balancer-'));
    lab = await NetworkLab.start();
    for (let i = 0; i < 3; i++) hosts.push(await lab.addHost());
    for (const { namespace } of hosts) {
      await shell(
        namespace,
        'echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet',
      );
    }
  });
  afterAll(async () => {
    for (const server of servers) server.kill('SIGKILL');
    await lab?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('spread connections to any node over the tasks of all, from inside and outside', async () => {
    const [one, two, three] = hosts;
    // One task listens on its host, the other has an address of its own behind its host.
    await serve(one!.namespace, 'first', 8081);
    const box = await lab.addNamespace();
    await shell(
      two!.namespace,
      `ip link add br0 type bridge; ip addr add 172.17.0.1/16 dev br0; ip link set br0 up;
       ip link add task type veth peer name eth0 netns ${box}; ip link set task master br0 up; bridge link set dev task hairpin on`,
    );
    await shell(box, 'ip addr add 172.17.0.2/16 dev eth0; ip link set eth0 up; ip route add default via 172.17.0.1');
    await serve(box, 'second', 80);
    // As an engine sets up its host, and what the agent adds to it.
    await shell(
      two!.namespace,
      `iptables -P FORWARD DROP; iptables -N DOCKER-USER; iptables -A FORWARD -j DOCKER-USER
       iptables -A FORWARD -o br0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
       iptables -A FORWARD -i br0 ! -o br0 -j ACCEPT; iptables -A FORWARD -i br0 -o br0 -j ACCEPT
       iptables -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o br0 -j MASQUERADE
       iptables -I DOCKER-USER -m connmark --mark ${CONNECTION_MARK} -j ACCEPT`,
    );
    const port = { protocol: 'tcp', port: 8080 } as const;
    const toOne = { address: one!.address, port: 8080 };
    const toTwo = { address: two!.address, port: 8080 };
    const [first, second] = [{ port: 8081 }, { address: '172.17.0.2', port: 80 }];
    await lead(one!.namespace, {
      ports: [{ ...port, everywhere: [first, toTwo], here: [first] }],
      nodes: [two!.address],
    });
    await lead(two!.namespace, {
      ports: [{ ...port, everywhere: [second, toOne], here: [second] }],
      nodes: [one!.address],
      ownAddresses: ['172.17.0.2'],
    });
    await lead(three!.namespace, {
      ports: [{ ...port, everywhere: [toOne, toTwo], here: [] }],
      nodes: [one!.address, two!.address],
    });
    const stranger = await lab.addHost();
    const both = ['first', 'first', 'second', 'second'];
    for (const { namespace, address } of hosts) {
      expect(await several(4, stranger.namespace, `${address}:8080`), `from outside at ${address}`).toEqual(both);
      expect(await several(4, namespace, `${address}:8080`), `from ${address} itself`).toEqual(both);
      expect(await several(4, namespace, '127.0.0.1:8080'), `from ${address} by loopback`).toEqual(both);
    }
    expect(await several(4, box, `${two!.address}:8080`), 'from a task').toEqual(both);
  });

  it('spread datagrams too, and bring the answers back', async () => {
    const [one, two, three] = hosts;
    const node = (namespace: string, program: string): readonly string[] => [
      `--net=/run/netns/${namespace}`,
      '--',
      process.execPath,
      '-e',
      `const socket = require('node:dgram').createSocket('udp4'); ${program}`,
    ];
    for (const [at, name] of [
      [one, 'first'],
      [two, 'second'],
    ] as const) {
      const echo = `socket.on('message', (text, { port, address }) => socket.send('${name} ' + text, port, address)); socket.bind(8053)`;
      servers.push(spawn('nsenter', node(at!.namespace, echo), { stdio: 'ignore' }));
    }
    const question = (at: string, port: number): string =>
      `socket.on('message', (text) => { console.log(String(text)); process.exit() }); socket.send('ping', ${port}, '${at}'); setTimeout(() => process.exit(1), 3000)`;
    const asks = async (namespace: string, at: string, port: number): Promise<string> =>
      (await run('nsenter', node(namespace, question(at, port))).catch(() => 'nothing')).trim();
    for (const { address } of [one!, two!]) {
      await expect.poll(() => asks(three!.namespace, address, 8053), within).toMatch(/ping/);
    }
    const port = { protocol: 'udp', port: 53 } as const;
    const toOne = { address: one!.address, port: 53 };
    const toTwo = { address: two!.address, port: 53 };
    const own = { port: 8053 };
    const nodes = hosts.map(({ address }) => address);
    await lead(one!.namespace, { ports: [{ ...port, everywhere: [own, toTwo], here: [own] }], nodes });
    await lead(two!.namespace, { ports: [{ ...port, everywhere: [own, toOne], here: [own] }], nodes });
    await lead(three!.namespace, { ports: [{ ...port, everywhere: [toOne, toTwo], here: [] }], nodes });
    const stranger = await lab.addHost();
    for (const { address } of hosts) {
      const answers: string[] = [];
      for (let i = 0; i < 4; i++) answers.push(await asks(stranger.namespace, address, 53));
      expect(answers.toSorted(), `at ${address}`).toEqual(['first ping', 'first ping', 'second ping', 'second ping']);
    }
  });

  it('lead nowhere once they are gone, and keep strangers off loopback addresses', async () => {
    const [one, two] = hosts;
    await shell(two!.namespace, `ip route add 127.0.0.2 via ${one!.address}`).catch(() => undefined);
    await lead(one!.namespace, {});
    expect(await get(two!.namespace, `${one!.address}:8080`)).toMatch(/refused/);
    expect(await shell(one!.namespace, 'nft list tables')).toBe('');
  });

  itWith(['vxlan'], 'lead a virtual address to each task on its network, the one that asks as well', async () => {
    const places: { readonly host: string; readonly box: string; readonly device: VxlanDevice }[] = [];
    const tasks = ['10.9.0.3', '10.9.0.4'];
    const nodes: string[] = [];
    for (const [i, task] of tasks.entries()) {
      const { namespace: host, address } = await lab.addHost();
      nodes.push(address);
      const bridge = `br-b${i}-${process.pid % 100_000}`;
      const box = await lab.addNamespace();
      await shell(
        host,
        `echo 1 > /proc/sys/net/ipv4/ip_forward
         ip link add ${bridge} type bridge; ip addr add 10.9.0.1/24 dev ${bridge}; ip addr add 10.9.0.2/32 dev ${bridge}
         ip link set ${bridge} mtu 1450 up; ip link add task type veth peer name eth0 netns ${box}
         ip link set task master ${bridge} up; bridge link set dev task hairpin on`,
      );
      const hardware = hardwareAddress(task);
      await shell(box, `ip link set eth0 address ${hardware} mtu 1450 up; ip addr add ${task}/24 dev eth0`);
      await serve(box, `task-${task}`, 80);
      // A namespace is found by a process that lives there, as an engine would.
      servers.push(spawn('nsenter', [`--net=/run/netns/${host}`, '--', 'sleep', '1000'], { stdio: 'ignore' }));
      const namespace = await vi.waitFor(() => NetworkNamespace.having(bridge), 5_000);
      const device = await VxlanDevice.make({ namespace, bridge, vxlanId: 4098, port: 4789, mtu: '1450' });
      places.push({ host, box, device });
    }
    for (const [i, { host, device }] of places.entries()) {
      await device.lead(new Map([[tasks[1 - i]!, nodes[1 - i]!]]));
      await lead(host, {
        addresses: [{ address: '10.9.0.2', backends: tasks.map((address) => ({ address })) }],
        ownAddresses: [tasks[i]!],
      });
    }
    const both = ['task-10.9.0.3', 'task-10.9.0.3', 'task-10.9.0.4', 'task-10.9.0.4'];
    for (const { box } of places) expect(await several(4, box, '10.9.0.2')).toEqual(both);
    for (const { device } of places) await device.remove();
  });
});

describeWith(['root', 'ip', 'nft', 'busybox'], 'nodes with the process runtime', () => {
  let lab: NetworkLab;
  let folder: string;
  const daemons: TestDaemon[] = [];
  const addresses: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'swarmd-mesh-'));
    lab = await NetworkLab.start();
    for (const name of ['boss', 'one', 'two']) {
      const { namespace, address } = await lab.addHost();
      const [boss] = daemons;
      const role = boss
        ? [
            'worker',
            '--join',
            `${addresses[0]}:2377`,
            '--token',
            await docker(boss, 'swarm', 'join-token', '-q', 'worker'),
          ]
        : ['manager', '--runtime', 'none'];
      const daemon = new TestDaemon(name, folder, [...role, '--listen-addr', `${address}:2377`], namespace);
      daemons.push(daemon);
      addresses.push(address);
      await daemon.start();
    }
  });
  afterAll(async () => {
    const [boss, ...workers] = daemons;
    if (boss) await docker(boss, 'service', 'rm', 'web').catch(() => undefined);
    await Promise.all(workers.map((worker) => docker(worker, 'swarm', 'leave').catch(() => undefined)));
    await Promise.all(daemons.map((daemon) => daemon.kill()));
    await lab?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('answer at a published port wherever the tasks are', async () => {
    const [boss] = daemons;
    const script = ['sh', '-c', 'mkdir www; echo $SLOT > www/index.html; exec busybox httpd -f -p 8090 -h www'];
    const flags = ['--detach', '--replicas', '2', '--publish', '8080:8090', '--env', 'SLOT={{.Task.Slot}}'];
    await docker(boss!, 'service', 'create', '--name', 'web', ...flags, 'host', ...script);
    const get = (from: TestDaemon, at: string): Promise<string> =>
      run('nsenter', [
        `--net=/run/netns/${from.namespace ?? ''}`,
        '--',
        'busybox',
        'wget',
        '-q',
        '-O',
        '-',
        `http://${at}:8080/`,
      ]).catch(String);
    for (const from of daemons) {
      // What comes from a node with tasks counts as sent on by it, so those ask themselves; the other one asks all.
      const own = [from === boss ? addresses : (addresses[daemons.indexOf(from)] ?? ''), '127.0.0.1'].flat();
      for (const at of own) {
        // Each node takes turns of its own, so two in a row may meet the same task.
        const several = async (): Promise<string> => {
          const answers = [await get(from, at), await get(from, at), await get(from, at), await get(from, at)];
          return [...new Set(answers)].toSorted().join(' ');
        };
        await expect.poll(several, within).toBe('1 2');
      }
    }
    await docker(boss!, 'service', 'scale', '--detach', 'web=1');
    await expect
      .poll(async () => new Set([await get(boss!, addresses[0]!), await get(boss!, addresses[0]!)]).size, within)
      .toBe(1);
  });
});

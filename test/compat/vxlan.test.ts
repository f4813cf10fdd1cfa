/** The way of an overlay network from host to host, with the kernel's own devices and no engine. */
import { spawn, type ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { NetworkNamespace } from '../../src/worker/network/namespace.ts';
import { hardwareAddress } from '../../src/worker/network/overlay.ts';
import { VxlanDevice } from '../../src/worker/network/vxlan.ts';
import { run } from '../support/docker-engine.ts';
import { NetworkLab } from '../support/network-lab.ts';
import { describeWith } from '../support/requirements.ts';

const within = { timeout: 10_000, interval: 100 };

describeWith(['root', 'ip', 'vxlan', 'busybox'], 'an overlay network between two hosts', () => {
  let lab: NetworkLab;
  const residents: ChildProcess[] = [];
  const hosts: { readonly address: string; readonly bridge: string; readonly place: NetworkNamespace }[] = [];
  const devices: VxlanDevice[] = [];
  const tasks: { readonly namespace: string; readonly address: string }[] = [];

  beforeAll(async () => {
    lab = await NetworkLab.start();
    for (const number of [1, 2]) {
      const { namespace, address } = await lab.addHost();
      const bridge = `br-t${number}-${process.pid % 100_000}`;
      const task = { namespace: await lab.addNamespace(), address: `10.99.0.${number + 1}` };
      const inHost = (...words: readonly string[]): Promise<string> => run('ip', ['-n', namespace, ...words]);
      await inHost('link', 'add', bridge, 'type', 'bridge');
      await inHost('addr', 'add', '10.99.0.1/24', 'dev', bridge);
      await inHost('link', 'set', bridge, 'up');
      await inHost('link', 'add', 'task', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', task.namespace);
      await inHost('link', 'set', 'task', 'master', bridge, 'up');
      const hardware = hardwareAddress(task.address);
      await run('ip', ['-n', task.namespace, 'link', 'set', 'eth0', 'address', hardware, 'mtu', '1450', 'up']);
      await run('ip', ['-n', task.namespace, 'addr', 'add', `${task.address}/24`, 'dev', 'eth0']);
      // A namespace is found by a process that lives there, as an engine would.
      residents.push(spawn('nsenter', [`--net=/run/netns/${namespace}`, '--', 'sleep', '1000'], { stdio: 'ignore' }));
      const place = await vi.waitFor(() => NetworkNamespace.having(bridge), 5_000);
      hosts.push({ address, bridge, place });
      tasks.push(task);
    }
  });
  afterAll(async () => {
    for (const device of devices) await device.remove();
    for (const resident of residents) resident.kill('SIGKILL');
    await lab?.close();
  });

  const make = async (host: number): Promise<VxlanDevice> => {
    const { bridge, place } = hosts[host]!;
    return VxlanDevice.make({ namespace: place, bridge, vxlanId: 4097, port: 4789, mtu: '1450' });
  };
  const ping = (from: number, to: number): Promise<boolean> =>
    run('ip', [
      'netns',
      'exec',
      tasks[from]!.namespace,
      'busybox',
      'ping',
      '-c',
      '1',
      '-W',
      '1',
      '-s',
      '1400',
      tasks[to]!.address,
    ]).then(
      () => true,
      () => false,
    );

  it('leads to a task on the other host once it is told where that is', async () => {
    devices.push(await make(0), await make(1));
    expect(await ping(0, 1)).toBe(false);
    await devices[0]!.lead(new Map([[tasks[1]!.address, hosts[1]!.address]]));
    await devices[1]!.lead(new Map([[tasks[0]!.address, hosts[0]!.address]]));
    await expect.poll(() => ping(0, 1), within).toBe(true);
    expect(await ping(1, 0)).toBe(true);
  });

  it('is there again after an agent that starts anew has heard of the others', async () => {
    devices[0] = await make(0);
    await devices[0].lead(new Map([[tasks[1]!.address, hosts[1]!.address]]));
    await expect.poll(() => ping(0, 1), within).toBe(true);
  });

  it('leads nowhere once a task is gone', async () => {
    await devices[0]!.lead(new Map());
    await run('ip', ['-n', tasks[0]!.namespace, 'neigh', 'flush', 'all']);
    expect(await ping(0, 1)).toBe(false);
  });
});

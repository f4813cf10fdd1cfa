import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cliRig, swarmctl, TestTerminal } from '../../support/cli.ts';
import { UNLOCK_KEY } from '../../support/api-rig.ts';

let rig: Awaited<ReturnType<typeof cliRig>>;
beforeAll(async () => {
  rig = await cliRig();
});
afterAll(() => rig.close());

const KEY = `SWMKEY-1-${UNLOCK_KEY.toString('base64').replace(/=+$/, '')}`;

describe('swarmctl swarm', () => {
  it('shows the root certificate, and asks for another', async () => {
    const shown = await rig.run('swarm', 'ca');
    expect(shown.stdout).toMatch(/^-----BEGIN CERTIFICATE-----\n[\s\S]+-----END CERTIFICATE-----\n$/);
    expect(await rig.run('swarm', 'ca', '--rotate', '--detach')).toMatchObject({ code: 0, stdout: '' });
    expect(rig.store.read.cluster.all()[0]?.spec?.caConfig?.forceRotate).toBe(1);
    expect(await rig.run('swarm', 'ca', '--cert-expiry', '1h')).toMatchObject({
      code: 2,
      stderr: 'swarmctl: --cert-expiry: goes with --rotate only\n',
    });
  });

  it('tells how to join, to people and to programs', async () => {
    const { Worker, Manager } = { Worker: 'SWMTKN-1-w', Manager: 'SWMTKN-1-m' };
    const address = '127.0.0.1:2377';
    const worker = await rig.run('swarm', 'join-token', 'worker');
    expect(worker.stdout).toBe(
      `\nto add a worker, run there:\n\n  swarmd worker --join ${address} --token ${Worker}\n` +
        `\nor, on a Docker Engine (workers only):\n\n  docker swarm join --token ${Worker} ${address}\n`,
    );
    const manager = await rig.run('swarm', 'join-token', 'manager');
    expect(manager.stdout).toBe(
      `\nto add a manager, run there:\n\n  swarmd manager --join ${address} --token ${Manager}\n`,
    );
    const told = await rig.run('swarm', 'join-token', '--output', 'json', 'manager');
    expect(JSON.parse(told.stdout)).toEqual({ Role: 'manager', Token: Manager, Address: address });
    const { stdout } = await rig.run('swarm', 'ca', '--output', 'json');
    expect(JSON.parse(stdout)).toMatchObject({ TrustRoot: (await rig.run('swarm', 'ca')).stdout });
  });

  it('names authorities outside of the swarm', async () => {
    const external = (text: string) => rig.run('swarm', 'update', '--external-ca', text);
    const given = await external('protocol=cfssl,url=https://ca.example:8888/sign,profile=swarm');
    expect(given).toMatchObject({ code: 0, stdout: 'swarm updated\n' });
    const caConfig = () => rig.store.read.cluster.all()[0]?.spec?.caConfig;
    expect(caConfig()?.externalCas).toMatchObject([
      { url: 'https://ca.example:8888/sign', options: { profile: 'swarm' }, caCert: Buffer.of() },
    ]);
    for (const [text, why] of [
      ['https://ca.example', '"https://ca.example" is not key=value'],
      ['url=https://ca.example', 'protocol is missing'],
      ['protocol=acme,url=https://ca.example', 'protocol "acme" is not known'],
      ['protocol=cfssl', 'url is missing'],
    ] as const) {
      const refused = await external(text);
      expect(refused).toMatchObject({ code: 2 });
      expect(refused.stderr).toContain(`--external-ca "${text}": ${why}: write protocol=cfssl,url=`);
    }
  });

  it('locks managers and shows the key that unlocks them', async () => {
    const none = await rig.run('swarm', 'unlock-key');
    expect([none.code, none.stderr]).toEqual([
      1,
      'swarmctl: the managers of this swarm are not locked: turn it on with "swarmctl swarm update --autolock on"\n',
    ]);
    const locked = await rig.run('swarm', 'update', '--autolock', 'on');
    expect(locked.stdout).toContain(`swarm updated\nto unlock a manager after it restarts`);
    expect((await rig.run('swarm', 'unlock-key', '--quiet')).stdout).toBe(`${KEY}\n`);
    expect((await rig.run('swarm', 'unlock-key', '--output', 'yaml')).stdout).toBe(`UnlockKey: ${KEY}\n`);
    await rig.run('swarm', 'update', '--autolock', 'off');
  });

  it('unlocks with the key it asks for', async () => {
    rig.setNode({ state: 'locked' }, false);
    const unlock = (key: string) =>
      swarmctl(['--host', rig.host, 'swarm', 'unlock'], new TestTerminal({ ask: () => Promise.resolve(key) }));
    expect((await unlock(KEY)).stdout).toBe('this manager is unlocked\n');
    expect((await unlock(`SWMKEY-1-${Buffer.alloc(32, 9).toString('base64').replace(/=+$/, '')}`)).code).toBe(4);
    expect((await unlock('')).stderr).toContain('no unlock key was given');
    rig.setNode({}, true);
  });

  it('ends with 4 when the role of the node forbids it, and with 5 when waiting may help', async () => {
    const init = await rig.run('swarm', 'init');
    expect([init.code, init.stderr]).toEqual([4, expect.stringContaining('already part of a swarm')]);
    expect((await rig.run('swarm', 'leave')).code).toBe(4);
    for (const node of [{ isManager: false }, { state: 'inactive', isManager: false }] as const) {
      rig.setNode(node, false);
      const { code, stderr } = await rig.run('service', 'ls');
      expect([code, stderr]).toEqual([4, expect.stringContaining('This node is not a swarm manager.')]);
    }
    rig.setNode({ state: 'pending' }, false);
    expect((await rig.run('service', 'ls')).code).toBe(5);
    rig.setNode({}, true);
  });

  it('takes settings as people write them', async () => {
    await rig.run('swarm', 'update', '--cert-expiry', '48h', '--dispatcher-heartbeat', '3s');
    const spec = rig.store.read.cluster.all()[0]?.spec;
    expect(spec?.caConfig?.nodeCertExpiry?.seconds).toBe(48 * 3600);
    expect(spec?.dispatcher?.heartbeatPeriod?.seconds).toBe(3);
  });

  it('removes networks nobody uses', async () => {
    await rig.run('network', 'create', 'unused');
    expect(await rig.run('network', 'prune', '--filter', 'label=none')).toMatchObject({ code: 0, stdout: '' });
    expect(await rig.run('network', 'prune', '--yes')).toMatchObject({ code: 0, stdout: 'unused\n' });
  });
});

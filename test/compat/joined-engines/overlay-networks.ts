/** Overlay networks between engines: names, traffic, containers started by hand. */
import { beforeAll, describe, expect, it } from 'vitest';
import { BUSYBOX_IMAGE } from '../../support/docker-engine.ts';
import type { EngineContainer, EngineLab } from '../../support/engine-lab.ts';
import { itWith } from '../../support/requirements.ts';
import { within } from './within.ts';

const SERVE = 'echo hello from $NAME > /index.html; exec httpd -f -p 80 -h /';

export function describeOverlayNetworks(lab: () => EngineLab): void {
  describe('have overlay networks', () => {
    const create = (name: string, node: string, flags: readonly string[], script: string): Promise<string> =>
      lab().create(name, ['--env', `NAME=${name}`, '--constraint', `node.id==${node}`, ...flags], script);
    beforeAll(async () => {
      await lab().docker('network', 'create', '-d', 'overlay', '--attachable', 'back');
      const [one = '', two = ''] = await Promise.all(lab().engines.map((engine) => lab().nodeIdOf(engine)));
      await create('web', one, ['--endpoint-mode', 'dnsrr', '--network', 'name=back,alias=www'], SERVE);
      await create('far', two, ['--endpoint-mode', 'dnsrr', '--network', 'name=back,alias=www'], SERVE);
      await create('vip', one, ['--network', 'back', '--publish', '8080:80'], SERVE);
      await create('client', two, ['--network', 'back'], 'sleep 100000');
    });

    const container = async (service: string): Promise<EngineContainer> => {
      const found = (await lab().containers(service)).find(({ isRunning }) => isRunning);
      if (!found) throw new Error(`no container of ${service}`);
      return found;
    };
    const addressesOf = async (name: string): Promise<number> => {
      const text = await lab()
        .inside('client', 'nslookup', name, '127.0.0.11')
        .catch(() => '');
      const found = [...text.matchAll(/^Address(?: \d+)?:\s+(\d+\.\d+\.\d+\.\d+)$/gm)].map(([, address]) => address);
      return new Set(found.filter((address) => address !== '127.0.0.11')).size;
    };
    /** A network as an engine has built it, or as the managers have it. */
    const network = async (name: string, host: { docker(...args: readonly string[]): Promise<string> }) => {
      const [found] = JSON.parse(await host.docker('network', 'inspect', name)) as {
        readonly IPAM: { readonly Config: { readonly Subnet: string; readonly Gateway: string }[] };
        readonly Options: Readonly<Record<string, string>>;
        readonly Containers: Readonly<Record<string, { readonly Name: string; readonly IPv4Address: string }>> | null;
      }[];
      const containers = Object.values(found?.Containers ?? {});
      return {
        subnet: found?.IPAM.Config[0]?.Subnet ?? '',
        gateway: found?.IPAM.Config[0]?.Gateway ?? '',
        vxlan: found?.Options['com.docker.network.driver.overlay.vxlanid_list'],
        endpoints: containers.map(({ Name }) => Name),
        addresses: containers.map(({ IPv4Address }) => IPv4Address.replace(/\/.*/, '')),
      };
    };
    const replicas = (): Promise<string> => lab().docker('service', 'ls', '--format', '{{.Name}} {{.Replicas}}');

    it('run their tasks', async () => {
      await expect.poll(replicas, within).toBe('client 1/1\nfar 1/1\nvip 1/1\nweb 1/1');
    });

    it('carry traffic by name from one engine to the other', async () => {
      await expect
        .poll(() => lab().inside('client', 'wget', '-q', '-O', '-', 'http://web/').catch(String), within)
        .toBe('hello from web');
    });

    it('know aliases, tasks and services on both engines', async () => {
      await expect.poll(() => addressesOf('www'), within).toBe(2);
      expect(await addressesOf('tasks.web')).toBe(1);
      expect(await addressesOf('vip')).toBe(1);
    });

    it('resolve a service to the virtual address the managers chose', async () => {
      const [service] = await lab().manager.ask<{ Endpoint: { VirtualIPs: { NetworkID: string; Addr: string }[] } }[]>(
        'GET',
        '/services?filters={"name":["vip"]}',
      );
      const [back] = await lab().manager.ask<{ Id: string }[]>('GET', '/networks?filters={"name":["back"]}');
      const vip = service?.Endpoint.VirtualIPs.find((ip) => ip.NetworkID === back?.Id)?.Addr.split('/')[0];
      expect(await lab().inside('client', 'nslookup', 'vip', '127.0.0.11')).toContain(vip);
    });

    it('have the addresses that the managers chose, also for what leads connections to services', async () => {
      const vip = await container('vip');
      const [task] = await lab().manager.ask<{ NetworksAttachments: { Addresses: string[] }[] }[]>(
        'GET',
        `/tasks?filters={"service":["vip"],"desired-state":["running"]}`,
      );
      const own = await lab().inside('vip', 'ip', '-o', '-4', 'addr');
      const told = (task?.NetworksAttachments ?? []).flatMap(({ Addresses }) => Addresses);
      expect(told.length).toBe(2);
      for (const address of told) expect(own).toContain(` ${address} `);
      // Every engine has an end of the routing mesh, and one of each network its tasks are on.
      for (const [name, end, holders] of [
        ['ingress', 'ingress-endpoint', lab().engines],
        ['back', 'back-endpoint', [vip.engine]],
      ] as const) {
        const chosen = await network(name, lab());
        const held = [chosen.gateway];
        for (const engine of holders) {
          const built = await network(name, engine);
          expect(built).toMatchObject({ subnet: chosen.subnet, gateway: chosen.gateway, vxlan: chosen.vxlan });
          expect(built.endpoints).toContain(end);
          held.push(...built.addresses);
        }
        expect(new Set(held).size).toBe(held.length);
      }
    });

    itWith(['ipvs'], 'lead connections to a virtual address and to a published port', async () => {
      await expect
        .poll(() => lab().inside('client', 'wget', '-q', '-O', '-', 'http://vip/').catch(String), within)
        .toBe('hello from vip');
    });

    it('give containers started by hand an address in attachable networks, and take it back', async () => {
      const engine = (await container('client')).engine;
      const { gateway } = await network('back', lab());
      const wanted = gateway.replace(/\d+$/, '200');
      // Nobody else may have the address meanwhile, and the second can have it only once the first has given it back.
      for (const _ of ['first', 'second']) {
        const answer = await engine.docker(
          'run',
          '--rm',
          '--network',
          'back',
          '--ip',
          wanted,
          BUSYBOX_IMAGE,
          'sh',
          '-c',
          'hostname -i && wget -q -O - http://web/',
        );
        expect(answer).toBe(`${wanted}\nhello from web`);
      }
      await lab().docker('network', 'create', '-d', 'overlay', 'closed');
      await expect(engine.docker('run', '--rm', '--network', 'closed', BUSYBOX_IMAGE, 'true')).rejects.toThrow(
        /not manually attachable/,
      );
    });

    it('let go of a network with its last task', async () => {
      await lab().docker('service', 'rm', 'web', 'far', 'vip', 'client');
      for (const engine of lab().engines) {
        await expect.poll(() => engine.docker('network', 'ls', '--format', '{{.Name}}'), within).not.toMatch(/^back$/m);
      }
      await expect.poll(() => lab().docker('network', 'rm', 'back').catch(String), within).toBe('back');
    });
  });
}

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

    itWith(['ipvs'], 'lead connections to a virtual address and to a published port', async () => {
      await expect
        .poll(() => lab().inside('client', 'wget', '-q', '-O', '-', 'http://vip/').catch(String), within)
        .toBe('hello from vip');
    });

    it('give containers started by hand an address in attachable networks, and take it back', async () => {
      const engine = (await container('client')).engine;
      const serviceless = async (): Promise<number> => {
        const tasks = await lab().manager.ask<{ ServiceID?: string }[]>('GET', '/tasks');
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

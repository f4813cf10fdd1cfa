/** The docker driver keeps the contract of drivers with a real engine, and gives containers what a service asks for. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/common/log.ts';
import { durationOfMs } from '../../src/common/time.ts';
import {
  Config,
  Endpoint,
  NetworkAttachment,
  Task,
  type Secret,
} from '../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import {
  ConfigReference,
  Mount,
  Mount_Type,
  type PortConfig,
  PortConfig_Protocol,
  PortConfig_PublishMode,
  SecretReference,
} from '../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { DockerDriver } from '../../src/worker/drivers/docker/docker-driver.ts';
import type { LogLine, TaskController, TaskDependencies } from '../../src/worker/drivers/driver.ts';
import { BUSYBOX_IMAGE, DockerEngine } from '../support/docker-engine.ts';
import { describeDriver, type Behaviour } from '../support/driver-compliance.ts';
import { describeWith } from '../support/requirements.ts';
import { aSecret, assignedTask, type TaskGiven } from '../support/worker-builders.ts';

let engine: DockerEngine;

describeWith(['root', 'docker', 'dockerd', 'ip', 'busybox'], 'with a real engine', () => {
  beforeAll(async () => {
    engine = await DockerEngine.start();
  });
  afterAll(() => engine?.close());

  describeDriver('docker', DockerDriver.abilities, () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'swarmd-docker-driver-'));
    return {
      open: () => DockerDriver.open({ directory, engine: engine.host, log: silentLogger }),
      task: (id, behaviour) =>
        assignedTask(id, {
          image: BUSYBOX_IMAGE,
          script: shellOf(behaviour),
          stopGraceMs: 1000,
          ...(behaviour.isUnhealthy && {
            health: { test: ['CMD-SHELL', 'exit 1'], interval: durationOfMs(100), retries: 2 },
          }),
        }),
      foreignTask: Task.fromPartial({ id: 'foreign', spec: { runtime: { $case: 'generic', value: {} } } }),
      close: async () => {
        await removeContainers();
        rmSync(directory, { recursive: true, force: true });
      },
    };
  });

  describe('a container', () => {
    let directory: string;
    let driver: DockerDriver;
    beforeEach(async () => {
      directory = mkdtempSync(path.join(tmpdir(), 'swarmd-docker-driver-'));
      driver = await DockerDriver.open({ directory, engine: engine.host, log: silentLogger });
    });
    afterEach(async () => {
      await removeContainers();
      await driver.removeLeftover('t1');
      await driver.close();
      rmSync(directory, { recursive: true, force: true });
    });

    /** Runs a script to its end and resolves with what it printed. */
    async function output(script: string, given: TaskGiven = {}, dependencies = NOTHING): Promise<string> {
      const task = assignedTask('t1', { image: BUSYBOX_IMAGE, script, ...given });
      const controller = driver.controller(task, dependencies);
      await controller.prepare(never);
      await controller.start(never);
      await controller.wait(never);
      return printed(controller);
    }

    it('is called after its task and says whose it is', async () => {
      const task = assignedTask('t1', { image: BUSYBOX_IMAGE, container: { labels: { own: 'label' } } });
      const controller = driver.controller(task, NOTHING);
      await controller.prepare(never);
      const id = (await controller.status())?.containerId ?? '';
      expect(await inspected(id, '{{.Name}}')).toBe('/web.1.t1');
      expect(JSON.parse(await inspected(id, '{{json .Config.Labels}}'))).toEqual({
        own: 'label',
        'com.docker.swarm.node.id': 'node1',
        'com.docker.swarm.service.id': 'web-id',
        'com.docker.swarm.service.name': 'web',
        'com.docker.swarm.task': '',
        'com.docker.swarm.task.id': 't1',
        'com.docker.swarm.task.name': 'web.1.t1',
      });
    });

    it('is followed from before its start', async () => {
      const task = assignedTask('t1', { image: BUSYBOX_IMAGE, script: 'echo one; sleep 0.2; echo two' });
      const controller = driver.controller(task, NOTHING);
      await controller.prepare(never);
      const lines: string[] = [];
      const followed = (async () => {
        const options = { stdout: true, stderr: true, follow: true, tail: undefined, sinceMs: 0 };
        for await (const { data } of controller.logs(options, never)) lines.push(Buffer.from(data).toString());
      })();
      // The engine has been asked by then.
      await controller.status();
      await controller.start(never);
      await controller.wait(never);
      await followed;
      expect(lines).toEqual(['one', 'two']);
    });

    it('gets its environment, folder, host name and user', async () => {
      const container = {
        env: ['A=1', 'SLOT={{.Task.Slot}}'],
        dir: '/bin',
        hostname: 'h{{.Task.Slot}}',
        user: 'nobody',
      };
      const script = 'echo $A $SLOT $(pwd) $(hostname) $(id -un)';
      expect(await output(script, { container: { ...container, args: ['sh', '-c', script] } })).toBe(
        '1 1 /bin h1 nobody',
      );
    });

    it('gets binds, volumes and memory folders', async () => {
      const mounts = [
        Mount.fromPartial({ type: Mount_Type.BIND, source: directory, target: '/from-host', readonly: true }),
        Mount.fromPartial({ type: Mount_Type.VOLUME, source: 'kept', target: '/kept' }),
        Mount.fromPartial({ type: Mount_Type.TMPFS, target: '/memory', tmpfsOptions: { sizeBytes: 1 << 20 } }),
      ];
      const script = `grep -E ' /(from-host|kept|memory) ' /proc/mounts | while read a b c d e; do echo $b $c $(echo $d | cut -c1-2); done`;
      const lines = (await output(script, { container: { args: ['sh', '-c', script], mounts } }))
        .split('\n')
        .toSorted();
      expect(lines).toEqual(['/from-host ext4 ro', '/kept ext4 rw', '/memory tmpfs rw']);
      await engine.docker('rm', '-f', 'web.1.t1');
      await engine.docker('volume', 'rm', 'kept');
    });

    it('is refused with the words of the engine when a bound folder is missing', async () => {
      const mounts = [Mount.fromPartial({ type: Mount_Type.BIND, source: '/not/there', target: '/x' })];
      const controller = driver.controller(
        assignedTask('t1', { image: BUSYBOX_IMAGE, container: { mounts } }),
        NOTHING,
      );
      await expect(controller.prepare(never)).rejects.toThrow(
        'invalid mount config for type "bind": bind source path does not exist: /not/there',
      );
    });

    it('is refused when its image is nowhere', async () => {
      const controller = driver.controller(assignedTask('t1', { image: 'nowhere/to-be:found' }), NOTHING);
      await expect(controller.prepare(never)).rejects.toThrow('No such image: nowhere/to-be:found');
    });

    it('that cannot be started fails with the words of the engine', async () => {
      const controller = driver.controller(
        assignedTask('t1', { image: BUSYBOX_IMAGE, command: ['/missing'] }),
        NOTHING,
      );
      await controller.prepare(never);
      await expect(controller.start(never)).rejects.toThrow(/starting container failed: .*no such file/);
    });

    it('is bounded in memory, CPU, processes, files and capabilities', async () => {
      const controller = driver.controller(
        assignedTask('t1', {
          image: BUSYBOX_IMAGE,
          limits: { nanoCpus: 5e8, memoryBytes: 32 << 20 },
          container: {
            pidsLimit: 50,
            ulimits: [{ name: 'nofile', soft: 100, hard: 200 }],
            capabilityAdd: ['CAP_NET_ADMIN'],
            capabilityDrop: ['CAP_CHOWN'],
            sysctls: { 'net.ipv4.ip_forward': '0' },
            readOnly: true,
            init: true,
            groups: ['1234'],
            hosts: ['10.9.8.7 far away'],
            dnsConfig: DNS,
          },
        }),
        NOTHING,
      );
      await controller.prepare(never);
      await controller.start(never);
      const host = JSON.parse(await inspected('web.1.t1', '{{json .HostConfig}}')) as Record<string, unknown>;
      expect(host).toMatchObject({
        NanoCpus: 5e8,
        Memory: 32 << 20,
        PidsLimit: 50,
        Ulimits: [{ Name: 'nofile', Soft: 100, Hard: 200 }],
        CapAdd: ['CAP_NET_ADMIN'],
        CapDrop: ['CAP_CHOWN'],
        Sysctls: { 'net.ipv4.ip_forward': '0' },
        ReadonlyRootfs: true,
        Init: true,
        GroupAdd: ['1234'],
        ExtraHosts: ['far:10.9.8.7', 'away:10.9.8.7'],
        Dns: ['10.1.1.1'],
        DnsSearch: ['example.org'],
        DnsOptions: ['ndots:2'],
      });
    });

    it('reads secrets and configs, whose files are gone once it has ended', async () => {
      const container = {
        secrets: [
          SecretReference.fromPartial({
            secretId: 's1',
            secretName: 'key',
            target: { $case: 'file', value: { name: 'key', uid: '65534', gid: '0', mode: 0o400 } },
          }),
        ],
        configs: [
          ConfigReference.fromPartial({
            configId: 'c1',
            configName: 'conf',
            target: { $case: 'file', value: { name: '/etc/app/conf', uid: '0', gid: '0', mode: 0o444 } },
          }),
        ],
      };
      const script = 'cat /run/secrets/key /etc/app/conf; stat -c %u:%a /run/secrets/key';
      const dependencies: TaskDependencies = {
        secrets: new Map([['s1', aSecret('s1', 'key', 'hush\n')]]),
        configs: new Map([['c1', aConfig('c1', 'conf', 'loud\n')]]),
      };
      const task = assignedTask('t1', {
        image: BUSYBOX_IMAGE,
        container: { ...container, args: ['sh', '-c', script] },
      });
      const controller = driver.controller(task, dependencies);
      await controller.prepare(never);
      await controller.start(never);
      await controller.wait(never);
      expect(await printed(controller)).toBe('hush\nloud\n65534:400');
      await controller.finish?.();
      expect(existsSync(path.join(directory, 'private', 't1'))).toBe(false);
    });

    it('shows long lines whole, with the time they began', async () => {
      const controller = driver.controller(
        assignedTask('t1', {
          image: BUSYBOX_IMAGE,
          script: 'yes 0123456789 | head -n 5000 | tr -d "\\n"; echo; echo short >&2',
        }),
        NOTHING,
      );
      const before = Date.now();
      await controller.prepare(never);
      await controller.start(never);
      await controller.wait(never);
      const lines = await linesOf(controller);
      const texts = lines.map(
        ({ stream, data }) => `${stream} ${data.length} ${Buffer.from(data).toString().slice(-5)}`,
      );
      expect(texts.toSorted()).toEqual(['stderr 5 short', 'stdout 50000 56789']);
      for (const { timeMs } of lines) {
        expect(timeMs).toBeGreaterThan(before - 1000);
        expect(timeMs).toBeLessThan(Date.now() + 1000);
      }
    });

    it('turns healthy before its start is over, and is stopped when it turns unhealthy later', async () => {
      const script = 'touch /ok; sleep 1; rm /ok; sleep 1000';
      const controller = driver.controller(
        assignedTask('t1', {
          image: BUSYBOX_IMAGE,
          script,
          stopGraceMs: 100,
          health: { test: ['CMD-SHELL', 'test -e /ok'], interval: durationOfMs(200), retries: 2 },
        }),
        NOTHING,
      );
      await controller.prepare(never);
      await controller.start(never);
      expect(await inspected('web.1.t1', '{{.State.Health.Status}}')).toBe('healthy');
      expect(await controller.wait(never)).toEqual({ exitCode: 137, reason: 'dockerexec: unhealthy container' });
    });

    it('uses networks of the engine itself, and tells the host ports it got', async () => {
      const given = assignedTask('t1', { image: BUSYBOX_IMAGE });
      const port: PortConfig = {
        name: '',
        protocol: PortConfig_Protocol.TCP,
        targetPort: 80,
        publishedPort: 0,
        publishMode: PortConfig_PublishMode.HOST,
      };
      const controller = driver.controller(
        {
          ...given,
          // One port may be published twice; an engine binds it once.
          endpoint: { ...Endpoint.fromPartial({}), ports: [port, port] },
        },
        NOTHING,
      );
      await controller.prepare(never);
      await controller.start(never);
      const ports = (await controller.status())?.ports ?? [];
      expect(String(ports.length)).toBe(await inspected('web.1.t1', '{{len (index .NetworkSettings.Ports "80/tcp")}}'));
      const [bound] = ports;
      expect(bound).toMatchObject({ targetPort: 80, publishedPort: expect.any(Number) as number });
      expect(bound?.publishedPort).toBeGreaterThan(0);
      await controller.remove(never);

      const onHost = driver.controller(
        {
          ...given,
          networks: [
            { ...NetworkAttachment.fromPartial({ network: { driverState: { name: 'host' } } }), aliases: ['web'] },
          ],
        },
        NOTHING,
      );
      await onHost.prepare(never);
      await onHost.start(never);
      expect(await inspected('web.1.t1', '{{.HostConfig.NetworkMode}}')).toBe('host');
    });

    it('is waited for through a restart of the engine', async () => {
      const controller = driver.controller(
        assignedTask('t1', { image: BUSYBOX_IMAGE, script: 'sleep 4; exit 7' }),
        NOTHING,
      );
      await controller.prepare(never);
      await controller.start(never);
      const before = await controller.status();
      const waiting = controller.wait(never);
      const broken = expect(waiting).rejects.toMatchObject({ code: 'unavailable' });
      await engine.stopDaemon();
      await broken;
      await expect(controller.status()).rejects.toMatchObject({ code: 'unavailable' });
      await engine.startDaemon();
      expect(await controller.status()).toEqual(before);
      expect(await controller.wait(never)).toEqual({ exitCode: 7, reason: '' });
    });
  });
});

const NOTHING: TaskDependencies = { secrets: new Map<string, Secret>(), configs: new Map<string, Config>() };
const DNS = { nameservers: ['10.1.1.1'], search: ['example.org'], options: ['ndots:2'] };
const never = new AbortController().signal;

const aConfig = (id: string, name: string, data: string): Config =>
  Config.fromPartial({ id, spec: { annotations: { name }, data: Buffer.from(data) } });

const inspected = (container: string, format: string): Promise<string> =>
  engine.docker('container', 'inspect', '-f', format, container);

async function removeContainers(): Promise<void> {
  const left = await engine.docker('ps', '-aq');
  if (left !== '') await engine.docker('rm', '-f', ...left.split('\n'));
}

async function linesOf(controller: TaskController): Promise<readonly LogLine[]> {
  const lines: LogLine[] = [];
  const all = { stdout: true, stderr: true, follow: false, tail: undefined, sinceMs: 0 };
  for await (const line of controller.logs(all, never)) lines.push(line);
  return lines;
}

const printed = async (controller: TaskController): Promise<string> =>
  (await linesOf(controller)).map(({ data }) => Buffer.from(data).toString()).join('\n');

/** As the first process of a container a shell takes no signal it has no handler for. */
function shellOf({ runMs, exitCode = 0, prints = [], ignoresStop }: Behaviour): string {
  const lines = [
    ignoresStop ? "trap '' TERM" : `trap 'exit 143' TERM`,
    ...prints.map((text) => `echo ${text}`),
    `sleep ${runMs === undefined ? 1000 : runMs / 1000} & wait`,
  ];
  return [...lines, `exit ${exitCode}`].join('; ');
}

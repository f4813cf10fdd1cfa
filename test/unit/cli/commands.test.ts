import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cliRig, swarmctl, TestTerminal } from '../../support/cli.ts';

let rig: Awaited<ReturnType<typeof cliRig>>;
const create = (name: string, ...flags: readonly string[]) =>
  rig.run('service', 'create', '--detach', '--name', name, ...flags, 'nginx:1', 'serve');

beforeAll(async () => {
  rig = await cliRig();
  await create('web', '--replicas', '3', '--publish', '8080:80');
  await create('api', '--replicas', '2');
});
afterAll(() => rig.close());

/** Ids differ from run to run. */
const masked = (text: string): string => text.replaceAll(/\b[a-z0-9]{25}\b|\b[a-z0-9]{12}\b/g, '<id>');

describe('lists', () => {
  it('are tables for people', async () => {
    const { stdout } = await rig.run('service', 'ls');
    const [header = '', ...rows] = stdout.trimEnd().split('\n');
    expect(header).toBe('ID             NAME   MODE         REPLICAS   IMAGE     PORTS   UPDATE');
    expect(rows.map((row) => row.slice(15))).toEqual([
      'api    replicated   0/2        nginx:1',
      'web    replicated   0/3        nginx:1',
    ]);
  });

  it.each([
    [['--format', '{{.Name}}: {{.Replicas}}'], 'api: 0/2\nweb: 0/3\n'],
    [
      ['--format', 'table {{.Name}}\\t{{.Replicas}}\\t{{.Spec.TaskTemplate.ContainerSpec.Image}}'],
      'NAME   REPLICAS   IMAGE\napi    0/2        nginx:1\nweb    0/3        nginx:1\n',
    ],
    [['--format', '{{json .Spec.Mode}}', '--filter', 'name=web'], '{"Replicated":{"Replicas":3}}\n'],
    [['--output', 'name'], 'api\nweb\n'],
    [['--quiet'], '<id>\n<id>\n'],
    [['--quiet', '--filter', 'name=none'], ''],
  ])('%j', async (flags, text) => {
    const { code, stdout, stderr } = await rig.run('service', 'ls', ...flags);
    expect([code, masked(stdout), stderr]).toEqual([0, text, '']);
  });

  it('are whole objects as JSON and YAML', async () => {
    const { stdout } = await rig.run('service', 'ls', '--output', 'json');
    const objects = JSON.parse(stdout) as readonly { readonly Spec: { readonly Name: string } }[];
    expect(objects.map((s) => s.Spec.Name)).toEqual(['api', 'web']);
    expect((await rig.run('service', 'ls', '--output', 'yaml')).stdout).toMatch(/^- ID: \w{25}\n {2}Version:\n/);
    expect((await rig.run('service', 'ls', '--format', 'json')).stdout.trimEnd().split('\n')).toHaveLength(2);
  });

  it('name a template field that cannot be understood', async () => {
    const { code, stderr } = await rig.run('service', 'ls', '--format', '{{range .X}}');
    expect(code).toBe(2);
    expect(stderr).toContain('--format "{{range .X}}": template: format:1: unexpected EOF');
  });

  it('may range, choose and call functions in templates', async () => {
    const format =
      '{{range $i, $port := .Spec.EndpointSpec.Ports}}{{$i}}{{end}}{{if .Spec.Labels.none}}a{{else}}b{{end}}';
    const { stdout } = await rig.run('service', 'ls', '--filter', 'name=web', '--format', `${format} {{upper .name}}`);
    expect(stdout).toBe('0b WEB\n');
  });

  it('have colours on a terminal only', async () => {
    const plain = await rig.run('node', 'ls');
    const coloured = await swarmctl(['--host', rig.host, 'node', 'ls'], new TestTerminal({ hasColours: true }));
    expect(plain.stdout).not.toContain('\u001b');
    expect(coloured.stdout).toContain('\u001b[32mready');
    expect(stripVTControlCharacters(coloured.stdout).replaceAll(/ +\n/g, '\n')).toBe(plain.stdout);
  });

  it('let a template reach into the object behind a cell of the same name', async () => {
    const { stdout } = await rig.run('node', 'ls', '--format', '{{.Hostname}} {{.Status.State}} {{.ManagerStatus}}');
    expect(stdout).toBe('host1 ready leader\n');
  });
});

describe('objects', () => {
  it('are created, listed, inspected and removed: networks', async () => {
    const made = await rig.run('network', 'create', '--subnet', '10.77.0.0/24', '--label', 'a=b', 'back');
    expect([made.code, masked(made.stdout)]).toEqual([0, '<id>\n']);
    const list = await rig.run(
      'network',
      'ls',
      '--filter',
      'name=back',
      '--format',
      '{{.Name}} {{.Driver}} {{.Scope}}',
    );
    expect(list.stdout).toBe('back overlay swarm\n');
    const inspected = await rig.run('network', 'inspect', '--format', '{{json .Labels}}', 'back');
    expect(inspected.stdout).toBe('{"a":"b"}\n');
    expect((await rig.run('network', 'rm', 'back')).stdout).toBe('back\n');
    expect((await rig.run('network', 'inspect', 'back')).code).toBe(3);
  });

  it('that are not there end with 3; those that are there are still shown', async () => {
    const { code, stdout, stderr } = await rig.run(
      'service',
      'inspect',
      '--format',
      '{{.Spec.Name}}',
      'none',
      'web',
      'nor',
    );
    expect([code, stdout]).toEqual([3, 'web\n']);
    expect(stderr).toBe('swarmctl: service none not found\nswarmctl: service nor not found\n');
  });

  it('that exist already are told of, with 1', async () => {
    const { code, stderr } = await create('web');
    expect(code).toBe(1);
    expect(stderr).toContain('name conflicts with an existing object');
  });

  it('are scaled and updated', async () => {
    await create('changing', '--env', 'A=1', '--label', 'x=1');
    expect((await rig.run('service', 'scale', '--detach', 'changing=7')).stdout).toBe('changing\n');
    const flags = [
      '--image',
      'nginx:2',
      '--env-add',
      'B=2',
      '--env-rm',
      'A',
      '--label-rm',
      'x',
      '--strategy',
      'binpack',
    ];
    await rig.run('service', 'update', '--detach', ...flags, 'changing');
    const { stdout } = await rig.run('service', 'inspect', '--format', '{{json .Spec}}', 'changing');
    expect(JSON.parse(stdout)).toMatchObject({
      Labels: { 'swarmd.strategy': 'binpack' },
      Mode: { Replicated: { Replicas: 7 } },
      TaskTemplate: { ContainerSpec: { Image: 'nginx:2', Env: ['B=2'], Args: ['serve'] } },
    });
    await rig.run('service', 'rm', 'changing');
  });

  it('keep the image they have when another thing changes: one without a tag would start anew', async () => {
    const spec = { Name: 'untagged', TaskTemplate: { ContainerSpec: { Image: 'busybox' } } };
    await rig.call('POST', '/services/create', spec);
    await rig.run('service', 'update', '--detach', '--label-add', 'a=b', 'untagged');
    const shown = await rig.run(
      'service',
      'inspect',
      '--format',
      '{{.Spec.TaskTemplate.ContainerSpec.Image}}',
      'untagged',
    );
    expect(shown.stdout).toBe('busybox\n');
    await rig.run('service', 'rm', 'untagged');
  });

  it('take a command line as a shell splits it', async () => {
    await create('worded');
    const args = ['--detach', '--args', `sh -c 'echo "a  b"' c\\ d`, 'worded'];
    expect((await rig.run('service', 'update', ...args)).code).toBe(0);
    const { stdout } = await rig.run('service', 'inspect', '--format', '{{json .Spec.TaskTemplate}}', 'worded');
    expect(JSON.parse(stdout)).toMatchObject({ ContainerSpec: { Args: ['sh', '-c', 'echo "a  b"', 'c d'] } });
    const open = await rig.run('service', 'update', '--args', `sh -c 'echo`, 'worded');
    expect([open.code, open.stderr]).toEqual([2, expect.stringContaining('a quote is not closed')]);
    await rig.run('service', 'rm', 'worded');
  });

  it('keep the other ports of a target when one is added or removed', async () => {
    await create('names', '--publish', '5300:53');
    const ports = async (...flags: readonly string[]): Promise<string> => {
      expect((await rig.run('service', 'update', '--detach', ...flags, 'names')).code).toBe(0);
      const format = '{{range .Spec.EndpointSpec.Ports}}{{.PublishedPort}}:{{.TargetPort}}/{{.Protocol}} {{end}}';
      return (await rig.run('service', 'inspect', '--format', format, 'names')).stdout.trim();
    };
    expect(await ports('--publish-add', '5300:53/udp')).toBe('5300:53/tcp 5300:53/udp');
    expect(await ports('--publish-add', '5301:53')).toBe('5300:53/tcp 5300:53/udp 5301:53/tcp');
    expect(await ports('--publish-add', '5301:53')).toBe('5300:53/tcp 5300:53/udp 5301:53/tcp');
    expect(await ports('--publish-rm', '53')).toBe('5300:53/udp');
    expect(await ports('--publish-rm', '53/udp')).toBe('');
    await rig.run('service', 'rm', 'names');
  });

  it('get the tag that a bare name of an image stands for, as from the Docker CLI', async () => {
    const images = ['busybox', 'reg:5000/a/b', 'a:1', `a@sha256:${'0'.repeat(64)}`];
    for (const [i, image] of images.entries()) {
      await rig.run('service', 'create', '--detach', '--name', `image${i}`, image);
    }
    const flags = ['--filter', 'name=image', '--format', '{{.Image}}'];
    expect((await rig.run('service', 'ls', ...flags)).stdout.trim().split('\n')).toEqual([
      'busybox:latest',
      'reg:5000/a/b:latest',
      'a:1',
      `a@sha256:${'0'.repeat(64)}`,
    ]);
    await rig.run('service', 'rm', ...images.map((_, i) => `image${i}`));
  });

  it('run to completion as jobs', async () => {
    await create('job', '--mode', 'replicated-job', '--replicas', '5', '--max-concurrent', '2');
    await create('all', '--mode', 'replicated-job', '--replicas', '4');
    await create('each', '--mode', 'global-job');
    await rig.run('service', 'scale', '--detach', 'job=6');
    const list = await rig.run('service', 'ls', '--filter', 'name=job', '--format', '{{.Mode}} {{.Replicas}}');
    expect(list.stdout).toBe('replicated-job 0/2 (0/6 completed)\n');
    const modes = await rig.run('service', 'inspect', '--format', '{{json .Spec.Mode}}', 'job', 'all', 'each');
    expect(modes.stdout.trim().split('\n')).toEqual([
      '{"ReplicatedJob":{"MaxConcurrent":2,"TotalCompletions":6}}',
      '{"ReplicatedJob":{"MaxConcurrent":4,"TotalCompletions":4}}',
      '{"GlobalJob":{}}',
    ]);
    expect(await create('no', '--max-concurrent', '2')).toMatchObject({ code: 2 });
    expect(await create('no', '--mode', 'global-job', '--replicas', '2')).toMatchObject({ code: 2 });
    await rig.run('service', 'rm', 'job', 'all', 'each');
  });

  it('are waited for no longer than was asked, and then the code is 6', async () => {
    const flags = ['--name', 'slow', '--timeout', '300ms'];
    const { code, stdout, stderr } = await rig.run('service', 'create', ...flags, 'nginx:1');
    expect([code, masked(stdout)]).toEqual([6, '<id>\n']);
    expect(stderr).toContain('service slow did not settle within 0.3 s: 0 of 1 running');
  });

  it('are kept when the answer to a question is no', async () => {
    const asked: string[] = [];
    const confirm = (question: string): Promise<boolean> => Promise.resolve(asked.push(question) === 0);
    const args = ['--host', rig.host, 'swarm', 'leave', '--force'];
    const { code, stderr } = await swarmctl(args, new TestTerminal({ confirm }));
    expect([code, stderr]).toEqual([130, 'swarmctl: nothing was changed\n']);
    expect(asked).toEqual(['Leave even if the swarm or its state is lost?']);
    expect(rig.membership).toEqual([]);
    expect((await swarmctl([...args, '--yes'], new TestTerminal({ confirm }))).code).toBe(0);
    expect(rig.membership).toEqual([{ leave: expect.objectContaining({ force: true }) as unknown }]);
  });
});

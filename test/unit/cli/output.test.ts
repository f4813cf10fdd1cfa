import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { TaskState } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { cliRig, swarmctl } from '../../support/cli.ts';
import { aNode, aService, aTask } from '../manager/scheduler/builders.ts';

let rig: Awaited<ReturnType<typeof cliRig>>;
let folder: string;
beforeAll(async () => {
  rig = await cliRig();
  folder = await mkdtemp(join(tmpdir(), 'swarmctl-output-'));
});
afterAll(async () => {
  await rig.close();
  await rm(folder, { recursive: true, force: true });
});

const ID = expect.stringMatching(/^[a-z0-9]{25}$/) as unknown;
const json = async (...args: readonly string[]): Promise<unknown> =>
  JSON.parse((await rig.run(...args, '--output', 'json')).stdout);
const text = async (...args: readonly string[]): Promise<string> => (await rig.run(...args)).stdout;
const create = (...flags: readonly string[]) => ['--output', ...flags, 'nginx:1'];

describe('what a command has changed is printed as --output says', () => {
  it('when services are created, changed, scaled and removed', async () => {
    const flags = ['service', 'create', '--detach'];
    expect(JSON.parse(await text(...flags, ...create('json', '--name', 'web')))).toEqual({ ID, Name: 'web' });
    expect(parse(await text(...flags, ...create('yaml', '--name', 'api')))).toEqual({ ID, Name: 'api' });
    expect(await text(...flags, ...create('name', '--name', 'cron'))).toBe('cron\n');
    const named = JSON.parse(await text(...flags, ...create('json'))) as { readonly Name: string };
    expect(named.Name).not.toBe('');
    expect(await json('service', 'update', '--detach', '--label-add', 'a=b', 'web')).toEqual({ ID, Name: 'web' });
    expect(await json('service', 'scale', '--detach', 'web=2', 'api=3')).toEqual([
      { ID, Name: 'web', Replicas: 2 },
      { ID, Name: 'api', Replicas: 3 },
    ]);
    expect(await text('service', 'scale', '--detach', 'web=1', 'api=1', '--output', 'name')).toBe('web\napi\n');
    expect(await json('service', 'rm', 'web', 'none', 'api')).toEqual(['web', 'api']);
    expect(await text('service', 'rm', 'cron', named.Name, '--output', 'name')).toBe(`cron\n${named.Name}\n`);
  });

  it('when networks, secrets and configs are created and removed', async () => {
    const file = join(folder, 'data');
    await writeFile(file, 'x');
    expect(await json('network', 'create', 'back')).toEqual({ Id: ID, Name: 'back' });
    expect(await json('network', 'prune')).toContain('back');
    expect(await json('secret', 'create', 'key', file)).toEqual({ ID, Name: 'key' });
    expect(await text('config', 'create', 'conf', file, '--output', 'name')).toBe('conf\n');
    expect(await json('secret', 'rm', 'key')).toEqual(['key']);
  });

  it('when a stack is deployed and removed', async () => {
    const file = join(folder, 'compose.yml');
    await writeFile(file, 'services: { web: { image: "nginx:1" } }\n');
    const deploy = ['stack', 'deploy', '--detach', '-c', file, 'shop'];
    const made = [
      { Action: 'create', Kind: 'network', Name: 'shop_default' },
      { Action: 'create', Kind: 'service', Name: 'shop_web' },
    ];
    expect(await json(...deploy, '--dry-run')).toEqual(made);
    expect(await json(...deploy)).toEqual(made);
    expect(await json(...deploy)).toEqual([{ Action: 'keep', Kind: 'service', Name: 'shop_web' }]);
    expect(await text('stack', 'rm', '--detach', 'shop', '--output', 'name')).toBe('shop_web\nshop_default\n');
  });

  it('when nodes and the swarm are changed, and nothing where there is nothing to show', async () => {
    const drain = ['node', 'update', '--availability', 'active', 'host1'];
    expect(await json(...drain)).toEqual({ ID: expect.any(String) as unknown, Name: 'host1' });
    expect(await text(...drain)).toBe('host1\n');
    expect(await text('swarm', 'update', '--task-history-limit', '4', '--output', 'json')).toBe('');
    expect(await text('swarm', 'leave', '--output', 'json')).toBe('');
  });
});

describe('a form of output that a command does not have', () => {
  it.each([
    ['status'],
    ['info'],
    ['doctor'],
    ['events'],
    ['service', 'explain', 'web'],
    ['service', 'inspect', 'web'],
    ['swarm', 'join-token', '--rotate', 'worker'],
    ['swarm', 'unlock-key'],
    ['plan', 'create', 'nginx'],
  ])('is refused, with those there are: %j', async (...args) => {
    const { code, stdout, stderr } = await swarmctl(['--host', rig.host, '--output', 'name', ...args]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/--output name: this command has no such form; there are .*json/);
  });

  it('is refused before anything is asked of a manager', async () => {
    const { code, stderr } = await swarmctl(['--host', 'unix:///nonexistent', 'service', 'logs', '-o', 'json', 'web']);
    expect([code, stderr]).toEqual([
      2,
      'swarmctl: --output json: this command has no such form; there are table, wide\n',
    ]);
  });
});

describe('names of tasks', () => {
  it('tell tasks of one slot apart, and find them', async () => {
    const service = aService('slots');
    await rig.store.update((tx) => {
      tx.node.create(aNode('a'));
      tx.service.create(service);
      for (const id of ['t1', 't2']) {
        const task = aTask(id, service.id, { nodeId: 'a', state: TaskState.RUNNING });
        tx.task.create({ ...task, serviceAnnotations: service.spec?.annotations });
      }
    });
    for (const list of [['task', 'ls'], ['top']]) {
      const names = (await text(...list, '--output', 'name')).trim().split('\n').toSorted();
      expect(names).toEqual(['slots.1.t1', 'slots.1.t2']);
      expect(await text('task', 'inspect', '--format', '{{.ID}}', ...names)).toBe('t1\nt2\n');
    }
  });
});

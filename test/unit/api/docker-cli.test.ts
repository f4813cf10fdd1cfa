/** The docker command line as it is, against the API over a unix socket. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TaskState } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { newId } from '../../../src/common/ids.ts';
import { apiRig, NODE_ID, type ApiRig } from '../../support/api-rig.ts';
import { describeWith } from '../../support/requirements.ts';

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

let folder: string;
let host: string;
let rig: ApiRig;
let stopTasks: AbortController;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'swarmd-cli-'));
  host = `unix://${join(folder, 'api.sock')}`;
  rig = await apiRig();
  await rig.api.listen(host);
  stopTasks = new AbortController();
  void runTasks(rig, stopTasks.signal);
});
afterAll(async () => {
  stopTasks.abort();
  await rig.close();
  rmSync(folder, { recursive: true });
});

/** Gives every slot of a replicated service a running task of its present spec, and drops the others at once. */
async function runTasks({ store }: ApiRig, signal: AbortSignal): Promise<void> {
  for await (const commits of store.watch({ kinds: ['service'], signal })) {
    for (const { object, action } of commits.flatMap((commit) => commit.changes)) {
      await store.update((tx) => {
        for (const task of tx.task.by('service', object.id)) tx.task.delete(task.id);
        const service = action === 'delete' ? undefined : tx.service.get(object.id);
        const replicas = service?.spec?.mode?.$case === 'replicated' ? service.spec.mode.value.replicas : 0;
        for (let slot = 1; service && slot <= replicas; slot++) {
          tx.task.create({
            ...Task.fromPartial({
              id: newId(),
              serviceId: service.id,
              slot,
              nodeId: NODE_ID,
              desiredState: TaskState.RUNNING,
              status: { state: TaskState.RUNNING, message: 'started', timestamp: { seconds: 1_700_000_000 } },
            }),
            spec: service.spec?.task,
            specVersion: service.specVersion,
            serviceAnnotations: service.spec?.annotations,
            endpoint: service.endpoint,
          });
        }
      });
    }
  }
}

const docker = (...args: readonly string[]): Promise<Result> =>
  new Promise((resolve) => {
    execFile('docker', ['-H', host, ...args], { env: { ...process.env, DOCKER_CONFIG: folder } }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out: out.trimEnd(), err: err.trimEnd() }),
    );
  });

const refuses = async (args: readonly string[], message: string): Promise<void> => {
  const { code, err } = await docker(...args);
  expect([code, err.split('\n').at(-1)]).toEqual([1, message]);
};

describeWith(['docker'], 'docker', () => {
  it('negotiates, and tells version and info', async () => {
    const version = await docker(
      'version',
      '--format',
      '{{.Server.Version}} {{.Server.APIVersion}} {{.Server.MinAPIVersion}} {{.Server.Os}}/{{.Server.Arch}} {{.Client.APIVersion}}',
    );
    expect(version.out).toBe('0.1.0 1.41 1.24 linux/amd64 1.41');
    const info = await docker(
      'info',
      '--format',
      '{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}} {{.Swarm.Nodes}} {{.Swarm.Managers}} {{.Name}}',
    );
    expect(info.out).toBe('active true 1 1 host1');
    expect((await docker('info')).code).toBe(0);
    expect((await docker('ps')).out).toContain('CONTAINER ID');
  });

  it('lists and changes nodes', async () => {
    expect(
      (
        await docker(
          'node',
          'ls',
          '--format',
          '{{.Hostname}} {{.Self}} {{.Status}} {{.ManagerStatus}} {{.TLSStatus}} {{.EngineVersion}}',
        )
      ).out,
    ).toBe('host1 true Ready Leader Ready 0.1.0');
    expect((await docker('node', 'update', '--label-add', 'zone=a', '--availability', 'drain', 'host1')).out).toBe(
      'host1',
    );
    expect(
      (await docker('node', 'inspect', 'self', '--format', '{{.Spec.Labels.zone}} {{.Spec.Availability}}')).out,
    ).toBe('a drain');
    await docker('node', 'update', '--availability', 'active', 'host1');
    expect((await docker('node', 'inspect', '--pretty', 'host1')).out).toContain('Raft Status:');
    await refuses(
      ['node', 'update', '--availability', 'bogus', 'host1'],
      'Error response from daemon: invalid Availability: "bogus"',
    );
    await refuses(
      ['node', 'demote', 'host1'],
      'Error response from daemon: rpc error: code = FailedPrecondition desc = attempting to demote the last manager of the swarm',
    );
    await refuses(['node', 'rm', 'nosuch'], 'Error response from daemon: node nosuch not found');
  });

  it('creates, scales, updates, rolls back and removes a service', async () => {
    const created = await docker(
      'service',
      'create',
      '--detach=false',
      '--update-monitor',
      '1s',
      '--name',
      'web',
      '--replicas',
      '2',
      '--env',
      'A=1',
      '--no-resolve-image',
      'busybox:local',
      'sleep',
      '100',
    );
    expect(created.out).toContain('verify: Service');
    expect(created.out).toContain('converged');
    const list = () => docker('service', 'ls', '--format', '{{.Name}} {{.Mode}} {{.Replicas}} {{.Image}}');
    expect((await list()).out).toBe('web replicated 2/2 busybox:local');
    const ps = await docker('service', 'ps', 'web', '--format', '{{.Name}} {{.Image}} {{.Node}} {{.DesiredState}}');
    expect(ps.out.split('\n').sort()).toEqual([
      'web.1 busybox:local host1 Running',
      'web.2 busybox:local host1 Running',
    ]);

    expect((await docker('service', 'scale', '-d', 'web=4')).out).toContain('web scaled to 4');
    expect((await list()).out).toBe('web replicated 4/4 busybox:local');
    const args = ['service', 'inspect', 'web', '--format', '{{json .Spec.TaskTemplate.ContainerSpec}}'] as const;
    expect(JSON.parse((await docker(...args)).out)).toMatchObject({
      Args: ['sleep', '100'],
      Env: ['A=1'],
      Init: false,
    });

    await docker(
      'service',
      'update',
      '-d',
      '--env-add',
      'B=2',
      '--image',
      'busybox:other',
      '--no-resolve-image',
      'web',
    );
    expect(JSON.parse((await docker(...args)).out)).toMatchObject({
      Image: 'busybox:other',
      Env: expect.arrayContaining(['A=1', 'B=2']) as unknown,
    });
    expect((await docker('service', 'rollback', '-d', 'web')).code).toBe(0);
    expect(JSON.parse((await docker(...args)).out)).toMatchObject({ Image: 'busybox:local', Env: ['A=1'] });
    expect((await docker('service', 'inspect', '--pretty', 'web')).out).toMatch(/Replicas:\s+4/);

    await refuses(
      ['service', 'create', '-d', '--name', 'web', 'busybox:local'],
      'Error response from daemon: rpc error: code = AlreadyExists desc = name conflicts with an existing object: service web already exists',
    );
    expect((await docker('service', 'rm', 'web')).out).toBe('web');
    const miss = await docker('service', 'inspect', 'web');
    expect([miss.code, miss.err]).toEqual([1, 'Error: no such service: web']);
  });

  it('shows the logs of a service with the names of its tasks', async () => {
    await docker('service', 'create', '-d', '--name', 'logger', '--no-resolve-image', 'busybox:local');
    const [service] = rig.store.read.service.all().filter((s) => s.spec?.annotations?.name === 'logger');
    const [task] = rig.store.read.task.by('service', service?.id ?? '');
    rig.logs = async function* () {
      const context = { serviceId: service?.id ?? '', nodeId: NODE_ID, taskId: task?.id ?? '' };
      for (const [text, stream] of [
        ['hello', 1],
        ['oops', 2],
      ] as const) {
        yield { messages: [{ context, stream, timestamp: undefined, data: Buffer.from(`${text}\n`), attrs: [] }] };
      }
      await Promise.resolve();
    };
    const logs = await docker('service', 'logs', '--no-trunc', 'logger');
    expect([logs.out, logs.err]).toEqual([
      `logger.1.${task?.id}@host1    | hello`,
      `logger.1.${task?.id}@host1    | oops`,
    ]);
    expect((await docker('service', 'logs', '--raw', 'logger')).out).toBe('hello');
    expect((await docker('service', 'logs', '--raw', task?.id ?? '')).out).toBe('hello');
    expect(JSON.parse((await docker('inspect', task?.id ?? '')).out)).toMatchObject([{ ID: task?.id, Slot: 1 }]);
    await docker('service', 'rm', 'logger');
  });

  it('handles secrets, configs, networks, and services that use them', async () => {
    const secret = spawn('docker', ['-H', host, 'secret', 'create', 's1', '-'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    secret.stdin.end('hunter2');
    await once(secret, 'exit');
    expect((await docker('secret', 'ls', '--format', '{{.Name}}')).out).toBe('s1');
    // Names of secrets and configs are found whatever their case.
    expect((await docker('secret', 'ls', '--filter', 'name=S', '--format', '{{.Name}}')).out).toBe('s1');
    expect((await docker('secret', 'inspect', 'S1', '--format', '{{.Spec.Name}}')).out).toBe('s1');
    expect((await docker('network', 'create', '-d', 'overlay', '--attachable', 'net1')).code).toBe(0);
    expect((await docker('network', 'ls', '--format', '{{.Name}} {{.Driver}} {{.Scope}}')).out).toBe(
      'net1 overlay swarm',
    );
    expect(
      (
        await docker(
          'service',
          'create',
          '-d',
          '--name',
          'sec',
          '--secret',
          's1',
          '--network',
          'net1',
          '--no-resolve-image',
          'busybox:local',
        )
      ).code,
    ).toBe(0);
    await refuses(
      ['secret', 'rm', 's1'],
      "Error response from daemon: rpc error: code = InvalidArgument desc = secret 's1' is in use by the following service: sec",
    );
    await docker('service', 'rm', 'sec');
    expect((await docker('secret', 'rm', 's1')).out).toBe('s1');
    expect((await docker('network', 'rm', 'net1')).out).toBe('net1');
    expect((await docker('inspect', 'nosuchthing')).err).toContain('No such object: nosuchthing');
  });

  it('shows tokens, rotates them, and changes settings', async () => {
    const token = (await docker('swarm', 'join-token', '-q', 'worker')).out;
    expect((await docker('swarm', 'join-token', '--rotate', '-q', 'worker')).out).not.toBe(token);
    expect((await docker('swarm', 'join-token', 'worker')).out).toContain('127.0.0.1:2377');
    expect((await docker('swarm', 'update', '--task-history-limit', '3')).out).toBe('Swarm updated.');
    expect((await docker('swarm', 'unlock-key')).err).toBe('no unlock key is set');
    await refuses(
      ['swarm', 'update', '--cert-expiry', '1m'],
      'Error response from daemon: rpc error: code = InvalidArgument desc = minimum certificate expiry time is: 1h0m0s',
    );
    await refuses(
      ['swarm', 'init'],
      'Error response from daemon: This node is already part of a swarm. Use "docker swarm leave" to leave this swarm and join another one.',
    );
  });

  it('tells what happened', async () => {
    const since = String(Math.floor(Date.now() / 1000) - 1);
    await docker('service', 'create', '-d', '--name', 'ev', '--no-resolve-image', 'busybox:local');
    await docker('service', 'scale', '-d', 'ev=2');
    await docker('service', 'rm', 'ev');
    const format =
      '{{.Type}} {{.Action}} {{.Actor.Attributes.name}} {{index .Actor.Attributes "replicas.old"}}>{{index .Actor.Attributes "replicas.new"}}';
    const until = String(Math.ceil(Date.now() / 1000));
    const { out } = await docker(
      'events',
      '--since',
      since,
      '--until',
      until,
      '--filter',
      'service=ev',
      '--format',
      format,
    );
    expect(out.split('\n')).toEqual(['service create ev >', 'service update ev 1>2', 'service remove ev >']);
  });

  it('says why it cannot on a node outside a swarm', async () => {
    rig.setNode({ state: 'inactive', nodeId: '', isManager: false }, false);
    const { code, err } = await docker('node', 'ls');
    rig.setNode({}, true);
    expect([code, err]).toEqual([
      1,
      'Error response from daemon: This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
    ]);
  });
});

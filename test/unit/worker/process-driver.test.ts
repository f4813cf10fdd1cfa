/** What the process driver gives a task on this machine, with real processes. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/common/log.ts';
import { durationOfMs } from '../../../src/common/time.ts';
import type { Config, Secret, Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import type { LogLine, TaskController, TaskDependencies } from '../../../src/worker/drivers/driver.ts';
import { detectCgroups, noCgroups, type Cgroups } from '../../../src/worker/drivers/process/cgroups.ts';
import { ProcessDriver } from '../../../src/worker/drivers/process/process-driver.ts';
import { identityOf } from '../../../src/worker/process-identity.ts';
import { eventually } from '../../support/eventually.ts';
import { itWith } from '../../support/requirements.ts';
import { aSecret, assignedTask, type TaskGiven } from '../../support/worker-builders.ts';

const never = new AbortController().signal;
const NOTHING: TaskDependencies = { secrets: new Map<string, Secret>(), configs: new Map<string, Config>() };
const ALL = { stdout: true, stderr: true, follow: false, tail: undefined, sinceMs: 0 } as const;

let dir: string;
let driver: ProcessDriver;
const controllers: TaskController[] = [];

const open = (cgroups?: Cgroups): ProcessDriver =>
  new ProcessDriver({
    directory: path.join(dir, 'tasks'),
    privateDirectory: path.join(dir, 'private'),
    engineVersion: 'test',
    hostname: 'alpha',
    log: silentLogger,
    ...(cgroups && { cgroups }),
  });

function controllerOf(task: Task, dependencies = NOTHING): TaskController {
  const controller = driver.controller(task, dependencies);
  controllers.push(controller);
  return controller;
}

/** Runs a shell script to its end; returns how it ended and what it printed. */
async function run(
  given: TaskGiven,
  dependencies = NOTHING,
): Promise<{ exit: unknown; lines: readonly LogLine[]; out: string }> {
  const controller = controllerOf(assignedTask('t1', given), dependencies);
  await controller.prepare(never);
  await controller.start(never);
  const exit = await controller.wait(never);
  const lines = await linesOf(controller);
  return { exit, lines, out: lines.map(({ data }) => Buffer.from(data).toString()).join('\n') };
}

async function linesOf(controller: TaskController): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  for await (const line of controller.logs(ALL, never)) lines.push(line);
  return lines;
}

beforeEach(() => {
  // Others have to get through to a task's folder when it runs as somebody else.
  dir = mkdtempSync(path.join(tmpdir(), 'swarmd-process-'));
  execFileSync('chmod', ['711', dir]);
  driver = open();
});

afterEach(async () => {
  for (const controller of controllers.splice(0)) await controller.remove(never);
  await driver.close();
  expect(readdirSync(path.join(dir, 'tasks'))).toEqual([]);
  expect(existsSync(path.join(dir, 'private'))).toBe(false);
  rmSync(dir, { recursive: true, force: true });
});

describe('a task as a process', () => {
  it('gets its own environment, not the one of the agent', async () => {
    process.env['SWARMD_TEST_LEAK'] = 'yes';
    const { out } = await run({ script: 'env', env: ['GREETING=hello {{.Task.Slot}}'] });
    delete process.env['SWARMD_TEST_LEAK'];
    expect(out).toContain('GREETING=hello 1');
    expect(out).toContain('SWARMD_SERVICE_NAME=web');
    expect(out).toMatch(/^PATH=/m);
    expect(out).not.toContain('SWARMD_TEST_LEAK');
  });

  it('starts in a scratch folder of its own, or where its spec says', async () => {
    expect((await run({ script: 'pwd' })).out).toBe(path.join(dir, 'tasks', 't1', 'work'));
    await controllers.pop()?.remove(never);
    expect((await run({ script: 'pwd', container: { dir: '/usr' } })).out).toBe('/usr');
  });

  it('has its streams told apart and every line timed', async () => {
    const before = Date.now();
    const { lines } = await run({ script: 'echo out; echo err >&2; printf unfinished' });
    expect(lines.map(({ stream, data }) => `${stream} ${Buffer.from(data).toString()}`).sort()).toEqual([
      'stderr err',
      'stdout out',
      'stdout unfinished',
    ]);
    for (const { timeMs } of lines) expect(timeMs).toBeGreaterThanOrEqual(before - 1);
  });

  it('keeps what is not text as it is', async () => {
    const { lines } = await run({ script: String.raw`printf '\377\000\001'` });
    expect([...(lines[0]?.data ?? [])]).toEqual([255, 0, 1]);
  });

  it('says 128 + signal when it is killed by somebody else', async () => {
    expect((await run({ script: 'kill -9 $$' })).exit).toEqual({ exitCode: 137, reason: '' });
    await controllers.pop()?.remove(never);
    expect((await run({ script: 'kill -TERM $$' })).exit).toEqual({ exitCode: 143, reason: '' });
  });

  it('leaves no process behind when it ends', async () => {
    const { out } = await run({ script: 'sleep 1000 & echo $!' });
    await eventually(() => identityOf(Number(out)) === undefined);
  });

  it('gets the stop signal of its spec', async () => {
    const script = 'trap "echo bye; exit 5" USR1; echo ready; while :; do sleep 0.05; done';
    const controller = controllerOf(assignedTask('t1', { script, container: { stopSignal: 'SIGUSR1' } }));
    await controller.prepare(never);
    await controller.start(never);
    await eventually(() => readFileSync(path.join(dir, 'tasks', 't1', 'output', 'stdout.raw'), 'utf8') !== '');
    await controller.stop(never);
    expect(await controller.wait(never)).toEqual({ exitCode: 5, reason: '' });
    expect((await linesOf(controller)).map(({ data }) => Buffer.from(data).toString())).toEqual(['ready', 'bye']);
  });

  it('fails to start with a clear word when the command or the folder is not there', async () => {
    const start = async (given: TaskGiven): Promise<void> => {
      const controller = controllerOf(assignedTask('t1', given));
      await controller.prepare(never);
      try {
        await controller.start(never);
      } finally {
        await controller.remove(never);
      }
    };
    await expect(start({ command: ['no-such-command'] })).rejects.toThrow(
      '"no-such-command": executable file not found',
    );
    await expect(start({ container: { dir: '/no/such/folder' } })).rejects.toThrow('working folder "/no/such/folder"');
  });

  it('is refused for an image or a user that cannot be had', async () => {
    expect(() => controllerOf(assignedTask('t1', { image: 'redis' }))).toThrow('cannot run on this node');
    const controller = controllerOf(assignedTask('t1', { container: { user: 'nobody-here' } }));
    await expect(controller.prepare(never)).rejects.toThrow('user "nobody-here" does not exist');
  });

  it('goes on when its supervisor is killed; only its exit code is not known then', async () => {
    const end = path.join(dir, 'end');
    const script = `until test -e ${end}; do sleep 0.05; done; exit 3`;
    const controller = controllerOf(assignedTask('t1', { script }));
    await controller.prepare(never);
    await controller.start(never);
    const words = readFileSync(path.join(dir, 'tasks', 't1', 'run', 'pid'), 'utf8').split(' ');
    process.kill(Number(words[2]), 'SIGKILL');
    await eventually(() => identityOf(Number(words[2])) === undefined);
    expect((await controller.status())?.pid).toBe(Number(words[0]));
    writeFileSync(end, '');
    const exit = await controller.wait(never);
    expect(exit).toEqual({ exitCode: 137, reason: expect.stringContaining('supervisor was killed') });
  });

  it('says so when the node was restarted under it, or somebody removed it', async () => {
    const controller = controllerOf(assignedTask('t1'));
    await controller.prepare(never);
    await controller.start(never);
    const run = path.join(dir, 'tasks', 't1', 'run');
    const line = readFileSync(path.join(run, 'pid'), 'utf8');
    writeFileSync(path.join(run, 'pid'), line.replace(/ [^ ]+$/, ' another-boot\n'));
    expect(await controller.wait(never)).toEqual({ exitCode: 137, reason: 'the node was restarted' });
    await controller.remove(never);
    expect(await controller.wait(never)).toMatchObject({ reason: 'nothing is left of the process on this node' });
  });

  it('never signals another process that has its number by now', async () => {
    driver = open(noCgroups('to know it by its number only'));
    const controller = controllerOf(assignedTask('t1'));
    await controller.prepare(never);
    await controller.start(never);
    const file = path.join(dir, 'tasks', 't1', 'run', 'pid');
    const words = readFileSync(file, 'utf8').trimEnd().split(' ');
    const write = (changed: readonly (string | undefined)[]): void => writeFileSync(file, `${changed.join(' ')}\n`);
    // As if both the process and its shim had gone and others had got their numbers.
    write([words[0], '1', words[2], '1', words[4]]);
    expect((await controller.wait(never)).exitCode).toBe(137);
    await controller.stop(never);
    expect(identityOf(Number(words[0]))).toBeDefined();
    write(words);
  });

  it('never runs twice, even when two agents start it at the same time', async () => {
    const task = assignedTask('t1', { script: 'echo run; sleep 0.3' });
    const first = controllerOf(task);
    const second = driver.controller(task, NOTHING);
    await first.prepare(never);
    await Promise.all([first.start(never), second.start(never)]);
    await first.wait(never);
    second.detach();
    expect(readFileSync(path.join(dir, 'tasks', 't1', 'output', 'stdout.raw'), 'utf8')).toBe('run\n');
  });

  itWith(['root'], 'runs as the user and groups of its spec', async () => {
    const { out } = await run({
      script: 'id -u; id -g; id -G; echo $HOME; touch here',
      container: { user: 'daemon', groups: ['4242'] },
    });
    const ids = execFileSync('id', ['-u', 'daemon']).toString().trim();
    expect(out.split('\n')[0]).toBe(ids);
    expect(out.split('\n')[2]).toContain('4242');
  });

  itWith(['root'], 'has the host name of its spec, and nobody else has', async () => {
    const before = readFileSync('/proc/sys/kernel/hostname', 'utf8');
    const { out } = await run({
      script: 'cat /proc/sys/kernel/hostname; echo $HOSTNAME',
      container: { hostname: 'web-{{.Task.Slot}}' },
    });
    expect(out).toBe('web-1\nweb-1');
    expect(readFileSync('/proc/sys/kernel/hostname', 'utf8')).toBe(before);
  });

  it('gets the limits on its resources that the shell calls ulimits', async () => {
    const { out } = await run({
      script: 'ulimit -n',
      container: { ulimits: [{ name: 'nofile', soft: 77, hard: 88 }] },
    });
    expect(out).toBe('77');
  });
});

describe('secrets and configs of a process', () => {
  const spec: TaskGiven = {
    script:
      'cat $SWARMD_SECRETS_DIR/pw; echo; cat $SWARMD_CONFIGS_DIR/etc/app.conf; ls -ln $SWARMD_SECRETS_DIR/pw; sleep 0.1',
    container: {
      secrets: [
        {
          secretId: 's1',
          secretName: 'one',
          target: { $case: 'file', value: { name: 'pw', uid: '0', gid: '0', mode: 0o400 } },
        },
      ],
      configs: [
        {
          configId: 'c1',
          configName: 'two',
          target: { $case: 'file', value: { name: '/etc/app.conf', uid: '0', gid: '0', mode: 0o444 } },
        },
      ],
    },
  };
  const config = { ...aSecret('c1', 'two', 'service={{.Service.Name}} pw={{secret "pw"}}') };
  const given = (templating?: string): TaskDependencies => ({
    secrets: new Map([['s1', aSecret('s1', 'one', 'hush')]]),
    configs: new Map([
      [
        'c1',
        {
          ...config,
          spec: { ...config.spec, templating: templating ? { name: templating, options: {} } : undefined },
        } as unknown as Config,
      ],
    ]),
  });

  it('are files in memory that only its user can reach, gone when it has ended for good', async () => {
    const { out } = await run(spec, given());
    expect(out).toContain('hush\nservice={{.Service.Name}}');
    expect(out).toMatch(/-r--------/);
    const folder = path.join(dir, 'private', 't1');
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    if (process.getuid?.() === 0)
      expect(execFileSync('stat', ['-f', '-c', '%T', folder]).toString().trim()).toBe('tmpfs');
    await controllers[0]?.finish?.();
    expect(existsSync(folder)).toBe(false);
  });

  it('are made from templates when their template driver says so', async () => {
    expect((await run(spec, given('golang'))).out).toContain('service=web pw=hush');
  });

  it('have to be there', async () => {
    const controller = controllerOf(assignedTask('t1', spec));
    await expect(controller.prepare(never)).rejects.toThrow('secret "one" was not given to this node');
  });

  it('stay inside the folder of the task whatever they are called', async () => {
    const value = { name: '../../../escape', uid: '0', gid: '0', mode: 0o444 };
    const secrets = [{ secretId: 's1', secretName: 'one', target: { $case: 'file' as const, value } }];
    const { out } = await run({ script: 'cat $SWARMD_SECRETS_DIR/escape', container: { secrets } }, given());
    expect(out).toBe('hush');
  });
});

describe('limits of a process', () => {
  const controllable = detectCgroups().controllers;
  const itLimits = (controller: string) => it.skipIf(!controllable.includes(controller));

  it('are named in the description of the node, also when there are none', async () => {
    const labels = (await driver.describe()).engine?.labels;
    expect(labels?.['swarmd.process.limits']).toBe(controllable.join(',') || 'none');
    const without = (await open(noCgroups('not allowed here')).describe()).engine?.labels;
    expect(without).toMatchObject({
      'swarmd.process.limits': 'none',
      'swarmd.process.limits.problem': 'not allowed here',
    });
  });

  it('do not keep a task from running where they cannot be set', async () => {
    driver = open(noCgroups('not allowed here'));
    expect((await run({ script: 'exit 4', limits: { memoryBytes: 2 ** 26 } })).exit).toEqual({
      exitCode: 4,
      reason: '',
    });
  });

  itLimits('memory')(
    'end a process that takes too much memory, and say why',
    async () => {
      const script = 'x=$(head -c 200000000 /dev/zero | tr "\\\\0" x); echo ${#x}';
      const { exit } = await run({
        command: ['/bin/sh', '-c', `exec 2>/dev/null; ${script}`],
        limits: { memoryBytes: 32 * 2 ** 20 },
      });
      expect(exit).toEqual({
        exitCode: expect.any(Number),
        reason: 'out of memory: killed at the limit of 33554432 bytes',
      });
    },
    30_000,
  );

  itLimits('pids')('keep it from starting too many processes', async () => {
    const { out } = await run({
      script: 'for i in 1 2 3 4 5 6 7 8; do sleep 0.2 & done 2>&1; wait',
      container: { pidsLimit: 4 },
    });
    expect(out).toMatch(/fork|Resource/i);
  });

  itLimits('cpu')('slow it down to its share of a CPU', async () => {
    const controller = controllerOf(assignedTask('t1', { script: 'while :; do :; done', limits: { nanoCpus: 1e8 } }));
    await controller.prepare(never);
    await controller.start(never);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const cpuNs = (await controller.stats())?.cpuNs ?? 0;
    expect(cpuNs).toBeGreaterThan(2e7);
    expect(cpuNs).toBeLessThan(4e8);
  });
});

describe('health of a process', () => {
  const health = { test: ['CMD-SHELL', 'test -e healthy'], interval: durationOfMs(50), retries: 3 };

  it('decides when it counts as started, and stops it when it turns bad', async () => {
    const script = 'sleep 0.6; touch healthy; sleep 0.6; rm healthy; exec sleep 1000';
    const controller = controllerOf(assignedTask('t1', { script, health }));
    await controller.prepare(never);
    // It would never end by itself.
    await expect(controller.start(never)).rejects.toThrow('unhealthy container');
    await controllers.pop()?.remove(never);
    const patient = controllerOf(
      assignedTask('t1', { script, health: { ...health, startPeriod: durationOfMs(5000) } }),
    );
    await patient.prepare(never);
    await patient.start(never);
    expect(await patient.wait(never)).toEqual({ exitCode: 143, reason: 'unhealthy container' });
  });

  it('is not waited for when it ends before', async () => {
    const controller = controllerOf(assignedTask('t1', { script: 'exit 6', health }));
    await controller.prepare(never);
    await expect(controller.start(never)).rejects.toThrow('task: non-zero exit (6)');
  });
});

describe('the log of a process', () => {
  it('is rotated by size and number', async () => {
    const task = assignedTask('t1', { script: 'i=0; while [ $i -lt 2000 ]; do echo "line $i"; i=$((i+1)); done' });
    const options = { 'max-size': '20k', 'max-file': '2' };
    const controller = controllerOf({ ...task, logDriver: { name: 'json-file', options } });
    await controller.prepare(never);
    await controller.start(never);
    await controller.wait(never);
    const output = path.join(dir, 'tasks', 't1', 'output');
    const files = readdirSync(output).filter((name) => name.startsWith('log.'));
    expect(files).toHaveLength(2);
    for (const file of files) expect(statSync(path.join(output, file)).size).toBeLessThan(22_000);
    const lines = (await linesOf(controller)).map(({ data }) => Buffer.from(data).toString());
    expect(lines.at(-1)).toBe('line 1999');
    expect(lines.length).toBeLessThan(600);
  });

  it('hands back the disk space of what was read', async () => {
    const controller = controllerOf(
      assignedTask('t1', { script: `yes ${'0123456789'.repeat(100)} | head -c 12000000; sleep 3` }),
    );
    await controller.prepare(never);
    await controller.start(never);
    const raw = path.join(dir, 'tasks', 't1', 'output', 'stdout.raw');
    // Emptied, its head cut out, or gone because the task has ended meanwhile on a slow machine.
    const isHandedBack = (): boolean => {
      const found = statSync(raw, { throwIfNoEntry: false });
      if (!found || found.size === 0) return true;
      return found.size === 12_000_000 && found.blocks * 512 < 6_000_000;
    };
    await eventually(() => existsSync(raw) && statSync(raw).size > 0, 5_000).catch(() => undefined);
    await eventually(isHandedBack, 30_000);
  }, 60_000);

  it('is not kept when nobody wants it', async () => {
    const task = assignedTask('t1', { script: 'echo hello' });
    const controller = controllerOf({ ...task, logDriver: { name: 'none', options: {} } });
    await controller.prepare(never);
    await controller.start(never);
    await controller.wait(never);
    expect(await linesOf(controller)).toEqual([]);
  });
});

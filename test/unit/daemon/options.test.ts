import { Command } from 'commander';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { environmentName, OPTION_DEFINITIONS, type CommandName, type OptionsOf } from '../../../src/daemon/options.ts';
import { addOptions, readOptions } from '../../../src/daemon/read-options.ts';

const TOKEN = `SWMTKN-1-${'0'.repeat(50)}-${'0'.repeat(25)}`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'swarmd-options-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function read<Name extends CommandName>(name: Name, ...flags: readonly string[]): OptionsOf[Name] {
  const program = new Command('swarmd').exitOverride().configureOutput({ writeErr: () => undefined });
  let options: OptionsOf[Name] | undefined;
  const command = addOptions(program.command(name), name);
  command.action(() => {
    options = readOptions(command, name);
  });
  program.parse([name, ...flags], { from: 'user' });
  return options as OptionsOf[Name];
}

function configured(content: string): string {
  const file = join(folder, 'swarmd.yaml');
  writeFileSync(file, content);
  return file;
}

describe('options of the daemon', () => {
  it('come from the flag, else the environment, else the file, else the default', () => {
    const file = configured('name: file\navailability: drain\nruntime: none\nlog-level: debug\n');
    vi.stubEnv('SWARMD_NAME', 'environment');
    vi.stubEnv('SWARMD_AVAILABILITY', 'pause');
    vi.stubEnv('SWARMD_CONFIG', file);
    expect(read('manager', '--name', 'flag')).toMatchObject({
      name: 'flag',
      availability: 'pause',
      runtime: 'none',
      logLevel: 'debug',
      engine: 'unix:///var/run/docker.sock',
    });
  });

  it('can all be given in each of the three ways', () => {
    const samples: Readonly<Record<string, string>> = {
      dataDir: '/srv/x',
      listenAddr: '127.0.0.1:4000',
      advertiseAddr: '10.0.0.1:4000',
      api: 'tcp://127.0.0.1:4001',
      apiVersion: '1.44',
      apiTlsCa: 'ca.pem',
      apiTlsCert: 'cert.pem',
      apiTlsKey: 'key.pem',
      join: '10.0.0.2:2377',
      token: TOKEN,
      runtime: 'none',
      engine: 'tcp://127.0.0.1:2375',
      name: 'n',
      label: 'zone=a',
      availability: 'pause',
      strategy: 'binpack',
      heartbeatMs: '2s',
      raftTickMs: '50ms',
      raftElectionTicks: '20',
      raftHeartbeatTicks: '2',
      logLevel: 'warn',
      demo: 'true',
      nodes: '3',
      prefix: 'p',
      startMs: '1s..2s',
      runMs: '3s',
      failureRate: '0.5',
      counts: 'true',
    };
    expect(Object.keys(samples).toSorted()).toEqual(OPTION_DEFINITIONS.map(({ key }) => key).toSorted());
    for (const name of ['manager', 'worker', 'node', 'up', 'hollow'] as const) {
      const definitions = OPTION_DEFINITIONS.filter(({ commands }) => commands.includes(name));
      const flag = (flags: string): string => flags.split(' ')[0] ?? '';
      const isSwitch = (flags: string): boolean => !flags.includes('<');
      const flags = definitions.flatMap(({ flags: text, key }) => [
        flag(text),
        ...(isSwitch(text) ? [] : [samples[key] ?? '']),
      ]);
      const byFlag = read(name, ...flags);
      const lines = definitions.map(({ flags: text, key }) => `${flag(text).slice(2)}: ${samples[key]}\n`);
      expect(read(name, '--config', configured(lines.join(''))), `${name}, file`).toEqual(byFlag);
      for (const { flags: text, key } of definitions) vi.stubEnv(environmentName(text), samples[key]);
      expect(read(name), `${name}, environment`).toEqual(byFlag);
      vi.unstubAllEnvs();
      expect(byFlag, name).not.toEqual(read(name));
    }
  });

  it('read a token from a file', () => {
    const file = join(folder, 'token');
    writeFileSync(file, `${TOKEN}\n`);
    expect(read('worker', '--token', `@${file}`).token).toBe(TOKEN);
    expect(() => read('worker', '--token', '@/nowhere')).toThrow(/--token @\/nowhere: ENOENT.*name a file/);
    expect(() => read('worker', '--token', 'SWMTKN-1-x')).toThrow(/--token: invalid join token/);
  });

  it.each([
    ['foo: 1', /unknown key "foo"; the keys are the flags of "swarmd manager --help"/],
    ['nodes: 5', /the key "nodes" is not for "swarmd manager" but for "swarmd hollow"; remove it/],
    ['name: true', /name: true is of the wrong type; write one text or number/],
    ['name:', /name: null is of the wrong type/],
    ['name: [a, b]', /name: \["a","b"\] is of the wrong type/],
    ['label: {zone: a}', /label: \{"zone":"a"\} is of the wrong type; write a list of texts/],
    ['label: [zone=a, =b]', /label: "=b": Write key=value/],
    ['runtime: rkt', /runtime: "rkt" is not one of process, docker/],
    ['raft-election-ticks: ten', /raft-election-ticks: "ten": Give a whole number from 2 to 1000/],
    ['listen-addr: 127.0.0.1:99999', /listen-addr: "127.0.0.1:99999": invalid address .*write host:port/],
    ['- a', /it must hold lines of "key: value"/],
    ['a: b: c', /config file .*swarmd.yaml: /],
  ])('are refused in the file with its name, the key, the value and the remedy: %s', (content, message) => {
    const file = configured(`${content}\n`);
    expect(() => read('manager', '--config', file)).toThrow(message);
    expect(() => read('manager', '--config', file)).toThrow(`config file ${file}`);
  });

  it.each([
    [['--listen-addr', '127.0.0.1:99999'], /--listen-addr.*'127.0.0.1:99999' is invalid.*write host:port/],
    [['--listen-addr', ''], /write host:port/],
    [['--advertise-addr', '0.0.0.0'], /others cannot reach it/],
    [['--advertise-addr', 'a b'], /write host:port/],
    [['--api', 'http://127.0.0.1:1'], /write unix:\/\/\/path\/of\/socket or tcp/],
    [['--api-tls-ca', 'ca.pem'], /give all three/],
    [['--join', 'foo bar'], /write host:port/],
    [['--runtime', 'rkt'], /Allowed choices are process, docker/],
    [['--engine', 'foo'], /Write unix:\/\/\/path\/of\/socket or tcp/],
    [['--data-dir', ''], /must not be empty/],
    [['--name', ' '], /must not be empty/],
    [['--label', '=x'], /Write key=value/],
    [['--heartbeat-period', '0'], /Give a time from 100ms to 1h/],
    [['--raft-tick', '5'], /invalid duration "5": write a number with a unit/],
    [['--raft-tick', '1h'], /Give a time from 10ms to 10s/],
    [['--raft-heartbeat-ticks', ''], /Give a whole number/],
    [['--raft-election-ticks', '3', '--raft-heartbeat-ticks', '3'], /must be above --raft-heartbeat-ticks 3/],
  ])('are refused as flags with the remedy: %j', (flags, message) => {
    expect(() => read('manager', ...flags)).toThrow(message);
  });

  it('are refused in the environment with the name of the variable', () => {
    vi.stubEnv('SWARMD_RAFT_TICK', 'foo');
    expect(() => read('manager')).toThrow(/'foo' from env 'SWARMD_RAFT_TICK' is invalid/);
    vi.unstubAllEnvs();
    vi.stubEnv('SWARMD_DEMO', 'perhaps');
    expect(() => read('up')).toThrow(/SWARMD_DEMO="perhaps": Write true or false/);
  });

  it('take an empty variable for none', () => {
    const without = read('manager');
    for (const { flags } of OPTION_DEFINITIONS) vi.stubEnv(environmentName(flags), '');
    expect(read('manager')).toEqual(without);
    expect(read('up').demo).toBe(false);
  });

  it('take a switch in the environment for what it says', () => {
    vi.stubEnv('SWARMD_DEMO', 'false');
    expect(read('up').demo).toBe(false);
    expect(read('up', '--demo').demo).toBe(true);
  });
});

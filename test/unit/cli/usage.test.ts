import { describe, expect, it } from 'vitest';
import { swarmctl } from '../../support/cli.ts';

const NOWHERE = ['--host', 'unix:///nonexistent/swarmd.sock'];
const create = (...flags: readonly string[]): readonly string[] => ['service', 'create', ...flags, 'host', 'true'];

describe('wrong usage of swarmctl ends with 2, before anything is asked of a manager', () => {
  it.each([
    [create('--replicas', 'many'), '--replicas "many": give a whole number, 0 or more'],
    [create('--limit-cpu', 'lots'), '--limit-cpu "lots": give a number of CPUs, for example 0.5'],
    [create('--limit-memory', '1x'), '--limit-memory "1x": give a number with a unit, for example 64m or 1g'],
    [create('--reserve-memory', '-1g'), '--reserve-memory "-1g"'],
    [create('--update-delay', '5'), '--update-delay "5": give a duration with a unit'],
    [create('--update-max-failure-ratio', '2'), '--update-max-failure-ratio "2": give a share from 0 to 1'],
    [create('--restart-max-delay', 'soon'), '--restart-max-delay "soon": give a duration'],
    [create('--timeout', 'never'), '--timeout "never": give a duration'],
    [create('--publish', 'http'), '--publish "http": write 8080:80'],
    [create('--mount', 'type=bind,source=/a'), '--mount "type=bind,source=/a": write type=bind'],
    [create('--publish', 'target=80,protcol=udp'), 'the field "protcol" is not known; there are published, target'],
    [create('--mount', 'target=/a,read-only'), 'the field "read-only" is not known; there are type, source'],
    [create('--env', ''), '--env "": write key=value'],
    [create('--env', '=x'), '--env "=x": write key=value'],
    [create('--placement-pref', 'node.labels.zone'), 'write spread=label'],
    [create('--label', '=x'), '--label "=x": write key=value'],
    [create('--mode', 'global', '--replicas', '2'), '--replicas goes with replicated services'],
    [create('--mode', 'sometimes'), 'Allowed choices are replicated, global'],
    [create('--wait', '--detach'), "option '--wait' cannot be used with option '-d, --detach'"],
    [['service', 'scale', 'web'], '"web": write service=replicas, for example web=3'],
    [['service', 'scale', 'web=x'], 'web "x": give a whole number, 0 or more'],
    [['service', 'ls', '--filter', 'web'], '--filter "web": write key=value, for example name=web'],
    [['service', 'logs', '--tail', 'few', 'web'], '--tail "few"'],
    [['service', 'logs', '--since', '2026-99-99', 'web'], '--since "2026-99-99": write a time'],
    [['service', 'logs', '--since', 'yesterday', 'web'], '--since "yesterday": write a time such as'],
    [['service', 'ls', '--output', 'xml'], 'Allowed choices are table, wide, json, yaml, name'],
    [['service', 'ls', '--colour'], "unknown option '--colour'"],
    [['service', 'inspect'], "missing required argument 'services'"],
    [['network', 'create', '--gateway', '10.0.0.1', 'back'], '--gateway "10.0.0.1": there is no --subnet for it'],
    [['--host', 'ftp://x', 'info'], '--host "ftp://x": write unix:///path.sock'],
    [['--tls-ca', 'ca.pem', 'info'], '--tls-ca, --tls-cert and --tls-key belong together'],
    [
      ['--tls-ca', '/none.pem', '--tls-cert', 'c', '--tls-key', 'k', 'info'],
      '--tls-ca "/none.pem": ENOENT: no such file or directory, open \'/none.pem\'; name a PEM file',
    ],
    [['swarm', 'update', '-o', 'table'], 'there is nothing to change: give at least one of --strategy, --autolock'],
    [['node', 'update', 'self'], 'at least one of --availability, --role, --label-add, --label-rm\n'],
    [['secret', 'create', 'key', '/none'], "cannot read /none: ENOENT: no such file or directory, open '/none'"],
    [['config', 'create', 'conf', '/'], 'cannot read /: EISDIR: illegal operation on a directory'],
    [['stack', 'deploy', '-c', '/none.yml', 'shop'], 'cannot read the compose file /none.yml: ENOENT: no such file'],
    [['completion', 'tcsh'], 'Allowed choices are bash, zsh, fish'],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await swarmctl([...(args.includes('--host') ? [] : NOWHERE), ...args]);
    expect(stderr).toContain(message);
    expect([code, stdout]).toEqual([2, '']);
  });

  it('tells which address it tried, why that failed and what to do, and ends with 5', async () => {
    expect(await swarmctl([...NOWHERE, 'service', 'ls'])).toEqual({
      code: 5,
      stdout: '',
      stderr:
        'swarmctl: cannot reach swarmd at unix:///nonexistent/swarmd.sock: there is no such socket; start it with "swarmd up", or name another address with --host\n',
    });
    expect((await swarmctl([...NOWHERE, 'service', 'ls', '--watch'])).code).toBe(5);
    const tcp = await swarmctl(['--host', 'tcp://127.0.0.1:1', 'info']);
    expect([tcp.code, tcp.stderr]).toEqual([5, expect.stringContaining('nothing listens there')]);
  });
});

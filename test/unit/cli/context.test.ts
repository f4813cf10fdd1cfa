import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { endpointOf } from '../../../src/cli/endpoint.ts';
import { cliRig, swarmctl } from '../../support/cli.ts';

let rig: Awaited<ReturnType<typeof cliRig>>;
let folder: string;
beforeAll(async () => {
  rig = await cliRig();
  folder = mkdtempSync(join(tmpdir(), 'contexts-'));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rig.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  for (const name of ['SWARMD_HOST', 'DOCKER_HOST', 'SWARMD_CONTEXT']) vi.stubEnv(name, '');
  vi.stubEnv('XDG_CONFIG_HOME', folder);
});

describe('contexts', () => {
  it('are remembered for the user alone, and used', async () => {
    const host = ['--host', rig.host];
    expect(await swarmctl([...host, 'context', 'create', '--description', 'the first', 'one'])).toMatchObject({
      code: 0,
      stdout: 'one\n',
    });
    expect(statSync(join(folder, 'swarmd', 'contexts.json')).mode & 0o777).toBe(0o600);
    expect((await swarmctl(['--context', 'one', 'node', 'ls', '--output', 'name'])).stdout).toBe('host1\n');
    expect((await swarmctl(['context', 'use', 'one'])).stdout).toBe('one\n');
    expect((await swarmctl(['node', 'ls', '--output', 'name'])).stdout).toBe('host1\n');
    expect((await swarmctl(['context', 'show'])).stdout).toBe(`${rig.host}, from context one\n`);
    expect((await swarmctl(['context', 'ls', '--format', '{{.Name}} {{.Current}} {{.Description}}'])).stdout).toBe(
      'one * true the first\n',
    );
  });

  it('keep what it takes for TLS', async () => {
    for (const name of ['ca', 'cert', 'key']) writeFileSync(join(folder, `${name}.pem`), `the ${name}`);
    const tls = ['ca', 'cert', 'key'].flatMap((name) => [`--tls-${name}`, join(folder, `${name}.pem`)]);
    await swarmctl(['context', 'create', '--host', 'https://10.0.0.1:2376', ...tls, 'far']);
    expect(endpointOf({ context: 'far' })).toMatchObject({
      host: 'https://10.0.0.1:2376',
      tls: { ca: 'the ca', cert: 'the cert', key: 'the key' },
    });
  });

  it('give way to flags and environment', () => {
    vi.stubEnv('SWARMD_CONTEXT', 'far');
    expect(endpointOf({}).from).toBe('SWARMD_CONTEXT=far');
    vi.stubEnv('DOCKER_HOST', 'unix:///docker.sock');
    expect(endpointOf({}).from).toBe('DOCKER_HOST');
    vi.stubEnv('SWARMD_HOST', 'unix:///swarmd.sock');
    expect(endpointOf({}).from).toBe('SWARMD_HOST');
    expect(endpointOf({ context: 'one' }).host).toBe(rig.host);
    expect(endpointOf({ host: 'tcp://a:1' })).toMatchObject({ host: 'tcp://a:1', from: '--host' });
    expect(() => endpointOf({ host: 'tcp://a:1', context: 'one' })).toThrow('both name an endpoint');
  });

  it('that are wrong are told of', async () => {
    expect(await swarmctl(['--context', 'none', 'node', 'ls'])).toMatchObject({
      code: 3,
      stderr: 'swarmctl: context "none" not found; there are: far, one\n',
    });
    expect((await swarmctl(['context', 'create', '--host', rig.host, 'one'])).stderr).toContain(
      'replace it with --force',
    );
    expect((await swarmctl(['context', 'create', 'two'])).code).toBe(2);
    expect((await swarmctl(['context', 'create', '--host', 'ftp://x', 'two'])).code).toBe(2);
  });

  it('are forgotten', async () => {
    expect((await swarmctl(['__complete', '--', 'context', 'use', ''])).stdout).toBe('far\none\n');
    expect((await swarmctl(['context', 'rm', 'one', 'far'])).stdout).toBe('one\nfar\n');
    expect((await swarmctl(['context', 'show'])).stdout).toContain('from the local socket');
    writeFileSync(join(folder, 'swarmd', 'contexts.json'), 'nonsense');
    expect((await swarmctl(['context', 'ls'])).stderr).toContain('holds no contexts: correct it, or remove it');
  });
});

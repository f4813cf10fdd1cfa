import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask } from '../../bench/swarm/contender.ts';
import { repositoryRoot } from '../support/repository.ts';

const SWARMD = join(repositoryRoot, 'bin', 'swarmd.js');

interface DemoService {
  readonly Version: { readonly Index: number };
  readonly Spec: { readonly TaskTemplate: { readonly ContainerSpec: { Command: string[] } } };
}

describe('swarmd up --demo', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'swarmd-demo-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  /** Runs it until it says that the demo answers, does something, and stops it; returns what it said. */
  const run = async (
    meanwhile: (socket: string) => Promise<void>,
    signal: NodeJS.Signals = 'SIGINT',
  ): Promise<string> => {
    const socket = join(directory, 'api.sock');
    const flags = ['--demo', '--data-dir', join(directory, 'state'), '--api', `unix://${socket}`];
    const child = spawn(process.execPath, [SWARMD, 'up', ...flags, '--listen-addr', '127.0.0.1:0'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = once(child, 'exit');
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (said += data.toString()));
    try {
      await expect.poll(() => said, { timeout: 40_000, interval: 50 }).toMatch(/Ctrl-C|does not answer/);
      await meanwhile(socket);
    } finally {
      child.kill(signal);
      await ended;
    }
    return said;
  };

  it('answers, and answers again though what its service ran before was moved away', async () => {
    const said = await run(async (socket) => {
      const { Version, Spec } = await ask<DemoService>(socket, 'GET', '/services/demo-web');
      Spec.TaskTemplate.ContainerSpec.Command = ['/moved/node', '/moved/web.js'];
      await ask(socket, 'POST', `/services/demo-web/update?version=${Version.Index}`, Spec);
    });
    expect(said).toContain('3 replicas running');
    const again = await run(async (socket) => {
      const { Spec } = await ask<DemoService>(socket, 'GET', '/services/demo-web');
      expect(Spec.TaskTemplate.ContainerSpec.Command[0]).toBe(process.execPath);
    });
    expect(again).toContain('3 replicas running');
    for (const [url] of again.matchAll(/http:\/\/127\.0\.0\.1:\d+\//g)) await expect(fetch(url)).rejects.toThrow();
  });

  it('ends its tasks too when its terminal is closed', async () => {
    const said = await run(() => Promise.resolve(), 'SIGHUP');
    expect(said).toContain('everything that was started is stopped');
    for (const [url] of said.matchAll(/http:\/\/127\.0\.0\.1:\d+\//g)) await expect(fetch(url)).rejects.toThrow();
  });
});

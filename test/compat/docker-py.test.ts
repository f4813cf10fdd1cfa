/** docker-py (Debian's) drives the whole Swarm surface of one daemon that runs its tasks on a real engine. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestDaemon } from '../support/cluster.ts';
import { BUSYBOX_IMAGE, DockerEngine } from '../support/docker-engine.ts';
import { repositoryRoot } from '../support/repository.ts';
import { describeWith } from '../support/requirements.ts';

const TESTS = join(repositoryRoot, 'test', 'compat', 'docker-py');
const TIMEOUT_MS = 180_000;

describeWith(['root', 'docker', 'dockerd', 'ip', 'busybox', 'dockerPy'], 'docker-py with the docker runtime', () => {
  let directory: string;
  let engine: DockerEngine;
  let daemon: TestDaemon;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'swarmd-py-'));
    engine = await DockerEngine.start();
    daemon = new TestDaemon('node-1', directory, ['node', '--runtime', 'docker', '--engine', engine.host]);
    await daemon.start();
  });
  afterAll(async () => {
    await daemon?.kill();
    await engine?.close();
    await rm(directory, { recursive: true, force: true });
  });

  /** Runs a file of Python tests; its report is the failure's text. */
  const runTests = (file: string): Promise<{ readonly code: number | null; readonly report: string }> =>
    new Promise((resolve, reject) => {
      const python = spawn('/usr/bin/python3', ['-W', 'ignore', '-m', 'unittest', '-v', file], {
        cwd: TESTS,
        env: {
          ...process.env,
          DOCKER_HOST: daemon.host,
          SWARMD_TEST_IMAGE: BUSYBOX_IMAGE,
          PYTHONDONTWRITEBYTECODE: '1',
        },
      });
      let report = '';
      for (const output of [python.stdout, python.stderr]) {
        output.on('data', (chunk: Buffer) => {
          report += chunk.toString();
        });
      }
      python.once('error', reject);
      python.once('close', (code) => resolve({ code, report }));
    });

  it.each([
    ['founds, joins, changes and leaves swarms again and again', 'test_swarm'],
    ['makes secrets, configs and networks', 'test_objects'],
    ['says and gets back all of a service, and sees it run', 'test_services'],
  ])(
    '%s',
    async (_what, file) => {
      const { code, report } = await runTests(file);
      expect(report).toMatch(/\nOK\n$/);
      expect(code).toBe(0);
    },
    TIMEOUT_MS,
  );
});

/** Plays one scenario on a cluster: bash with the helpers of `lib.sh`, in a folder of its own. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUSYBOX_IMAGE } from '../../support/docker-engine.ts';
import type { ClusterUnderTest } from './cluster-under-test.ts';
import type { Scenario } from './scenario.ts';

/** Everything it printed, as it was printed. */
export async function play(scenario: Scenario, folder: string, cluster: ClusterUnderTest): Promise<string> {
  const scratch = await mkdtemp(join(tmpdir(), 'swarmd-scenario-'));
  try {
    return await output(scenario, join(folder, 'lib.sh'), {
      ...cluster.environment,
      IMG: BUSYBOX_IMAGE,
      NODE: cluster.nodes[0]?.id ?? '',
      NODE2: cluster.nodes[1]?.id ?? '',
      NODES: String(cluster.nodes.length),
      HOSTSED: sedScript(cluster.own.hosts),
      SDIR: scratch,
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function output(scenario: Scenario, library: string, env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    const script = `. '${library}'; . '${scenario.file}'`;
    // A group of its own, so that whatever it left in the background ends with it.
    const shell = spawn('bash', ['-c', script], { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let text = '';
    for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const timer = setTimeout(() => {
      text += '\n!! scenario timed out\n';
      endGroup(shell.pid);
    }, scenario.timeoutMs);
    shell.once('error', reject);
    shell.once('close', () => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended meanwhile.
  }
}

const sedScript = (hosts: ReadonlyMap<string, string>): string =>
  [...hosts].map(([host, standIn]) => `s/\\b${host.replaceAll('.', '\\.')}\\b/${standIn}/g`).join(';');

/** `swarmd hollow` processes joined to a swarm, and what they say became of their tasks. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { closeWhenInterrupted } from '../../test/support/interruption.ts';
import { repositoryRoot } from '../../test/support/repository.ts';
import { cpuSeconds, residentMb } from '../support/process-usage.ts';
import { until } from '../support/waiting.ts';
import { ask } from './contender.ts';

const SWARMD = join(repositoryRoot, 'bin', 'swarmd.js');
/** As the help of `swarmd hollow` advises. */
const LEAN_MEMORY = { MALLOC_MMAP_THRESHOLD_: '65536' };
/** With many workers joining on a small machine. */
const JOIN_TIMEOUT_MS = 120_000;
const JOIN_TIMEOUT_PER_NODE_MS = 500;

export interface Counts {
  readonly assigned: number;
  readonly started: number;
  readonly ended: number;
  readonly removed: number;
  /** Workers that have a session now. */
  readonly connected: number;
}

const NOTHING: Counts = { assigned: 0, started: 0, ended: 0, removed: 0, connected: 0 };

/** Where workers join. */
export interface JoinTarget {
  readonly socket: string;
  readonly address: string;
  readonly namespace: string | undefined;
}

/** One process. */
export class HollowWorkers {
  readonly nodes: number;
  readonly #process: ChildProcess;
  #counts = NOTHING;
  #said = '';

  private constructor(nodes: number, child: ChildProcess) {
    this.nodes = nodes;
    this.#process = child;
    child.once(
      'exit',
      closeWhenInterrupted(() => this.kill()),
    );
    if (child.stdout) {
      createInterface({ input: child.stdout }).on('line', (line) => (this.#counts = JSON.parse(line) as Counts));
    }
    child.stderr?.on('data', (chunk: Buffer) => (this.#said = (this.#said + chunk.toString()).slice(-2000)));
  }

  /** Starts a process; resolves when all its workers are ready at the manager. */
  static async join(target: JoinTarget, nodes: number, prefix: string): Promise<HollowWorkers> {
    const before = await readyNodes(target.socket);
    const { JoinTokens } = await ask<{ JoinTokens: { Worker: string } }>(target.socket, 'GET', '/swarm');
    const flags = ['--join', target.address, '--token', JoinTokens.Worker, '--nodes', String(nodes)];
    const enter = target.namespace === undefined ? [] : ['nsenter', `--net=/run/netns/${target.namespace}`, '--'];
    const [program, ...words] = [
      ...enter,
      process.execPath,
      SWARMD,
      'hollow',
      ...flags,
      '--prefix',
      prefix,
      '--counts',
      '--log-level',
      'error',
    ];
    const env = { ...process.env, ...LEAN_MEMORY };
    const workers = new HollowWorkers(nodes, spawn(program, words, { env, stdio: ['ignore', 'pipe', 'pipe'] }));
    try {
      await until(
        `${nodes} hollow workers`,
        async () => {
          if (workers.#process.exitCode !== null) throw new Error(workers.#said);
          // Asking a manager for thousands of nodes would be a good part of its work.
          return workers.counts.connected >= nodes && (await readyNodes(target.socket)) >= before + nodes;
        },
        { timeoutMs: JOIN_TIMEOUT_MS + nodes * JOIN_TIMEOUT_PER_NODE_MS, everyMs: 500 },
      );
    } catch (error) {
      await workers.kill();
      throw error;
    }
    return workers;
  }

  get counts(): Counts {
    return this.#counts;
  }

  get pid(): number {
    return this.#process.pid as number;
  }

  get cpuSeconds(): number {
    return cpuSeconds(this.pid);
  }

  get residentMb(): number {
    return residentMb(this.pid);
  }

  /** Whether the process runs. */
  get isAlive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** kill -9: every worker of the process is gone at once. */
  async kill(): Promise<void> {
    if (!this.isAlive) return;
    this.#process.kill('SIGKILL');
    await once(this.#process, 'exit');
  }
}

async function readyNodes(socket: string): Promise<number> {
  const nodes = await ask<readonly { Status: { State: string } }[]>(socket, 'GET', '/nodes');
  return nodes.filter(({ Status }) => Status.State === 'ready').length;
}

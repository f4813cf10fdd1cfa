/** Real swarmd daemons as processes on loopback, each with its own folder and API socket. */
import { spawn, execFile, type ChildProcess } from 'node:child_process';
import { createWriteStream, existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultPrivateDirectory } from '../../src/worker/drivers/process/process-driver.ts';
import { closeWhenInterrupted } from './interruption.ts';
import { repositoryRoot } from './repository.ts';
import { killLeftTasks } from './left-tasks.ts';

const SWARMD = join(repositoryRoot, 'bin', 'swarmd.js');
/** Several that start at once on a busy machine take their time. */
const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 15_000;

export interface ApiAnswer<T> {
  readonly status: number;
  readonly body: T;
}

/** What tests read of tasks, nodes and services; the API has more. */
export interface ApiTask {
  readonly ID: string;
  readonly ServiceID: string;
  readonly Slot?: number;
  readonly NodeID?: string;
  readonly DesiredState: string;
  readonly Status: {
    readonly State: string;
    readonly Err?: string;
    readonly ContainerStatus?: { readonly PID?: number };
  };
}
export interface ApiNode {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly Spec: { readonly Role: string; readonly Availability: string };
  readonly Description: { readonly Hostname?: string };
  readonly Status: { readonly State: string };
  readonly ManagerStatus?: { readonly Leader?: boolean; readonly Reachability: string };
}
export interface SwarmStatusBody {
  readonly isLeader: boolean;
  readonly appliedIndex: number;
  readonly stateHash: string;
}

/** One daemon; it can be killed and started again with the same folder. */
export class TestDaemon {
  readonly name: string;
  readonly directory: string;
  readonly socket: string;
  readonly #arguments: readonly string[];
  readonly namespace: string | undefined;
  #process: ChildProcess | undefined;

  /** @param namespace network namespace to run in; the caller's own unless given */
  constructor(name: string, directory: string, args: readonly string[], namespace?: string) {
    this.name = name;
    this.directory = join(directory, name);
    this.socket = join(directory, `${name}.sock`);
    this.#arguments = args;
    this.namespace = namespace;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  get host(): string {
    return `unix://${this.socket}`;
  }

  get log(): string {
    return existsSync(`${this.directory}.log`) ? readFileSync(`${this.directory}.log`, 'utf8') : '';
  }

  /** Starts the process and waits until it says that it runs. Throws with its log when it ends before. */
  async start(extra: readonly string[] = []): Promise<void> {
    const [command = 'node', ...rest] = this.#arguments;
    const args = [
      SWARMD,
      command,
      '--data-dir',
      this.directory,
      '--api',
      this.host,
      '--name',
      this.name,
      ...rest,
      ...extra,
    ];
    const enter = this.namespace === undefined ? [] : ['nsenter', `--net=/run/netns/${this.namespace}`, '--'];
    const [program = process.execPath, ...words] = [...enter, process.execPath, ...args];
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    const log = createWriteStream(`${this.directory}.log`, { flags: 'a' });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    child.once('close', () => log.end());
    this.#process = child;
    child.once(
      'exit',
      closeWhenInterrupted(() => this.kill()),
    );
    await new Promise<void>((resolve, reject) => {
      let text = '';
      const fail = (why: string): void => reject(new Error(`${this.name} ${why}:\n${text}`));
      const timer = setTimeout(() => fail('did not start in time'), START_TIMEOUT_MS);
      child.stderr.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (!text.includes('"swarmd is running"')) return;
        clearTimeout(timer);
        resolve();
      });
      // What it said last arrives after its exit.
      child.once('close', (code) => {
        clearTimeout(timer);
        fail(`ended with code ${code}`);
      });
    });
  }

  /** kill -9: nothing is said to anybody. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
    if (this.namespace === undefined) await this.#removeTable();
  }

  /** Orderly stop; resolves with the exit code. */
  stop(): Promise<number | null> {
    return this.#end('SIGTERM');
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  /** One API call over the socket. */
  call<T>(method: string, path: string, body?: unknown, timeoutMs = 20_000): Promise<ApiAnswer<T>> {
    return new Promise((resolve, reject) => {
      const payload = body === undefined ? undefined : JSON.stringify(body);
      const headers =
        payload === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) };
      const call = request({ socketPath: this.socket, method, path, headers, timeout: timeoutMs }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, body: (text === '' ? undefined : JSON.parse(text)) as T });
        });
        response.on('error', reject);
      });
      call.on('timeout', () => call.destroy(new Error(`${method} ${path} at ${this.name} timed out`)));
      call.on('error', reject);
      call.end(payload);
    });
  }

  /** Like {@link call}, throwing unless the answer is a success. */
  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.call<T & { message?: string }>(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body?.message ?? ''}`);
    return answer.body;
  }

  /** What it led connections by stays in the kernel without it, which here is that of the machine. */
  async #removeTable(): Promise<void> {
    const record = join(this.directory, 'node.json');
    // Some tests damage it.
    const [, nodeId] = existsSync(record) ? (/"nodeId":\s*"(\w+)"/.exec(readFileSync(record, 'utf8')) ?? []) : [];
    if (nodeId === undefined) return;
    await new Promise<void>((resolve) => {
      execFile('nft', ['delete', 'table', 'ip', `swarmd_${nodeId}`], () => resolve());
    });
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    child.kill(signal);
    const impatient = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    const code = await ended;
    clearTimeout(impatient);
    return code;
  }
}

export interface ClusterOptions {
  readonly managers: number;
  readonly workers: number;
  readonly runtime?: string;
  /** Runtime of the managers' own agents. */
  readonly managerRuntime?: string;
  /** Address the managers listen at; loopback unless given. */
  readonly host?: string;
}

export class TestCluster {
  readonly directory: string;
  readonly managers: TestDaemon[] = [];
  readonly workers: TestDaemon[] = [];
  readonly #host: string;
  readonly #ports: number[] = [];
  readonly #forget = closeWhenInterrupted(() => this.close());

  private constructor(directory: string, host: string) {
    this.directory = directory;
    this.#host = host;
  }

  static async start({
    managers,
    workers,
    runtime = 'process',
    managerRuntime = runtime,
    host = '127.0.0.1',
  }: ClusterOptions): Promise<TestCluster> {
    const cluster = new TestCluster(await mkdtemp(join(tmpdir(), 'swarmd-cluster-')), host);
    try {
      for (let i = 1; i <= managers; i++) await cluster.addManager(`m${i}`, managerRuntime);
      await Promise.all(Array.from({ length: workers }, (_, i) => cluster.addWorker(`w${i + 1}`, runtime)));
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  get first(): TestDaemon {
    return this.managers[0] as TestDaemon;
  }

  get all(): readonly TestDaemon[] {
    return [...this.managers, ...this.workers];
  }

  async addManager(name: string, runtime = 'process'): Promise<TestDaemon> {
    const port = await freePort();
    const join_ = this.managers.length === 0 ? [] : await this.#joinFlags('manager');
    const daemon = new TestDaemon(name, this.directory, [
      'manager',
      '--listen-addr',
      `${this.#host}:${port}`,
      '--runtime',
      runtime,
      ...join_,
    ]);
    this.#ports.push(port);
    this.managers.push(daemon);
    await daemon.start();
    return daemon;
  }

  /** @param namespace network namespace to run it in, from which the managers can be reached */
  async addWorker(name: string, runtime = 'process', namespace?: string): Promise<TestDaemon> {
    const listen = ['--listen-addr', namespace === undefined ? `127.0.0.1:${await freePort()}` : '0.0.0.0:2377'];
    const daemon = new TestDaemon(
      name,
      this.directory,
      ['worker', '--runtime', runtime, ...listen, ...(await this.#joinFlags('worker'))],
      namespace,
    );
    this.workers.push(daemon);
    await daemon.start();
    return daemon;
  }

  /** The managers that answer and say they lead. */
  async leader(): Promise<TestDaemon | undefined> {
    for (const manager of this.managers) {
      const status = await manager
        .call<SwarmStatusBody>('GET', '/swarmd/status', undefined, 2_000)
        .catch(() => undefined);
      if (status?.status === 200 && status.body.isLeader) return manager;
    }
    return undefined;
  }

  tasksOf(service: string, at = this.first): Promise<readonly ApiTask[]> {
    const filters = encodeURIComponent(JSON.stringify({ service: [service] }));
    return at.ask('GET', `/tasks?filters=${filters}`);
  }

  /** Tasks of a service that are running and wanted running. */
  async running(service: string, at = this.first): Promise<readonly ApiTask[]> {
    const tasks = await this.tasksOf(service, at);
    return tasks.filter((task) => task.Status.State === 'running' && task.DesiredState === 'running');
  }

  nodes(at = this.first): Promise<readonly ApiNode[]> {
    return at.ask('GET', '/nodes');
  }

  async node(name: string, at = this.first): Promise<ApiNode> {
    const node = (await this.nodes(at)).find((n) => n.Description.Hostname === name);
    if (!node) throw new Error(`no node is called ${name}`);
    return node;
  }

  /** Changes the role a node should have; again when the node changed between the read and the change. */
  async setRole(name: string, role: 'manager' | 'worker'): Promise<void> {
    for (;;) {
      const { ID, Version } = await this.node(name);
      const path = `/nodes/${ID}/update?version=${Version.Index}`;
      const { status, body } = await this.first.call<{ message: string }>('POST', path, {
        Role: role,
        Availability: 'active',
      });
      if (status === 200) return;
      if (status !== 409) throw new Error(`${path}: ${status} ${body.message}`);
    }
  }

  /** Ends every daemon and every task, and removes the folder. */
  async close(): Promise<void> {
    this.#forget();
    await Promise.all(this.all.map((daemon) => daemon.kill()));
    killLeftTasks(this.directory);
    await Promise.all(this.all.map((daemon) => unmountSecrets(daemon)));
    await rm(this.directory, { recursive: true, force: true });
  }

  async #joinFlags(role: 'manager' | 'worker'): Promise<readonly string[]> {
    const swarm = await this.first.ask<{ JoinTokens: { Manager: string; Worker: string } }>('GET', '/swarm');
    const token = role === 'manager' ? swarm.JoinTokens.Manager : swarm.JoinTokens.Worker;
    return ['--join', `${this.#host}:${this.#ports[0]}`, '--token', token];
  }
}

/** A service of processes that sleep, or run another command. */
export const aService = (
  name: string,
  replicas: number,
  options: { readonly command?: readonly string[]; readonly extra?: object } = {},
) => ({
  Name: name,
  TaskTemplate: {
    ContainerSpec: { Image: 'host', Command: options.command ?? ['sleep', '100000'], StopGracePeriod: 1_000_000_000 },
    RestartPolicy: { Delay: 200_000_000 },
  },
  Mode: { Replicated: { Replicas: replicas } },
  ...options.extra,
});

/** Runs the docker CLI against a daemon; resolves with its output, throws with its error output. */
export const docker = (daemon: TestDaemon, ...args: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const env = { ...process.env, DOCKER_HOST: daemon.host, DOCKER_CLI_HINTS: 'false', LC_ALL: 'C' };
    execFile('docker', args, { env, timeout: 60_000 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`docker ${args.join(' ')}: ${stderr || error.message}`));
      else resolve(stdout.trim());
    });
  });

/** A port of loopback that is free now. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });

/** Secrets of the tasks of a killed daemon would stay mounted: it had no time to take them away. */
const unmountSecrets = (daemon: TestDaemon): Promise<void> =>
  new Promise((resolve) => {
    const directory = defaultPrivateDirectory(join(daemon.directory, 'tasks'));
    if (directory.startsWith(daemon.directory)) return resolve();
    execFile('umount', [directory], () => void rm(directory, { recursive: true, force: true }).then(resolve, resolve));
  });

/**
 * A real Docker Engine of one test's own: dockerd and containerd in a network namespace without a way out, with folders
 * and sockets of their own, and the image `busybox:local`. `close` leaves nothing behind.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeWhenInterrupted } from './interruption.ts';

export const BUSYBOX_IMAGE = 'busybox:local';
const START_TIMEOUT_MS = 40_000;
const STOP_TIMEOUT_MS = 15_000;
const POLL_MS = 50;

export interface EngineOptions {
  /** Found a Docker Swarm of this one engine (which then ends its containers when dockerd stops). */
  readonly isSwarm?: boolean;
  /** The engine is to join a swarm later; the same holds for its containers. */
  readonly joinsSwarm?: boolean;
  /** Name of the engine's host; the machine's unless given. */
  readonly hostname?: string;
  /** What stands in its daemon.json: labels, generic resources and the like. */
  readonly config?: object;
}

export class DockerEngine {
  readonly directory: string;
  /** Network namespace the engine lives in. */
  readonly namespace: string;
  readonly #liveRestore: boolean;
  readonly #hostname: string | undefined;
  readonly #forget = closeWhenInterrupted(() => this.close());
  #containerd: ChildProcess | undefined;
  #dockerd: ChildProcess | undefined;

  private constructor(directory: string, namespace: string, { isSwarm, joinsSwarm, hostname }: EngineOptions) {
    this.directory = directory;
    this.namespace = namespace;
    this.#liveRestore = !isSwarm && !joinsSwarm;
    this.#hostname = hostname;
  }

  /** Starts an engine and imports busybox. Throws with the engine's log when it does not come up. */
  static async start(options: EngineOptions = {}): Promise<DockerEngine> {
    const directory = await mkdtemp(join(tmpdir(), 'swarmd-engine-'));
    const engine = new DockerEngine(directory, directory.slice(-13), options);
    try {
      await run('ip', ['netns', 'add', engine.namespace]);
      await run('ip', ['-n', engine.namespace, 'link', 'set', 'lo', 'up']);
      await writeFile(join(directory, 'daemon.json'), JSON.stringify(options.config ?? {}));
      await engine.#startContainerd();
      await engine.startDaemon();
      await engine.#importBusybox();
      if (options.isSwarm)
        await engine.docker('swarm', 'init', '--advertise-addr=127.0.0.1', '--listen-addr=127.0.0.1');
      return engine;
    } catch (error) {
      await engine.close();
      throw error;
    }
  }

  /** As in `--engine` and `DOCKER_HOST`. */
  get host(): string {
    return `unix://${this.socket}`;
  }

  get socket(): string {
    return join(this.directory, 'docker.sock');
  }

  /** Starts dockerd again with the same folders; containers may have gone on without it (`live-restore`). */
  async startDaemon(): Promise<void> {
    this.#dockerd = this.#inNamespace('dockerd', [
      `--host=${this.host}`,
      `--containerd=${join(this.directory, 'containerd.sock')}`,
      `--data-root=${join(this.directory, 'data')}`,
      `--exec-root=${join(this.directory, 'exec')}`,
      `--pidfile=${join(this.directory, 'docker.pid')}`,
      `--config-file=${join(this.directory, 'daemon.json')}`,
      // Docker allows this outside of a swarm only.
      ...(this.#liveRestore ? ['--live-restore'] : []),
    ]);
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!(await this.docker('version', '--format', '{{.Server.Version}}').catch(() => undefined))) {
      if (this.#dockerd.exitCode !== null || Date.now() > deadline) {
        throw new Error(`dockerd did not start:\n${readFileSync(this.#logFile('dockerd'), 'utf8').slice(-2000)}`);
      }
      await pause();
    }
  }

  /** Stops dockerd; containers go on. */
  async stopDaemon(): Promise<void> {
    await end(this.#dockerd);
    this.#dockerd = undefined;
  }

  /** Runs the docker CLI against the engine itself. */
  docker(...args: readonly string[]): Promise<string> {
    return run('docker', args, { ...process.env, DOCKER_HOST: this.host, DOCKER_CLI_HINTS: 'false', LC_ALL: 'C' });
  }

  /** Ends all containers, both daemons and what they left, and removes namespace, mounts and folder. */
  async close(): Promise<void> {
    this.#forget();
    const left = await this.docker('ps', '-aq').catch(() => '');
    if (left !== '') await this.docker('rm', '-f', ...left.split('\n')).catch(() => undefined);
    await this.stopDaemon();
    await killShims(this.directory);
    await end(this.#containerd);
    await unmountBelow(this.directory);
    await run('ip', ['netns', 'del', this.namespace]).catch(() => undefined);
    await rm(this.directory, { recursive: true, force: true });
  }

  async #startContainerd(): Promise<void> {
    const config = join(this.directory, 'containerd.toml');
    await writeFile(
      config,
      [
        'version = 2',
        `root = "${join(this.directory, 'containerd-root')}"`,
        `state = "${join(this.directory, 'containerd-state')}"`,
        'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
        '[grpc]',
        `address = "${join(this.directory, 'containerd.sock')}"`,
        '',
      ].join('\n'),
    );
    this.#containerd = this.#inNamespace('containerd', ['--config', config]);
  }

  /** nsenter rather than `ip netns exec`, which would hide the control groups. */
  #inNamespace(command: string, args: readonly string[]): ChildProcess {
    const named =
      this.#hostname === undefined
        ? []
        : ['unshare', '--uts', 'sh', '-c', 'hostname "$0" && exec "$@"', this.#hostname];
    const child = spawn('nsenter', [`--net=/run/netns/${this.namespace}`, '--', ...named, command, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // There is no registry to ask for newer images.
      env: { ...process.env, DOCKER_SERVICE_PREFER_OFFLINE_IMAGE: '1' },
    });
    const log = createWriteStream(this.#logFile(command), { flags: 'a' });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    child.once('close', () => log.end());
    return child;
  }

  readonly #logFile = (command: string): string => join(this.directory, `${command}.log`);

  async #importBusybox(): Promise<void> {
    const root = join(this.directory, 'busybox');
    await mkdir(join(root, 'bin'), { recursive: true });
    await mkdir(join(root, 'etc'));
    await cp('/bin/busybox', join(root, 'bin', 'busybox'));
    const applets = (await run('/bin/busybox', ['--list'])).split('\n');
    for (const applet of applets.filter((name) => name !== 'busybox')) {
      await symlink('busybox', join(root, 'bin', applet));
    }
    await writeFile(join(root, 'etc', 'passwd'), 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n');
    await writeFile(join(root, 'etc', 'group'), 'root:x:0:\nnogroup:x:65534:\n');
    const archive = join(this.directory, 'busybox.tar');
    await run('tar', ['-C', root, '-cf', archive, '.']);
    await this.docker('import', '--change', 'CMD ["sh"]', archive, BUSYBOX_IMAGE);
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, POLL_MS));

export function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { env, timeout: 60_000, maxBuffer: 16 << 20 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${command} ${args.join(' ')}: ${stderr || error.message}`));
      else resolve(stdout.trim());
    });
  });
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const impatient = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(impatient);
}

/** Shims outlive containerd by design; ours name our folder on their command line. */
async function killShims(directory: string): Promise<void> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (!line.includes('containerd-shim') || !line.includes(directory)) continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended meanwhile.
    }
  }
}

/** Takes away every file system mounted somewhere in a folder. */
export async function unmountBelow(directory: string): Promise<void> {
  for (const path of await mountsBelow(directory)) await run('umount', ['-l', path]).catch(() => undefined);
}

/** Innermost first. */
async function mountsBelow(directory: string): Promise<readonly string[]> {
  const mounts = await readFile('/proc/self/mounts', 'utf8');
  return mounts
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${directory}/`))
    .toReversed();
}

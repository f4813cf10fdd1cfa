/**
 * The network namespace an engine lives in. It is nearly always the agent's own; where it is not (an engine in a
 * namespace of its own on the same machine), commands and sockets are made inside it by way of `nsenter`.
 */
import { execFile, spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { openSync } from 'node:fs';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { SwarmError } from '../../common/errors.ts';

const COMMAND_TIMEOUT_MS = 10_000;

export class NetworkNamespace {
  /** Path of the namespace to enter; undefined for the agent's own. */
  readonly #path: string | undefined;

  private constructor(path: string | undefined) {
    this.#path = path;
  }

  /** The agent's own. */
  static readonly own = new NetworkNamespace(undefined);
  static readonly #others = new Map<string, NetworkNamespace>();

  static #held(namespace: string, path: string): NetworkNamespace {
    let held = NetworkNamespace.#others.get(namespace);
    if (!held) {
      held = new NetworkNamespace(`/proc/${process.pid}/fd/${openSync(path, 'r')}`);
      NetworkNamespace.#others.set(namespace, held);
    }
    return held;
  }

  /** The one that has a network interface of this name. Throws failedPrecondition when no process on this machine lives there. */
  static async having(interfaceName: string): Promise<NetworkNamespace> {
    const seen = new Set<string>();
    for (const pid of ['self', ...(await readdir('/proc')).filter((name) => /^\d+$/.test(name))]) {
      try {
        const namespace = await readlink(`/proc/${pid}/ns/net`);
        if (seen.has(namespace)) continue;
        seen.add(namespace);
        // Any process will do to look in, but it may end: the namespace itself is held open.
        const devices = await readFile(`/proc/${pid}/net/dev`, 'utf8');
        if (!devices.split('\n').some((line) => line.trimStart().startsWith(`${interfaceName}:`))) continue;
        return pid === 'self' ? NetworkNamespace.own : NetworkNamespace.#held(namespace, `/proc/${pid}/ns/net`);
      } catch {
        // It ended meanwhile, or is none of our business.
      }
    }
    throw new SwarmError(
      'failedPrecondition',
      `no network interface ${interfaceName} on this machine: overlay networks need an engine on the same machine as the agent, and an agent that runs as root`,
    );
  }

  /** Whether it is the agent's own. */
  get isOwn(): boolean {
    return this.#path === undefined;
  }

  /** Runs a program; resolves with what it printed, rejects with what it complained about. */
  run(command: string, args: readonly string[], input = ''): Promise<string> {
    const [program = command, ...words] = [...this.#entry, command, ...args];
    return new Promise((resolve, reject) => {
      const child = execFile(program, words, { timeout: COMMAND_TIMEOUT_MS }, (error, stdout, stderr) => {
        if (error) reject(new Error(`${command} ${args.join(' ')}: ${stderr.trim() || error.message}`));
        else resolve(stdout);
      });
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(input);
    });
  }

  /** A UDP socket bound to an address. */
  async udpSocket(address: string, port: number): Promise<dgram.Socket> {
    return this.isOwn ? bound(address, port) : this.#socketFromInside(address, port);
  }

  /** Words to put before a command that is to run inside. */
  get #entry(): readonly string[] {
    return this.#path === undefined ? [] : ['nsenter', `--net=${this.#path}`, '--'];
  }

  /** A socket stays in the namespace it was made in, whoever holds it: one is made inside and handed out. */
  #socketFromInside(address: string, port: number): Promise<dgram.Socket> {
    const [program, ...words] = [...this.#entry, process.execPath, '--input-type=module', '-e', OPENER];
    return new Promise((resolve, reject) => {
      const child = spawn(program, [...words, address, String(port)], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
      let complaint = '';
      child.stderr?.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
      child.once('error', reject);
      child.once('message', (_, socket) => resolve(socket as unknown as dgram.Socket));
      child.once('exit', () => reject(new Error(complaint.trim().split('\n').at(-1) ?? 'the helper ended')));
    });
  }
}

/** Arguments: address, port. */
const OPENER = `
import dgram from 'node:dgram';
const [address, port] = process.argv.slice(1);
const socket = dgram.createSocket('udp4');
socket.on('error', (error) => { process.stderr.write(error.message); process.exit(1); });
socket.bind(Number(port), address, () => process.send('socket', socket, () => process.exit(0)));
`;

function bound(address: string, port: number): Promise<dgram.Socket> {
  const socket = dgram.createSocket('udp4');
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, address, () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

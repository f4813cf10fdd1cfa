/** Three etcd members on loopback with mutual TLS among themselves and to clients. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { freePort } from '../../test/support/cluster.ts';
import { closeWhenInterrupted } from '../../test/support/interruption.ts';
import { until } from '../support/waiting.ts';
import { PutLoad, type Target } from './put-load.ts';

const NAMES = ['e1', 'e2', 'e3'] as const;

export class EtcdGroup {
  readonly #processes: readonly ChildProcess[];
  readonly #target: (member: number) => Target;
  #leader = 0;

  private constructor(processes: readonly ChildProcess[], target: (member: number) => Target) {
    this.#processes = processes;
    this.#target = target;
  }

  static async start(directory: string): Promise<EtcdGroup> {
    mkdirSync(directory, { recursive: true });
    makeCertificates(directory);
    const file = (name: string): string => join(directory, name);
    const members: { readonly name: string; readonly client: number; readonly peer: number }[] = [];
    for (const name of NAMES) members.push({ name, client: await freePort(), peer: await freePort() });
    const cluster = members.map(({ name, peer }) => `${name}=https://127.0.0.1:${peer}`).join(',');
    const processes = members.map(({ name, client, peer }) => {
      const tls = (prefix: string): readonly string[] => [
        `--${prefix}cert-file=${file('node.pem')}`,
        `--${prefix}key-file=${file('node.key')}`,
        `--${prefix}trusted-ca-file=${file('ca.pem')}`,
        `--${prefix}client-cert-auth`,
      ];
      const args = [
        `--name=${name}`,
        `--data-dir=${file(name)}`,
        `--listen-client-urls=https://127.0.0.1:${client}`,
        `--advertise-client-urls=https://127.0.0.1:${client}`,
        `--listen-peer-urls=https://127.0.0.1:${peer}`,
        `--initial-advertise-peer-urls=https://127.0.0.1:${peer}`,
        `--initial-cluster=${cluster}`,
        '--initial-cluster-token=bench',
        '--logger=zap',
        ...tls(''),
        ...tls('peer-'),
      ];
      const child = spawn('etcd', args, { stdio: ['ignore', 'pipe', 'pipe'] });
      child.once(
        'exit',
        closeWhenInterrupted(() => void child.kill('SIGKILL')),
      );
      const log = createWriteStream(file(`${name}.log`));
      child.stdout.pipe(log);
      child.stderr.pipe(log);
      return child;
    });
    const pem = (name: string): Buffer => readFileSync(file(name));
    const group = new EtcdGroup(processes, (member) => ({
      address: `127.0.0.1:${members[member]?.client}`,
      credentials: credentials.createSsl(pem('ca.pem'), pem('node.key'), pem('node.pem')),
      options: {},
    }));
    group.#leader = await until('a leader of etcd', async () => leaderOf(directory));
    await until('etcd to take a write', async () => {
      const load = new PutLoad(group.target);
      await load.run(1, 1).finally(() => load.close());
      return true;
    });
    return group;
  }

  get target(): Target {
    return this.#target(this.#leader);
  }

  get leaderPid(): number {
    return this.#processes[this.#leader]?.pid ?? 0;
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#processes.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
        child.kill('SIGKILL');
        await ended;
      }),
    );
  }
}

/** Who says in its log that it leads; undefined as long as nobody does. */
function leaderOf(directory: string): number | undefined {
  const index = NAMES.findIndex((name) =>
    / became leader at term /.test(readFileSync(join(directory, `${name}.log`), 'utf8')),
  );
  return index < 0 ? undefined : index;
}

/** One authority, and one certificate for members and clients. */
function makeCertificates(directory: string): void {
  const openssl = (...args: readonly string[]): void =>
    void execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  const key = ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out'];
  openssl(...key, 'ca.key');
  openssl('req', '-x509', '-new', '-key', 'ca.key', '-subj', '/CN=bench-ca', '-days', '2', '-out', 'ca.pem');
  openssl(...key, 'node.key');
  openssl('req', '-new', '-key', 'node.key', '-subj', '/CN=bench', '-out', 'node.csr');
  writeFileSync(
    join(directory, 'node.ext'),
    'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n',
  );
  const sign = [
    'x509',
    '-req',
    '-in',
    'node.csr',
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    '2',
  ];
  openssl(...sign, '-extfile', 'node.ext', '-out', 'node.pem');
}

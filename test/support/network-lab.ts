/** A network of one test's own: namespaces as hosts, all plugged into one switch that is in a namespace itself. No way out. */
import { randomInt } from 'node:crypto';
import { run } from './docker-engine.ts';
import { closeWhenInterrupted } from './interruption.ts';

/** For documentation, so nobody's. */
const PREFIX = '198.51.100';

export class NetworkLab {
  readonly #switch: string;
  readonly #namespaces: string[] = [];
  readonly #forget = closeWhenInterrupted(() => this.close());
  #hosts = 0;

  private constructor(name: string) {
    this.#switch = name;
  }

  static async start(): Promise<NetworkLab> {
    const lab = new NetworkLab(`swarmd-lab-${randomInt(1e9).toString(36)}`);
    await run('ip', ['netns', 'add', lab.#switch]);
    await run('ip', ['-n', lab.#switch, 'link', 'add', 'switch', 'type', 'bridge']);
    await run('ip', ['-n', lab.#switch, 'link', 'set', 'switch', 'up']);
    return lab;
  }

  /** Makes a host. */
  async addHost(): Promise<{ readonly namespace: string; readonly address: string }> {
    const namespace = await this.addNamespace();
    return { namespace, address: await this.plugIn(namespace) };
  }

  /** Makes a namespace that is plugged in nowhere. */
  async addNamespace(): Promise<string> {
    const namespace = `${this.#switch}-${this.#namespaces.length + 1}`;
    this.#namespaces.push(namespace);
    await run('ip', ['netns', 'add', namespace]);
    await run('ip', ['-n', namespace, 'link', 'set', 'lo', 'up']);
    return namespace;
  }

  /** Gives a namespace an interface on the switch; returns its address. */
  async plugIn(namespace: string): Promise<string> {
    const number = ++this.#hosts;
    const address = `${PREFIX}.${number}`;
    const port = `port${number}`;
    await run('ip', [
      '-n',
      this.#switch,
      'link',
      'add',
      port,
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      'netns',
      namespace,
    ]);
    await run('ip', ['-n', this.#switch, 'link', 'set', port, 'master', 'switch', 'up']);
    await run('ip', ['-n', namespace, 'addr', 'add', `${address}/24`, 'dev', 'eth0']);
    await run('ip', ['-n', namespace, 'link', 'set', 'eth0', 'up']);
    return address;
  }

  /** Removes the namespaces it made, and with the switch every cable. */
  async close(): Promise<void> {
    this.#forget();
    for (const name of [...this.#namespaces, this.#switch])
      await run('ip', ['netns', 'del', name]).catch(() => undefined);
  }
}

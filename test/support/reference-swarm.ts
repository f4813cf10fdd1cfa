/** A real Docker Swarm to compare with: one manager, the others workers, each engine a host by itself on one switch. */
import { DockerEngine } from './docker-engine.ts';
import { NetworkLab } from './network-lab.ts';

export class ReferenceSwarm {
  readonly #lab: NetworkLab;
  readonly #engines: DockerEngine[] = [];

  private constructor(lab: NetworkLab) {
    this.#lab = lab;
  }

  static async start(nodes: number): Promise<ReferenceSwarm> {
    const swarm = new ReferenceSwarm(await NetworkLab.start());
    try {
      for (let i = 0; i < nodes; i++) await swarm.#addNode();
      return swarm;
    } catch (error) {
      await swarm.close();
      throw error;
    }
  }

  /** The manager, as in `DOCKER_HOST`. */
  get host(): string {
    return this.#manager.host;
  }

  async close(): Promise<void> {
    for (const engine of this.#engines) await engine.close();
    await this.#lab.close();
  }

  get #manager(): DockerEngine {
    const [manager] = this.#engines;
    if (!manager) throw new Error('the swarm has no node');
    return manager;
  }

  async #addNode(): Promise<void> {
    const engine = await DockerEngine.start({ joinsSwarm: true, hostname: `node-${this.#engines.length + 1}` });
    this.#engines.push(engine);
    const address = await this.#lab.plugIn(engine.namespace);
    const addresses = ['--advertise-addr', address, '--listen-addr', address];
    if (engine === this.#manager) {
      await engine.docker('swarm', 'init', ...addresses);
    } else {
      const token = await this.#manager.docker('swarm', 'join-token', '--quiet', 'worker');
      const manager = await this.#manager.docker('info', '--format', '{{(index .Swarm.RemoteManagers 0).Addr}}');
      await engine.docker('swarm', 'join', ...addresses, '--token', token, manager);
    }
  }
}

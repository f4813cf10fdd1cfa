/**
 * A swarm of ours whose nodes run their tasks on Docker Engines of their own: one manager, the others workers. Each node
 * is a host by itself, agent beside engine, and all are plugged into one switch.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestDaemon } from './cluster.ts';
import { DockerEngine, run, unmountBelow } from './docker-engine.ts';
import { closeWhenInterrupted } from './interruption.ts';
import { NetworkLab } from './network-lab.ts';

const PORT = 2377;

export class DockerSwarm {
  readonly engines: readonly DockerEngine[];
  readonly daemons: TestDaemon[] = [];
  /** Of each node, in the network they share. */
  readonly addresses: string[] = [];
  readonly #directory: string;
  readonly #lab: NetworkLab;
  readonly #forget = closeWhenInterrupted(() => this.close());

  private constructor(directory: string, lab: NetworkLab, engines: readonly DockerEngine[]) {
    this.#lab = lab;
    this.#directory = directory;
    this.engines = engines;
  }

  static async start(nodes: number): Promise<DockerSwarm> {
    const engines: DockerEngine[] = [];
    const lab = await NetworkLab.start();
    const swarm = new DockerSwarm(await mkdtemp(join(tmpdir(), 'swarmd-docker-')), lab, engines);
    try {
      for (let i = 0; i < nodes; i++) engines.push(await DockerEngine.start());
      for (const engine of engines) await swarm.#addNode(engine);
      return swarm;
    } catch (error) {
      await swarm.close();
      throw error;
    }
  }

  /** The manager, as in `DOCKER_HOST`. */
  get host(): string {
    return this.first.host;
  }

  get first(): TestDaemon {
    const [first] = this.daemons;
    if (!first) throw new Error('the swarm has no node');
    return first;
  }

  /** Runs a command on the host of a node, by its number. */
  onHost(node: number, command: string, ...args: readonly string[]): Promise<string> {
    return run('nsenter', [`--net=/run/netns/${this.engines[node]?.namespace ?? ''}`, '--', command, ...args]);
  }

  /** Ends daemons, containers and engines, and removes all folders. */
  async close(): Promise<void> {
    this.#forget();
    await Promise.all(this.daemons.map((daemon) => daemon.kill()));
    for (const engine of this.engines) await engine.close();
    await this.#lab.close();
    // A killed agent leaves the file system that holds secrets.
    await unmountBelow(this.#directory);
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #addNode(engine: DockerEngine): Promise<void> {
    const name = `node-${this.daemons.length + 1}`;
    const address = await this.#lab.plugIn(engine.namespace);
    this.addresses.push(address);
    const listen = ['--listen-addr', `${address}:${PORT}`];
    const runtime = ['--runtime', 'docker', '--engine', engine.host];
    const role = this.daemons.length === 0 ? ['manager'] : ['worker', ...(await this.#joinFlags())];
    const daemon = new TestDaemon(name, this.#directory, [...role, ...listen, ...runtime], engine.namespace);
    this.daemons.push(daemon);
    await daemon.start();
  }

  async #joinFlags(): Promise<readonly string[]> {
    const { JoinTokens } = await this.first.ask<{ JoinTokens: { Worker: string } }>('GET', '/swarm');
    const info = await this.first.ask<{ Swarm: { RemoteManagers: readonly { Addr: string }[] } }>('GET', '/info');
    return ['--token', JoinTokens.Worker, '--join', info.Swarm.RemoteManagers[0]?.Addr ?? ''];
  }
}

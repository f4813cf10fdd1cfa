/**
 * A swarm of ours with unmodified Docker Engines as workers: managers without a runtime and engines, each on a host of its
 * own, all plugged into one switch.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { docker, TestDaemon, type ApiNode, type ApiTask } from './cluster.ts';
import { BUSYBOX_IMAGE, DockerEngine, run } from './docker-engine.ts';
import { closeWhenInterrupted } from './interruption.ts';
import { NetworkLab } from './network-lab.ts';

const PORT = 2377;

/** Goes on until it is asked to stop, and stops at once. */
export const STAY = 'trap "exit 0" TERM; sleep 100000 & wait';

/** A container as its engine tells of it. */
export interface EngineContainer {
  readonly engine: DockerEngine;
  readonly id: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly isRunning: boolean;
}

export class EngineLab {
  readonly managers: TestDaemon[] = [];
  readonly engines: DockerEngine[] = [];
  readonly #directory: string;
  readonly #network: NetworkLab;
  readonly #addresses = new Map<TestDaemon | DockerEngine, string>();
  readonly #forget = closeWhenInterrupted(() => this.close());

  private constructor(directory: string, network: NetworkLab) {
    this.#directory = directory;
    this.#network = network;
  }

  /** @param configs daemon.json of each engine */
  static async start(managers: number, configs: readonly object[]): Promise<EngineLab> {
    const lab = new EngineLab(await mkdtemp(join(tmpdir(), 'swarmd-lab-')), await NetworkLab.start());
    try {
      const starting = Promise.allSettled(configs.map((config) => DockerEngine.start({ joinsSwarm: true, config })));
      for (let i = 0; i < managers; i++) await lab.#addManager();
      for (const started of await starting) {
        if (started.status === 'rejected') throw started.reason;
        lab.engines.push(started.value);
      }
      for (const engine of lab.engines) {
        lab.#addresses.set(engine, await lab.#network.plugIn(engine.namespace));
        await lab.join(engine);
      }
      return lab;
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  /** A manager that runs. */
  get manager(): TestDaemon {
    const running = this.managers.find((manager) => manager.isRunning);
    if (!running) throw new Error('no manager runs');
    return running;
  }

  /** The docker CLI at some manager that runs. */
  docker(...args: readonly string[]): Promise<string> {
    return docker(this.manager, ...args);
  }

  addressOf(host: TestDaemon | DockerEngine): string {
    return this.#addresses.get(host) ?? '';
  }

  /** The manager that says it leads. */
  async leader(): Promise<TestDaemon | undefined> {
    for (const manager of this.managers.filter(({ isRunning }) => isRunning)) {
      const status = await manager.call<{ isLeader: boolean }>('GET', '/swarmd/status').catch(() => undefined);
      if (status?.body.isLeader) return manager;
    }
    return undefined;
  }

  token(role: 'worker' | 'manager'): Promise<string> {
    return this.docker('swarm', 'join-token', '-q', role);
  }

  /** Has an engine join with a token; with that for workers unless given. */
  async join(engine: DockerEngine, token?: string): Promise<void> {
    const address = this.addressOf(engine);
    const given = token ?? (await this.token('worker'));
    const manager = `${this.addressOf(this.manager)}:${PORT}`;
    await engine.docker('swarm', 'join', '--advertise-addr', address, '--token', given, manager);
  }

  /** The node an engine is now. */
  nodeIdOf(engine: DockerEngine): Promise<string> {
    return engine.docker('info', '--format', '{{.Swarm.NodeID}}');
  }

  async node(engine: DockerEngine): Promise<ApiNode> {
    return this.manager.ask('GET', `/nodes/${await this.nodeIdOf(engine)}`);
  }

  /** Creates a service of one shell script. */
  create(name: string, flags: readonly string[], script = STAY): Promise<string> {
    const usual = ['--detach', '--no-resolve-image', '--stop-grace-period', '1s', '--name', name, ...flags];
    return this.docker('service', 'create', ...usual, BUSYBOX_IMAGE, 'sh', '-c', script);
  }

  update(name: string, ...flags: readonly string[]): Promise<string> {
    return this.docker('service', 'update', '--detach', '--no-resolve-image', ...flags, name);
  }

  async tasks(service: string): Promise<readonly ApiTask[]> {
    const filters = encodeURIComponent(JSON.stringify({ service: [service] }));
    return this.manager.ask('GET', `/tasks?filters=${filters}`);
  }

  async running(service: string): Promise<readonly ApiTask[]> {
    const tasks = await this.tasks(service);
    return tasks.filter((task) => task.Status.State === 'running' && task.DesiredState === 'running');
  }

  /** Containers of a service, ended ones too, in the order they were started. */
  async containers(service: string): Promise<readonly EngineContainer[]> {
    const found: EngineContainer[] = [];
    const label = `label=com.docker.swarm.service.name=${service}`;
    for (const engine of this.engines) {
      const ids = await engine.docker('ps', '-aq', '--no-trunc', '--filter', label);
      if (ids === '') continue;
      const format = '{{.Id}} {{.State.StartedAt}} {{.State.FinishedAt}} {{.State.Running}}';
      // One may be removed meanwhile.
      const lines = await engine.docker('inspect', '-f', format, ...ids.split('\n')).catch(() => '');
      for (const line of lines.split('\n').filter((text) => text !== '')) {
        const [id = '', startedAt = '', finishedAt = '', running] = line.split(' ');
        found.push({ engine, id, startedAt, finishedAt, isRunning: running === 'true' });
      }
    }
    return found.toSorted((a, b) => a.startedAt.localeCompare(b.startedAt));
  }

  /** Runs a command in the running container of a service. */
  async inside(service: string, ...command: readonly string[]): Promise<string> {
    const container = (await this.containers(service)).find(({ isRunning }) => isRunning);
    if (!container) throw new Error(`no container of ${service} runs`);
    return container.engine.docker('exec', container.id, ...command);
  }

  /** Runs a command on the host of the first manager. */
  fromOutside(command: string, ...args: readonly string[]): Promise<string> {
    return run('nsenter', [`--net=/run/netns/${this.managers[0]?.namespace ?? ''}`, '--', command, ...args]);
  }

  /** Ends daemons, containers and engines, and removes all folders and namespaces. */
  async close(): Promise<void> {
    this.#forget();
    await Promise.all(this.managers.map((manager) => manager.kill()));
    await Promise.all(this.engines.map((engine) => engine.close()));
    await this.#network.close();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #addManager(): Promise<void> {
    const { namespace, address } = await this.#network.addHost();
    const [first] = this.managers;
    const joining = first ? ['--join', `${this.addressOf(first)}:${PORT}`, '--token', await this.token('manager')] : [];
    const args = ['manager', '--listen-addr', `${address}:${PORT}`, '--runtime', 'none', ...joining];
    const manager = new TestDaemon(`m${this.managers.length + 1}`, this.#directory, args, namespace);
    this.managers.push(manager);
    this.#addresses.set(manager, address);
    await manager.start();
  }
}

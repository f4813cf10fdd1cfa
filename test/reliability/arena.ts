/** The trial's swarm: managers and a worker, each a {@link Host} on a network of their own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aService, type ApiNode, type ApiTask, type SwarmStatusBody } from '../support/cluster.ts';
import { NetworkLab } from '../support/network-lab.ts';
import { Host, type Place } from './host.ts';

const PORT = 2377;
const CALL_MS = 2_000;
const PATIENCE_MS = 60_000;
const POLL_MS = 50;
/** Few, so that members that were away need snapshots too. */
const SNAPSHOT_ENTRIES = 500;
const TRAILING_ENTRIES = 50;
const SERVICE = 'steady';
const REPLICAS = 4;

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Resolves when `check` is true; throws naming `what`, with the last error, when that takes too long. */
export async function until(what: string, check: () => Promise<boolean>, patienceMs = PATIENCE_MS): Promise<void> {
  const end = performance.now() + patienceMs;
  for (;;) {
    let why = 'it is not so';
    try {
      if (await check()) return;
    } catch (error) {
      why = String(error);
    }
    if (performance.now() > end) throw new Error(`waited ${patienceMs / 1000} s for ${what}: ${why}`);
    await pause(POLL_MS);
  }
}

export class Arena {
  readonly directory: string;
  readonly #lab: NetworkLab;
  #managers: readonly Host[] = [];
  #worker: Host | undefined;
  /** Where machines stood that were taken out. */
  readonly #free: Place[] = [];
  #made = 0;

  private constructor(lab: NetworkLab, directory: string) {
    this.#lab = lab;
    this.directory = directory;
  }

  static async start(managers: number): Promise<Arena> {
    const arena = new Arena(await NetworkLab.start(), await mkdtemp(join(tmpdir(), 'swarmd-reliability-')));
    try {
      for (let i = 0; i < managers; i++) await arena.addManager();
      await arena.#makeSnapshotsOften();
      arena.#worker = await arena.#host('worker', ['worker', '--runtime', 'process']);
      await arena.#worker.daemon.start();
      await arena.first.daemon.ask('POST', '/services/create', aService(SERVICE, REPLICAS));
      await until('the service to run', async () => (await arena.tasks()).length === REPLICAS);
      return arena;
    } catch (error) {
      await arena.close();
      throw error;
    }
  }

  get managers(): readonly Host[] {
    return this.#managers;
  }

  get first(): Host {
    return this.#managers[0] as Host;
  }

  /** A new machine joins as manager; resolves when it votes and all see it. */
  async addManager(): Promise<Host> {
    const host = await this.#host(`m${++this.#made}`, ['manager', '--runtime', 'none']);
    await host.daemon.start();
    this.#managers = [...this.#managers, host];
    await until(`${host.name} to be a member`, async () => (await this.reachable()) === this.#managers.length);
    return host;
  }

  /** Demotes a manager, then takes its machine away. */
  async removeManager(host: Host): Promise<void> {
    const others = this.#managers.filter((manager) => manager !== host);
    const [at] = others as [Host];
    await until(`${host.name} to be demoted`, async () => {
      const node = (await this.#nodes(at)).find(({ Description }) => Description.Hostname === host.name);
      if (node === undefined) return true;
      if (node.Spec.Role === 'manager') {
        const spec = { Role: 'worker', Availability: 'active' };
        await at.daemon.ask('POST', `/nodes/${node.ID}/update?version=${node.Version.Index}`, spec);
      }
      return node.ManagerStatus === undefined;
    });
    this.#managers = others;
    await host.dispose();
    this.#free.push(host);
    await until(`${host.name} to be removed`, async () => {
      const node = (await this.#nodes(at)).find(({ Description }) => Description.Hostname === host.name);
      if (node !== undefined) await at.daemon.ask('DELETE', `/nodes/${node.ID}?force=true`);
      return node === undefined;
    });
  }

  /** The manager that says it leads; throws when there is not exactly one. */
  async leader(): Promise<Host> {
    const states = await Promise.all(this.#managers.map(async (host) => ({ host, status: await statusOf(host) })));
    const leading = states.filter(({ status }) => status?.isLeader);
    if (leading.length !== 1) throw new Error(`${leading.length} managers say they lead`);
    return (leading[0] as { readonly host: Host }).host;
  }

  async followers(): Promise<readonly Host[]> {
    const leader = await this.leader();
    return this.#managers.filter((host) => host !== leader);
  }

  /** Resolves when there is one leader, all managers are reachable, and all hold the same state; with its hash. */
  async settled(): Promise<string> {
    let states: readonly string[] = [];
    await until('one leader, all members, and the same state everywhere', async () => {
      const statuses = await Promise.all(this.#managers.map(statusOf));
      states = statuses.map((status) => `${status?.appliedIndex} ${status?.stateHash}`);
      if (statuses.filter((status) => status?.isLeader).length !== 1 || new Set(states).size !== 1)
        throw new Error(
          statuses.map((s, i) => `${this.#managers[i]?.name}${s?.isLeader ? ' leads' : ''} ${states[i]}`).join(', '),
        );
      const reachable = await this.reachable();
      if (reachable !== this.#managers.length) throw new Error(`${reachable} managers are reachable`);
      return true;
    });
    return states[0] as string;
  }

  /** Managers that the leader reaches. */
  async reachable(): Promise<number> {
    return (await this.#nodes(this.first)).filter((node) => node.ManagerStatus?.Reachability === 'reachable').length;
  }

  /** Tasks of the service that run and shall run: id and process of each, in order. */
  async tasks(at = this.first): Promise<readonly string[]> {
    const filters = encodeURIComponent(JSON.stringify({ service: [SERVICE] }));
    const tasks = await at.daemon.ask<readonly ApiTask[]>('GET', `/tasks?filters=${filters}`);
    return tasks
      .filter((task) => task.DesiredState === 'running' && task.Status.State === 'running')
      .map((task) => `${task.ID} ${task.Status.ContainerStatus?.PID}`)
      .sort((a, b) => (a < b ? -1 : 1));
  }

  async mend(): Promise<void> {
    for (const host of this.#managers) {
      await host.mendLinks();
      host.daemon.signal('SIGCONT');
    }
  }

  async close(): Promise<void> {
    const hosts = [...this.#managers, ...(this.#worker === undefined ? [] : [this.#worker])];
    await this.#endTasks();
    for (const host of hosts) await host.dispose();
    await this.#lab.close();
    await rm(this.directory, { recursive: true, force: true });
  }

  async #host(name: string, args: readonly string[]): Promise<Host> {
    const place = this.#free.shift() ?? (await this.#lab.addHost());
    const join_ = this.#managers.length === 0 ? [] : await this.#joinFlags(args[0] as string);
    const listen = ['--listen-addr', `${place.address}:${PORT}`];
    return Host.prepare(place, name, this.directory, [...args, ...listen, ...join_]);
  }

  async #joinFlags(role: string): Promise<readonly string[]> {
    const { JoinTokens } = await this.first.daemon.ask<{ JoinTokens: { Manager: string; Worker: string } }>(
      'GET',
      '/swarm',
    );
    const token = role === 'manager' ? JoinTokens.Manager : JoinTokens.Worker;
    return [...this.#managers.flatMap(({ address }) => ['--join', `${address}:${PORT}`]), '--token', token];
  }

  async #makeSnapshotsOften(): Promise<void> {
    const swarm = await this.first.daemon.ask<{ Version: { Index: number }; Spec: { Raft: object } }>('GET', '/swarm');
    const Raft = {
      ...swarm.Spec.Raft,
      SnapshotInterval: SNAPSHOT_ENTRIES,
      LogEntriesForSlowFollowers: TRAILING_ENTRIES,
    };
    await this.first.daemon.ask('POST', `/swarm/update?version=${swarm.Version.Index}`, { ...swarm.Spec, Raft });
  }

  /** The processes of the service end with it, and nobody else's. */
  async #endTasks(): Promise<void> {
    const at = this.#worker && this.#managers[0];
    if (at === undefined) return;
    await this.mend();
    try {
      await until(
        'the service to be removed',
        async () => {
          const { status } = await at.daemon.call('DELETE', `/services/${SERVICE}`, undefined, CALL_MS);
          return status === 404;
        },
        10_000,
      );
      await until(
        'its tasks to end',
        async () => (await at.daemon.ask<readonly ApiTask[]>('GET', '/tasks')).length === 0,
        10_000,
      );
    } catch (error) {
      console.error(`tasks may have been left: ${String(error)}`);
    }
  }

  #nodes(at: Host): Promise<readonly ApiNode[]> {
    return at.daemon.ask('GET', '/nodes');
  }
}

async function statusOf(host: Host): Promise<SwarmStatusBody | undefined> {
  const answer = await host.daemon
    .call<SwarmStatusBody>('GET', '/swarmd/status', undefined, CALL_MS)
    .catch(() => undefined);
  return answer?.status === 200 ? answer.body : undefined;
}

/** A swarm with hollow workers, and what the shapes do with it. */
import { getText } from '../support/http-load.ts';
import { cpuSeconds } from '../support/process-usage.ts';
import { until } from '../support/waiting.ts';
import { ask, type Contender } from './contender.ts';
import { HollowWorkers, type Counts } from './hollow-workers.ts';

export interface ServiceOptions {
  readonly update?: object;
}

export class Arena {
  readonly contender: Contender;
  readonly workers: HollowWorkers[] = [];
  #services = 0;

  constructor(contender: Contender) {
    this.contender = contender;
  }

  async join(nodes: number): Promise<HollowWorkers> {
    const workers = await HollowWorkers.join(this.contender, nodes, `hollow-${this.workers.length}`);
    this.workers.push(workers);
    return workers;
  }

  /** Of all processes, those that were killed included. */
  get counts(): Counts {
    const sum = (of: (counts: Counts) => number): number =>
      this.workers.reduce((total, { counts }) => total + of(counts), 0);
    return {
      assigned: sum(({ assigned }) => assigned),
      started: sum(({ started }) => started),
      ended: sum(({ ended }) => ended),
      removed: sum(({ removed }) => removed),
      connected: sum(({ connected }) => connected),
    };
  }

  /** Tasks that workers have now; those that were killed left theirs behind. */
  get held(): number {
    const alive = this.workers.filter(({ isAlive }) => isAlive);
    return alive.reduce((total, { counts }) => total + counts.assigned - counts.removed, 0);
  }

  get managerCpu(): number {
    return cpuSeconds(this.contender.pid);
  }

  get workerCpu(): number {
    return this.workers.reduce((total, workers) => total + workers.cpuSeconds, 0);
  }

  ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    return ask(this.contender.socket, method, path, body);
  }

  /** Creates a service; resolves with its name as soon as the manager took it. */
  async create(replicas: number, { update }: ServiceOptions = {}): Promise<string> {
    const name = `bench-${this.#services++}`;
    await this.ask('POST', '/services/create', serviceSpec(name, replicas, 0, update));
    return name;
  }

  /** Has every task of a service replaced. */
  async replace(name: string, replicas: number, update: object): Promise<void> {
    const { Version } = await this.ask<{ Version: { Index: number } }>('GET', `/services/${name}`);
    await this.ask('POST', `/services/${name}/update?version=${Version.Index}`, serviceSpec(name, replicas, 1, update));
  }

  /** Resolves when the manager counts as many running tasks of the service. */
  async running(name: string, replicas: number): Promise<void> {
    await until(
      `${replicas} running tasks of ${name}`,
      async () => {
        const services = await this.ask<readonly { Spec: { Name: string }; ServiceStatus: { RunningTasks: number } }[]>(
          'GET',
          `/services?status=true&filters=${encodeURIComponent(JSON.stringify({ name: [name] }))}`,
        );
        const found = services.find(({ Spec }) => Spec.Name === name);
        return (found?.ServiceStatus.RunningTasks ?? 0) >= replicas;
      },
      { timeoutMs: 240_000, everyMs: 20 },
    );
  }

  /** How many tasks of a service each node has. */
  async tasksByNode(name: string): Promise<ReadonlyMap<string, number>> {
    const filters = encodeURIComponent(JSON.stringify({ service: [name], 'desired-state': ['running'] }));
    const tasks = await this.ask<readonly { readonly NodeID: string }[]>('GET', `/tasks?filters=${filters}`);
    const counts = new Map<string, number>();
    for (const { NodeID } of tasks) counts.set(NodeID, (counts.get(NodeID) ?? 0) + 1);
    return counts;
  }

  /** Resolves when the manager's own metrics count as many tasks of a state. */
  async counting(state: string, tasks: number): Promise<void> {
    await until(
      `${tasks} tasks ${state}`,
      async () => {
        const metrics = await getText(this.contender.socket, '/metrics');
        const count = new RegExp(`^swarm_manager_tasks_total\\{state="${state}"\\} (\\d+)$`, 'm').exec(metrics)?.[1];
        return Number(count) >= tasks;
      },
      { timeoutMs: 240_000, everyMs: 100 },
    );
  }

  /** Resolves when the counts of the workers satisfy the condition. */
  async counted(what: string, condition: (counts: Counts) => boolean): Promise<void> {
    await until(what, () => Promise.resolve(condition(this.counts)), { timeoutMs: 240_000, everyMs: 5 });
  }

  /** Removes a service; resolves when no worker and no manager has a task of it any more. */
  async remove(name: string): Promise<void> {
    await this.ask('DELETE', `/services/${name}`);
    await this.gone();
  }

  /** Resolves when no worker and no manager has a task any more. */
  async gone(): Promise<void> {
    // Asking a manager for thousands of tasks would be a good part of its work.
    await this.counted('no worker with a task', () => this.held === 0);
    await until('no task', async () => (await this.ask<readonly unknown[]>('GET', '/tasks')).length === 0, {
      timeoutMs: 240_000,
      everyMs: 250,
    });
  }

  /** Forgets nodes whose worker was killed. */
  async removeDownNodes(): Promise<void> {
    const nodes = await this.ask<readonly { ID: string; Status: { State: string } }[]>('GET', '/nodes');
    for (const { ID } of nodes.filter(({ Status }) => Status.State === 'down')) {
      await this.ask('DELETE', `/nodes/${ID}?force=true`);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((workers) => workers.kill()));
    await this.contender.close();
  }
}

const serviceSpec = (name: string, replicas: number, force: number, update: object | undefined): object => ({
  Name: name,
  TaskTemplate: {
    ContainerSpec: { Image: 'busybox:local', Command: ['sleep', '100000'] },
    RestartPolicy: { Condition: 'any', Delay: 0 },
    ForceUpdate: force,
  },
  Mode: { Replicated: { Replicas: replicas } },
  ...(update && { UpdateConfig: update }),
});

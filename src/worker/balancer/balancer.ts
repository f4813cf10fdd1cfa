/**
 * Leads connections on this node to running tasks: those to published ports, on every node, and those to virtual addresses
 * of services. What is led where follows from the tasks; the kernel does the work, and goes on when the agent ends.
 */
import type { CancelTimer, Clock } from '../../common/clock.ts';
import { errorText } from '../../common/errors.ts';
import type { Logger } from '../../common/log.ts';
import type { NetworkPeer } from '../../proto/generated/docker/swarmkit/v1/dispatcher.ts';
import type { Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { Changes } from '../assignments.ts';
import { isReachableNode } from '../network/vxlan.ts';
import { allowReflection, ownKernel, type Kernel } from './kernel.ts';
import { isServing, routesOf, type OwnTask } from './routes.ts';
import { rulesetOf } from './ruleset.ts';

/** What the kernel did not take is offered again so much later. */
const RETRY_MS = 5_000;

export interface BalancerOptions {
  readonly nodeId: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where ports of a running task are, seen from this host; undefined when it listens on the host itself. */
  readonly addressOf: (task: Task) => Promise<string | undefined>;
  /** That of this host unless given. */
  readonly kernel?: Kernel;
}

export class Balancer {
  readonly #options: BalancerOptions;
  readonly #table: string;
  readonly #own = new Map<string, OwnTask>();
  /** What was noted last of each task that serves. */
  readonly #noted = new Map<string, Task>();
  readonly #peers = new Map<string, NetworkPeer>();
  /** Asked for once; undefined before. */
  #canBalance: Promise<boolean> | undefined;
  #loaded = '';
  /** Why it could not lead connections the last time; said once. */
  #reason: string | undefined;
  #cancelRetry: CancelTimer | undefined;
  /** A manager has told of all tasks; until then what an earlier run of the agent put into the kernel stays. */
  #isInformed = false;
  #isWanted = false;
  #running: Promise<void> = Promise.resolve();
  #isRunning = false;

  constructor(options: BalancerOptions) {
    this.#options = options;
    this.#table = tableOf(options.nodeId);
  }

  /** Takes note of a task of this node, when it is new and whenever it changed. Never rejects. */
  async note(task: Task, state: Task['status']): Promise<void> {
    const { endpoint } = task;
    if (!endpoint || (endpoint.ports.length === 0 && endpoint.virtualIps.length === 0)) return;
    const current = { ...task, status: state };
    if (!isServing(current)) {
      this.#noted.delete(task.id);
      if (this.#own.delete(task.id)) this.#refresh();
      return;
    }
    this.#noted.set(task.id, current);
    try {
      const address = await this.#options.addressOf(task);
      // It may have ended meanwhile.
      if (this.#noted.get(task.id) !== current) return;
      this.#own.set(task.id, { task: current, address });
      if (address !== undefined) await allowReflection(address).catch(() => undefined);
    } catch (error) {
      this.#options.log.warn({ taskId: task.id, reason: errorText(error) }, 'no connections are led to a task');
    }
    this.#refresh();
  }

  /** Takes note of tasks on other nodes. */
  meetPeers({ updated, removed }: Changes<NetworkPeer>, isComplete: boolean): void {
    if (isComplete) this.#peers.clear();
    this.#isInformed ||= isComplete;
    for (const peer of updated) this.#peers.set(peer.id, peer);
    for (const id of removed) this.#peers.delete(id);
    if (isComplete || updated.length > 0 || removed.length > 0) this.#refresh();
  }

  /** Leads nothing any more: this node has left. */
  async remove(): Promise<void> {
    this.#noted.clear();
    this.#own.clear();
    this.#peers.clear();
    this.#isInformed = true;
    this.#refresh();
    await this.#running;
    this.#cancelRetry?.();
  }

  #refresh(): void {
    if (!this.#isInformed) return;
    this.#isWanted = true;
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#running = this.#work();
  }

  /** Changes that come while the kernel is busy are put there together. */
  async #work(): Promise<void> {
    while (this.#isWanted) {
      this.#isWanted = false;
      await this.#apply();
    }
    this.#isRunning = false;
  }

  async #apply(): Promise<void> {
    const routes = routesOf(this.#own.values(), this.#peers.values(), isReachableNode);
    const ruleset = rulesetOf(this.#table, routes);
    const isEmpty = routes.ports.length === 0 && routes.addresses.length === 0;
    this.#cancelRetry?.();
    if (ruleset === this.#loaded) return;
    const { kernel = ownKernel, clock } = this.#options;
    try {
      this.#canBalance ??= kernel.canBalance();
      if (!(await this.#canBalance)) {
        if (!isEmpty) this.#cannot('this takes root and the program nft');
      } else {
        await kernel.load(ruleset);
        if (!isEmpty) await kernel.allowPassage();
        this.#reason = undefined;
      }
      this.#loaded = ruleset;
    } catch (error) {
      this.#cannot(errorText(error));
      this.#cancelRetry = clock.setTimer(RETRY_MS, () => this.#refresh());
    }
  }

  #cannot(reason: string): void {
    if (reason === this.#reason) return;
    this.#reason = reason;
    this.#options.log.warn({ reason }, 'published ports and virtual addresses are not led to tasks on this node');
  }
}

/** Several nodes may be on one host. */
const tableOf = (nodeId: string): string => `swarmd_${nodeId}`;

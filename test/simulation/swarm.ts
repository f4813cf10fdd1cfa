/** A simulated swarm, wired together: managers, agents and people on one timeline and one network, watched by one history. */
import { seededRandom, type Random } from '../../src/common/random.ts';
import { aNode } from '../support/local-control.ts';
import { Administrator } from './administrator.ts';
import { SimulatedAgent } from './agent.ts';
import type { Violate } from './checks/check.ts';
import { SimulatedLog } from './disk.ts';
import { SharedHistory } from './history.ts';
import { SimulatedManager } from './manager.ts';
import { managerNode } from './members.ts';
import { Network } from './network.ts';
import { Timeline } from './timeline.ts';
import type { Tell } from './trace.ts';

const FOUNDERS = ['1', '2', '3'] as const;
const NODES = 4;

export class Swarm {
  readonly timeline = new Timeline();
  readonly history: SharedHistory;
  readonly network: Network;
  /** All that ever were; one that was taken out of the group stays down. */
  readonly managers: SimulatedManager[] = [];
  readonly agents: SimulatedAgent[] = [];
  readonly administrator: Administrator;
  /** For those who make trouble, so that it is the same whatever the rest draws. */
  readonly nemesisRandom: Random;
  readonly violate: Violate;
  readonly tell: Tell;
  crashes = 0;
  /** Everything has been stopped. */
  isOver = false;
  readonly #random: Random;
  readonly #diskRandom: Random;
  readonly #agentRandom: Random;
  #agentsMade = 0;

  constructor(seed: number, trace?: (line: string) => void) {
    const source = (purpose: number): Random => seededRandom(seed * 16 + purpose);
    const { timeline } = this;
    const start = timeline.now();
    const tell = trace && ((line: string): void => trace(`${((timeline.now() - start) / 1000).toFixed(3)} ${line}`));
    this.tell = tell ?? (() => undefined);
    this.history = new SharedHistory(tell);
    this.violate = this.history.violate;
    this.network = new Network(timeline, source(1));
    this.nemesisRandom = source(2);
    this.#random = source(3);
    this.#diskRandom = source(4);
    this.#agentRandom = source(5);
    for (const id of FOUNDERS) this.#addManager(id, FOUNDERS);
    const { violate } = this;
    const leader = (): SimulatedManager | undefined => this.leader();
    this.administrator = new Administrator({ random: source(6), leader, violate, tell: this.tell });
  }

  /** Ready to be used: a leader, and agents that have come. */
  async begin(): Promise<void> {
    // Writes of the log take virtual time, which must pass while the managers start.
    const started = Promise.all(this.managers.map((manager) => manager.start()));
    await this.timeline.advance(1_000);
    await started;
    for (let i = 0; i < 60 && (this.leader()?.store.read.cluster.size ?? 0) === 0; i++)
      await this.timeline.advance(500);
    const created = this.leader()?.store.update((tx) => {
      for (const { nodeId } of this.managers) tx.node.create(managerNode(nodeId));
    });
    const agents = Array.from({ length: NODES }, () => this.addAgent());
    await this.timeline.advance(1_000);
    await Promise.all([created, ...agents]);
    await this.timeline.advance(2_000);
  }

  /** Makes the node of another agent and starts it. */
  async addAgent(): Promise<void> {
    const { timeline, managers, violate } = this;
    const { world } = this.history;
    const id = `n${++this.#agentsMade}`;
    await this.leader()?.store.update((tx) => tx.node.create(aNode(id, undefined, 0)));
    const agent = new SimulatedAgent(id, { timeline, random: this.#agentRandom, managers, world, violate });
    this.agents.push(agent);
    agent.start();
  }

  /** Its node is gone. */
  retire(agent: SimulatedAgent): void {
    agent.stop();
    this.agents.splice(this.agents.indexOf(agent), 1);
  }

  /** A manager with an empty disk that belongs to no group yet. */
  newManager(): SimulatedManager {
    return this.#addManager(String(this.managers.length + 1), []);
  }

  #addManager(id: string, founders: readonly string[]): SimulatedManager {
    const { timeline, network, history } = this;
    const manager = new SimulatedManager(id, new SimulatedLog(timeline, this.#diskRandom, 1), {
      timeline,
      network,
      random: this.#random,
      founders,
      manager: (other) => this.managers.find((each) => each.id === other),
      onCommit: history.observe,
      onLeadership: (who, term) => history.leads(who, term),
      onConfiguration: history.configures,
    });
    this.managers.push(manager);
    return manager;
  }

  /** Who leads, or believes to: of two, the one of the later term. */
  leader(): SimulatedManager | undefined {
    return this.managers.filter((each) => each.isLeader).sort((a, b) => b.term - a.term)[0];
  }

  async crash(manager: SimulatedManager): Promise<void> {
    if (!manager.isUp) return;
    this.crashes++;
    await manager.crash();
  }

  async startAgain(manager: SimulatedManager): Promise<void> {
    const starting = manager.start();
    await this.timeline.advance(1);
    await starting;
  }

  /** No fault is left. */
  async mend(): Promise<void> {
    this.network.mend();
    this.network.loss = 0;
    for (const agent of this.agents) agent.mend();
    for (const manager of this.managers) if (!manager.isUp && !manager.isRemoved) await this.startAgain(manager);
  }

  async end(): Promise<void> {
    this.isOver = true;
    for (const agent of this.agents) agent.stop();
    for (const manager of this.managers) await manager.crash();
  }
}

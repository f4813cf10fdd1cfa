/** Who makes trouble: managers crash, come, go and come back, the network fails, agents are cut off, restarted and replaced. */
import type { SimulatedAgent } from './agent.ts';
import type { SimulatedManager } from './manager.ts';
import { Members } from './members.ts';
import type { Swarm } from './swarm.ts';

/** What may happen in a second, with its chance in percent; in the rest of them nothing does. */
type Fault = readonly [percent: number, name: string, strike: () => Promise<void> | void];

export class Nemesis {
  readonly #swarm: Swarm;
  readonly #members: Members;
  readonly #faults: readonly Fault[] = [
    [12, 'the leader crashes', () => this.#swarm.crash(this.#leader())],
    [8, 'a manager crashes', () => this.#swarm.crash(this.#manager())],
    [5, 'the leader is cut off', () => this.#isolate(this.#leader(), false)],
    [5, 'the leader can only listen', () => this.#isolate(this.#leader(), true)],
    [5, 'messages are lost', () => void (this.#swarm.network.loss = 0.2 * this.#swarm.nemesisRandom())],
    [15, 'the network is mended', () => this.#mendNetwork()],
    [7, 'an agent is cut off', () => this.#agent().cutOff()],
    [18, 'agents are reached again', () => this.#swarm.agents.forEach((agent) => agent.mend())],
    [5, 'an agent is restarted', () => this.#agent().restart()],
    [5, 'the managers change', () => this.#members.change()],
    [2, 'a node is replaced', () => this.#members.replaceAgent()],
    [4, 'leadership is handed over', () => this.#handOver()],
  ];

  constructor(swarm: Swarm) {
    this.#swarm = swarm;
    this.#members = new Members(swarm);
  }

  /** One fault, or none. */
  async strike(): Promise<void> {
    const { managers, nemesisRandom, tell } = this.#swarm;
    for (const each of managers) {
      if (each.isUp || each.isRemoved || nemesisRandom() >= 0.6) continue;
      tell(`manager ${each.id} comes back`);
      await this.#swarm.startAgain(each);
    }
    let left = nemesisRandom() * 100;
    const fault = this.#faults.find(([percent]) => (left -= percent) < 0);
    if (!fault) return;
    const [, name, strike] = fault;
    tell(name);
    await strike();
  }

  #leader(): SimulatedManager {
    return this.#swarm.leader() ?? this.#manager();
  }

  #manager(): SimulatedManager {
    return this.#oneOf(this.#swarm.managers.filter(({ isRemoved }) => !isRemoved));
  }

  #agent(): SimulatedAgent {
    return this.#oneOf(this.#swarm.agents);
  }

  #oneOf<T>(things: readonly T[]): T {
    return things[Math.floor(this.#swarm.nemesisRandom() * things.length)] as T;
  }

  #isolate(manager: SimulatedManager, isOneWay: boolean): void {
    const { managers, network } = this.#swarm;
    for (const other of managers) {
      network.cut(manager.id, other.id);
      if (!isOneWay) network.cut(other.id, manager.id);
    }
  }

  #mendNetwork(): void {
    this.#swarm.network.mend();
    this.#swarm.network.loss = 0;
  }

  #handOver(): void {
    const to = this.#manager().id;
    this.#swarm
      .leader()
      ?.node.transferLeadership(to)
      .catch(() => undefined);
  }
}

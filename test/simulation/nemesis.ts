/** Who makes trouble: managers crash, come, go and come back, the network fails, agents are cut off, restarted and replaced. */
import type { SimulatedAgent } from './agent.ts';
import type { SimulatedManager } from './manager.ts';
import { Members } from './members.ts';
import type { Swarm } from './swarm.ts';

/** What may happen in a second, with its chance in percent; in the rest of them nothing does. */
type Fault = readonly [percent: number, name: string, strike: (nemesis: Striker) => Promise<void> | void];

/** The names are those by which faults are switched off. */
const FAULTS: readonly Fault[] = [
  [12, 'leader crashes', (n) => n.swarm.crash(n.leader())],
  [8, 'manager crashes', (n) => n.swarm.crash(n.manager())],
  [5, 'leader is cut off', (n) => n.isolate(n.leader(), false)],
  [5, 'leader can only listen', (n) => n.isolate(n.leader(), true)],
  [5, 'messages are lost', (n) => void (n.swarm.network.loss = 0.2 * n.swarm.nemesisRandom())],
  [15, 'network is mended', (n) => n.mendNetwork()],
  [7, 'agent is cut off', (n) => n.agent().cutOff()],
  [16, 'agents are reached again', (n) => n.swarm.agents.forEach((agent) => agent.mend())],
  [5, 'agent is restarted', (n) => n.agent().restart()],
  [5, 'managers change', (n) => n.members.change()],
  [2, 'node is replaced', (n) => n.members.replaceAgent()],
  [4, 'leadership is handed over', (n) => n.handOver()],
  [2, 'log is damaged', (n) => n.damageLog()],
  [4, 'connection to the leader breaks', (n) => n.manager().disconnectedFrom(n.leader())],
  [2, 'node comes while the root is replaced', (n) => n.replaceRootAndNode()],
  [2, 'managers change while leadership is handed over', (n) => n.changeManagersAndLeader()],
];

/** Share of the seconds in which one of the faults strikes that are to strike often. */
const OFTEN = 0.25;
/** Within this long happens what is to meet, in virtual ms. */
const MOMENT_MS = 50;

/** Of a manager that is down: it comes back in this second. */
const COMES_BACK = 0.6;

export const FAULT_NAMES: readonly string[] = FAULTS.map(([, name]) => name);

export class Nemesis {
  readonly #striker: Striker;

  constructor(swarm: Swarm) {
    this.#striker = new Striker(swarm);
  }

  /** One fault, or none. One that is switched off leaves the others as they are. */
  async strike(): Promise<void> {
    const { crashed, nemesisRandom, tell, switches } = this.#striker.swarm;
    for (const each of crashed) {
      if (nemesisRandom() >= COMES_BACK) continue;
      tell(`manager ${each.number} comes back`);
      await this.#striker.swarm.startAgain(each);
    }
    const fault = this.#choose();
    if (!fault) return;
    const [, name, strike] = fault;
    if (!switches.isOn(name)) return;
    tell(name);
    await strike(this.#striker);
  }

  #choose(): Fault | undefined {
    const { nemesisRandom, switches } = this.#striker.swarm;
    const { often } = switches;
    if (often.length > 0 && nemesisRandom() < OFTEN) {
      const chosen = often[Math.floor(nemesisRandom() * often.length)];
      return FAULTS.find(([, name]) => name === chosen);
    }
    let left = nemesisRandom() * 100;
    return FAULTS.find(([percent]) => (left -= percent) < 0);
  }
}

/** What faults are made of. */
class Striker {
  readonly swarm: Swarm;
  readonly members: Members;

  constructor(swarm: Swarm) {
    this.swarm = swarm;
    this.members = new Members(swarm);
  }

  leader(): SimulatedManager {
    return this.swarm.leader() ?? this.manager();
  }

  manager(): SimulatedManager {
    return this.#oneOf(this.swarm.managers);
  }

  agent(): SimulatedAgent {
    return this.#oneOf(this.swarm.agents);
  }

  isolate(manager: SimulatedManager, isOneWay: boolean): void {
    const { managers, network } = this.swarm;
    for (const other of managers) {
      network.cut(manager.name, other.name);
      if (!isOneWay) network.cut(other.name, manager.name);
    }
  }

  mendNetwork(): void {
    this.swarm.network.mend();
    this.swarm.network.loss = 0;
  }

  handOver(): void {
    const to = this.manager().raftId;
    this.swarm
      .leader()
      ?.node.transferLeadership(to)
      .catch(() => undefined);
  }

  /** Some newcomers are admitted by a leader that dies before it can tell them: nobody will ever see them. */
  replaceRootAndNode(): void {
    const leader = this.swarm.leader();
    if (!leader) return;
    this.members.replaceAgent();
    this.#soon(() => void this.swarm.administrator.rotateRoot(leader).catch(() => undefined));
    if (this.swarm.nemesisRandom() < 0.5) this.#soon(() => void this.swarm.crash(leader));
  }

  changeManagersAndLeader(): void {
    this.members.change();
    this.#soon(() => this.handOver());
  }

  #soon(strike: () => void): void {
    this.swarm.timeline.setTimer(MOMENT_MS * this.swarm.nemesisRandom(), strike);
  }

  /** As much as a group must survive: one log, of a follower, while all other voters have theirs and are there. */
  async damageLog(): Promise<void> {
    const { managers } = this.swarm;
    const voters = this.swarm.leader()?.node.confState?.voters ?? [];
    const members = managers.filter(({ raftId }) => voters.includes(raftId));
    const victim = this.#oneOf(members.filter(({ isLeader }) => !isLeader));
    if (voters.length < 3 || members.length < voters.length || !members.every(({ isUp }) => isUp)) return;
    await this.swarm.crash(victim);
    await victim.loseLog();
  }

  #oneOf<T>(things: readonly T[]): T {
    return things[Math.floor(this.swarm.nemesisRandom() * things.length)] as T;
  }
}

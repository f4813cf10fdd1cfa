/** A simulated swarm, wired together: nodes with their agents and managers, and people, on one timeline and one network, watched by one history. */
import { seededRandom, type Random } from '../../src/common/random.ts';
import type { NodeRoleName } from '../../src/identity/certificate.ts';
import { NodeStatus_State } from '../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { Administrator } from './administrator.ts';
import { SimulatedAgent, type AgentSurroundings } from './agent.ts';
import { Calls } from './calls.ts';
import type { Violate } from './checks/check.ts';
import { SimulatedLog } from './disk.ts';
import type { Switches } from './switches.ts';
import { SharedHistory } from './history.ts';
import { SimulatedIdentity } from './identity.ts';
import { found, type Foundation } from './leader.ts';
import { SimulatedManager, type Surroundings } from './manager.ts';
import { Network } from './network.ts';
import { PretendPki } from './pki.ts';
import { Timeline } from './timeline.ts';
import type { Tell } from './trace.ts';

const MANAGERS = 3;
const WORKERS = 4;
/** How long the first nodes may take to come together, in virtual seconds. */
const BEGIN_S = 60;

export class Swarm {
  readonly timeline = new Timeline();
  readonly history: SharedHistory;
  readonly network: Network;
  /** All that ever were. */
  readonly managers: SimulatedManager[] = [];
  /** One on each node. */
  readonly agents: SimulatedAgent[] = [];
  readonly administrator: Administrator;
  /** What may happen here. */
  readonly switches: Switches;
  /** For those who make trouble, so that it is the same whatever the rest draws. */
  readonly nemesisRandom: Random;
  readonly violate: Violate;
  readonly tell: Tell;
  crashes = 0;
  readonly #pki: PretendPki;
  readonly #managerGround: Surroundings;
  readonly #agentGround: AgentSurroundings;
  #nodesMade = 0;

  constructor(seed: number, switches: Switches, trace?: (line: string) => void) {
    const source = (purpose: number): Random => seededRandom(seed * 16 + purpose);
    const { timeline, managers } = this;
    const start = timeline.now();
    const tell = trace && ((line: string): void => trace(`${((timeline.now() - start) / 1000).toFixed(3)} ${line}`));
    this.tell = tell ?? (() => undefined);
    this.switches = switches;
    const history = new SharedHistory(tell);
    this.history = history;
    this.network = new Network(timeline, source(1));
    this.nemesisRandom = source(2);
    this.#pki = new PretendPki(timeline, source(7));
    const { network, violate } = { network: this.network, violate: history.violate };
    this.violate = violate;
    const calls = new Calls({ timeline, network, world: () => history.world, violate });
    const diskRandom = source(4);
    this.#managerGround = {
      timeline,
      network,
      calls,
      random: source(3),
      pki: this.#pki,
      tell: this.tell,
      newLog: () => new SimulatedLog(timeline, diskRandom, 1),
      manager: (raftId) => managers.find((each) => each.raftId === raftId),
      managerAt: (address) => managers.find((each) => each.address === address),
      addresses: () => managers.filter(({ isUp }) => isUp).map(({ address }) => address),
      takenOut: (manager) => this.#agentOn(manager)?.renewNow(),
      onCommit: history.observe,
      onLeadership: (raftId, term) => history.leads(raftId, term),
      onConfiguration: history.configures,
    };
    this.#agentGround = {
      timeline,
      calls,
      random: source(5),
      managers: () => managers,
      world: history.world,
      violate,
      token: (role) => this.leader()?.store.read.cluster.all()[0]?.rootCa?.joinTokens?.[role],
    };
    const leader = (): SimulatedManager | undefined => this.leader();
    this.administrator = new Administrator({ random: source(6), leader, violate, tell: this.tell, switches });
  }

  /** Ready to be used: a manager founds the swarm, others and workers join it. */
  async begin(): Promise<void> {
    const identity = new SimulatedIdentity();
    const founding = found(this.#pki, identity, this.timeline.now());
    await this.timeline.advance(1_000);
    this.#addNode('manager', identity, await founding);
    await this.#advanceUntil(() => (this.leader()?.store.read.cluster.size ?? 0) > 0);
    for (let i = 1; i < MANAGERS; i++) this.addAgent('manager');
    for (let i = 0; i < WORKERS; i++) this.addAgent('worker');
    await this.#advanceUntil(() => this.#isComplete());
    if (!this.#isComplete()) this.violate('liveness', 'the first nodes do not come together');
    await this.timeline.advance(1_000);
  }

  /** A node that comes with a join token. */
  addAgent(joinsAs: NodeRoleName): void {
    this.#addNode(joinsAs, new SimulatedIdentity());
  }

  /** Its node is gone. */
  retire(agent: SimulatedAgent): void {
    agent.stop();
    this.agents.splice(this.agents.indexOf(agent), 1);
    const manager = this.#managerOn(agent.number);
    if (!manager) return;
    this.managers.splice(this.managers.indexOf(manager), 1);
    void manager.crash();
  }

  #addNode(joinsAs: NodeRoleName, identity: SimulatedIdentity, foundation?: Foundation): void {
    const number = ++this.#nodesMade;
    const agent = new SimulatedAgent(number, identity, joinsAs, this.#agentGround);
    this.agents.push(agent);
    if (foundation) this.#addManager(number, identity, foundation);
    identity.onChange(() => this.#followRole(agent));
    agent.start();
  }

  /** A node becomes what its certificate says. */
  #followRole({ number, identity, isDown }: SimulatedAgent): void {
    const manager = this.#managerOn(number);
    if (identity.current?.role !== 'manager') void manager?.loseLog();
    else if (!manager) this.#addManager(number, identity);
    else if (!isDown) void manager.start();
  }

  #addManager(number: number, identity: SimulatedIdentity, foundation?: Foundation): void {
    const manager = new SimulatedManager(number, identity, this.#managerGround, foundation);
    this.managers.push(manager);
    void manager.start();
  }

  #managerOn(number: number): SimulatedManager | undefined {
    return this.managers.find((each) => each.number === number);
  }

  /** All first nodes are ready, and the managers vote. */
  #isComplete(): boolean {
    const leader = this.leader();
    const nodes = leader?.store.read.node.all() ?? [];
    return (
      leader?.node.confState?.voters.length === MANAGERS &&
      nodes.filter(({ status }) => status?.state === NodeStatus_State.READY).length === MANAGERS + WORKERS
    );
  }

  async #advanceUntil(isDone: () => boolean): Promise<void> {
    for (let second = 0; second < BEGIN_S && !isDone(); second++) await this.timeline.advance(1_000);
  }

  /** Who leads, or believes to: of two, the one of the later term. */
  leader(): SimulatedManager | undefined {
    return this.managers.filter((each) => each.isLeader).sort((a, b) => b.term - a.term)[0];
  }

  /** The process on the manager's node ends: it and the agent beside it. */
  async crash(manager: SimulatedManager): Promise<void> {
    if (!manager.isStarted) return;
    this.crashes++;
    this.#agentOn(manager)?.crash();
    await manager.crash();
    for (const other of this.managers)
      this.network.carry(manager.name, other.name, () => other.disconnectedFrom(manager));
  }

  /** The nodes whose process crashed, by their managers; one may have become a worker's meanwhile. */
  get crashed(): readonly SimulatedManager[] {
    return this.managers.filter(
      (manager) => !manager.isStarted && (manager.shouldRun || this.#agentOn(manager)?.isDown === true),
    );
  }

  async startAgain(manager: SimulatedManager): Promise<void> {
    this.#agentOn(manager)?.startAgain();
    if (!manager.shouldRun) return;
    const starting = manager.start();
    await this.timeline.advance(1);
    await starting;
  }

  #agentOn(manager: SimulatedManager): SimulatedAgent | undefined {
    return this.agents.find(({ number }) => number === manager.number);
  }

  /** No fault is left. */
  async mend(): Promise<void> {
    this.network.mend();
    this.network.loss = 0;
    for (const agent of this.agents) agent.mend();
    for (const manager of this.crashed) await this.startAgain(manager);
  }

  /** Agents whose node was removed are gone: whoever asked for that may not have heard that it was done. */
  retireRemoved(): void {
    const gone = this.agents.filter(({ nodeId }) => this.history.world.wasRemoved(nodeId));
    for (const agent of gone) this.retire(agent);
  }

  async end(): Promise<void> {
    for (const agent of this.agents) agent.stop();
    for (const manager of this.managers) await manager.crash();
  }
}

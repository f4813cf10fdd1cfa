/** A whole swarm in virtual time, driven by one seed: managers and agents fail while people work; then all is mended and must come to rest. */
import { seededRandom, type Random } from '../../src/common/random.ts';
import { aNode } from '../support/local-control.ts';
import { Administrator } from './administrator.ts';
import { SimulatedAgent } from './agent.ts';
import { SimulatedLog } from './disk.ts';
import { SharedHistory } from './history.ts';
import { SimulatedManager } from './manager.ts';
import type { Violate } from './checks/check.ts';
import { checkRest, isFlaky, isRunning } from './checks/rest.ts';
import { Network } from './network.ts';
import { Timeline } from './timeline.ts';

const MANAGERS = ['1', '2', '3'] as const;
const NODES = ['n1', 'n2', 'n3', 'n4'] as const;
const WORK_MS = 800;
/** In virtual time; the retry delays of the loops and of agents are far below. */
const REST_MS = 90_000;
const CALM_MS = 20_000;

export interface SwarmReport {
  readonly seed: number;
  readonly events: number;
  readonly commits: number;
  readonly elections: number;
  readonly crashes: number;
  readonly acknowledged: number;
  readonly violations: readonly string[];
  /** Of the state all managers ended with. */
  readonly hash: number;
}

export class SwarmSimulation {
  readonly #seed: number;
  readonly #timeline = new Timeline();
  readonly #history = new SharedHistory();
  readonly #network: Network;
  readonly #managers: readonly SimulatedManager[];
  readonly #agents: readonly SimulatedAgent[];
  readonly #administrator: Administrator;
  readonly #nemesis: Random;
  readonly #violate: Violate = (invariant, what) => this.#history.violate(invariant, what);
  #crashes = 0;

  constructor(seed: number) {
    this.#seed = seed;
    const source = (purpose: number): Random => seededRandom(seed * 16 + purpose);
    const timeline = this.#timeline;
    this.#network = new Network(timeline, source(1));
    this.#nemesis = source(2);
    const random = source(3);
    const disk = source(4);
    this.#managers = MANAGERS.map(
      (id) =>
        new SimulatedManager(id, new SimulatedLog(timeline, disk, 1), {
          timeline,
          network: this.#network,
          random,
          peers: MANAGERS,
          manager: (other) => this.#managers.find((each) => each.id === other),
          onCommit: this.#history.observe,
          onLeadership: (who, term) => this.#history.leads(who, term),
        }),
    );
    this.#agents = NODES.map(
      (id) => new SimulatedAgent(id, { timeline, random: source(5), managers: this.#managers, violate: this.#violate }),
    );
    this.#administrator = new Administrator(source(6), () => this.#leader());
  }

  /** @param seconds virtual seconds of trouble before everything is mended */
  async run(seconds: number): Promise<SwarmReport> {
    await this.#begin();
    const work = (): void => {
      if (isOver) return;
      void this.#administrator.act();
      this.#timeline.setTimer(2 * WORK_MS * this.#nemesis(), work);
    };
    let isOver = false;
    work();
    const { violations } = this.#history;
    for (let second = 0; second < seconds && violations.length === 0; second++) {
      await this.#disturb();
      await this.#timeline.advance(1_000);
      this.#compareManagers();
    }
    isOver = true;
    if (violations.length === 0) await this.#comeToRest();
    const hash = violations.length === 0 ? await this.#checkRest() : 0;
    for (const agent of this.#agents) agent.stop();
    for (const manager of this.#managers) await manager.crash();
    const { commits, elections } = this.#history;
    const { acknowledged } = this.#administrator;
    const { events } = this.#timeline;
    return { seed: this.#seed, events, commits, elections, crashes: this.#crashes, acknowledged, violations, hash };
  }

  async #begin(): Promise<void> {
    // Writes of the log take virtual time, which must pass while the managers start.
    const started = Promise.all(this.#managers.map((manager) => manager.start()));
    await this.#timeline.advance(1_000);
    await started;
    for (let i = 0; i < 60 && (this.#leader()?.store.read.cluster.size ?? 0) === 0; i++)
      await this.#timeline.advance(500);
    const created = this.#leader()?.store.update((tx) => {
      for (const id of NODES) tx.node.create(aNode(id, undefined, 0));
    });
    await this.#timeline.advance(1_000);
    await created;
    for (const agent of this.#agents) agent.start();
    await this.#timeline.advance(2_000);
  }

  #leader(): SimulatedManager | undefined {
    return this.#managers.filter((each) => each.isLeader).sort((a, b) => b.term - a.term)[0];
  }

  /** One act of the nemesis, or none. */
  async #disturb(): Promise<void> {
    const random = this.#nemesis;
    const choice = random();
    const leader = this.#leader();
    const manager = this.#managers[Math.floor(random() * MANAGERS.length)] as SimulatedManager;
    const agent = this.#agents[Math.floor(random() * NODES.length)] as SimulatedAgent;
    for (const each of this.#managers) if (!each.isUp && random() < 0.6) await this.#startAgain(each);
    if (choice < 0.12) await this.#crash(leader ?? manager);
    else if (choice < 0.2) await this.#crash(manager);
    else if (choice < 0.3) this.#isolate(leader ?? manager, random() < 0.5);
    else if (choice < 0.35) this.#network.loss = 0.2 * random();
    else if (choice < 0.5) {
      this.#network.mend();
      this.#network.loss = 0;
    } else if (choice < 0.57) agent.cutOff();
    else if (choice < 0.75) for (const each of this.#agents) each.mend();
    else if (choice < 0.8) agent.restart();
    else if (choice < 0.84) leader?.node.transferLeadership(manager.id).catch(() => undefined);
  }

  async #crash(manager: SimulatedManager): Promise<void> {
    if (!manager.isUp) return;
    this.#crashes++;
    await manager.crash();
  }

  async #startAgain(manager: SimulatedManager): Promise<void> {
    const starting = manager.start();
    await this.#timeline.advance(1);
    await starting;
  }

  #isolate(manager: SimulatedManager, isOneWay: boolean): void {
    for (const other of MANAGERS) {
      this.#network.cut(manager.id, other);
      if (!isOneWay) this.#network.cut(other, manager.id);
    }
  }

  /** Managers that have applied the same entries hold the same state, and only the leader leads. */
  #compareManagers(): void {
    const texts = new Map<number, string>();
    for (const manager of this.#managers.filter(({ isUp }) => isUp)) {
      if (manager.runsLoops && !manager.isLeader) this.#violate(34, `manager ${manager.id} leads though it may not`);
      const { version } = manager.store;
      const text = manager.stateText();
      if ((texts.get(version) ?? text) !== text)
        this.#violate(31, `managers hold different states of version ${version}`);
      texts.set(version, text);
    }
  }

  async #comeToRest(): Promise<void> {
    this.#network.mend();
    this.#network.loss = 0;
    for (const agent of this.#agents) agent.mend();
    for (const manager of this.#managers) if (!manager.isUp) await this.#startAgain(manager);
    await this.#timeline.advance(10_000);
    const leader = this.#leader();
    if (leader === undefined) return this.#violate('liveness', 'nobody leads though all managers are well');
    const activated = this.#administrator.activateAll(leader).catch((error: unknown) => {
      this.#violate('liveness', `a change failed though all managers are well: ${String(error)}`);
    });
    await this.#timeline.advance(REST_MS);
    await activated;
  }

  /** What must have become true; and that a mere change of leader changes none of it. */
  async #checkRest(): Promise<number> {
    const leader = this.#leader();
    if (leader === undefined) {
      this.#violate('liveness', 'nobody leads in the end');
      return 0;
    }
    const texts = this.#managers.map((manager) => manager.stateText());
    if (new Set(texts).size !== 1) this.#violate(31, 'the managers hold different states');
    this.#checkKept();
    checkRest(this.#history.world, this.#agents, this.#violate);
    const before = steadyTasks(leader);
    await this.#crash(leader);
    await this.#timeline.advance(CALM_MS);
    await this.#startAgain(leader);
    await this.#timeline.advance(CALM_MS);
    const after = steadyTasks(this.#leader() ?? leader);
    const gone = [...before].filter((id) => !after.has(id));
    const fresh = [...after].filter((id) => !before.has(id));
    if (gone.length + fresh.length > 0)
      this.#violate(18, `a change of leader ended ${gone.join(' ')} and began ${fresh.join(' ')}`);
    return hashOf(texts[0] ?? '');
  }

  /** What was acknowledged is there. */
  #checkKept(): void {
    const { service } = this.#history.world.tables;
    for (const name of this.#administrator.kept)
      if (!service.byName(name)) this.#violate(31, `${name} was acknowledged and is gone`);
  }
}

/** Ids of the tasks that nothing but a fault would end. */
const steadyTasks = ({ store }: SimulatedManager): ReadonlySet<string> =>
  new Set(
    store.read.task
      .all()
      .filter((task) => isRunning(task) && !isFlaky(task.serviceAnnotations?.labels))
      .map(({ id }) => id),
  );

function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

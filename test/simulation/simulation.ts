/** A whole swarm in virtual time, driven by one seed: managers and agents fail while people work; then all is mended and must come to rest. */
import { slotKey } from '../../src/manager/store/objects.ts';
import { UpdateStatus_UpdateState as UpdateState } from '../../src/proto/generated/docker/swarmkit/v1/types.ts';
import type { Violate } from './checks/check.ts';
import { checkAgent, checkRest, isSteady } from './checks/rest.ts';
import type { SimulatedManager } from './manager.ts';
import { Nemesis } from './nemesis.ts';
import { Swarm } from './swarm.ts';
import { ALL_ON, type Switches } from './switches.ts';

const WORK_MS = 800;
/** In virtual time; the retry delays of the loops and of agents are far below. */
const REST_MS = 90_000;
/** Of a root, when nodes joined without hearing of it and came again as others: nobody removes what they were. */
const LONGEST_ROTATION_MS = 11 * 60_000;
const CALM_MS = 20_000;
/** How often agents are looked at, 100 ms apart, until they agree with the managers. */
const AGREE_TRIES = 20;

export interface SwarmReport {
  readonly seed: number;
  readonly events: number;
  readonly commits: number;
  readonly elections: number;
  readonly crashes: number;
  readonly acknowledged: number;
  readonly violations: readonly string[];
  /** Of the state the managers ended with. */
  readonly hash: number;
}

export interface SimulationOptions {
  readonly trace?: ((line: string) => void) | undefined;
  readonly switches?: Switches | undefined;
}

export class SwarmSimulation {
  readonly #seed: number;
  readonly #swarm: Swarm;
  readonly #nemesis: Nemesis;

  /**
   * @param options.trace takes the story line by line
   * @param options.switches what may happen; everything unless it says otherwise
   */
  constructor(seed: number, { trace, switches = ALL_ON }: SimulationOptions = {}) {
    this.#seed = seed;
    this.#swarm = new Swarm(seed, switches, trace);
    this.#nemesis = new Nemesis(this.#swarm);
  }

  /** @param seconds virtual seconds of trouble before everything is mended */
  async run(seconds: number): Promise<SwarmReport> {
    const { timeline, history, administrator } = this.#swarm;
    const { violations } = history;
    await this.#swarm.begin();
    if (violations.length === 0) await this.#makeTrouble(seconds);
    if (violations.length === 0) await this.#comeToRest();
    const hash = violations.length === 0 ? await this.#checkRest() : 0;
    await this.#swarm.end();
    const { commits, elections } = history;
    const { crashes } = this.#swarm;
    const { acknowledged } = administrator;
    return { seed: this.#seed, events: timeline.events, commits, elections, crashes, acknowledged, violations, hash };
  }

  async #makeTrouble(seconds: number): Promise<void> {
    const { timeline, history, administrator, nemesisRandom } = this.#swarm;
    let isOver = false;
    const work = (): void => {
      if (isOver) return;
      void administrator.act();
      timeline.setTimer(2 * WORK_MS * nemesisRandom(), work);
    };
    work();
    for (let second = 0; second < seconds && history.violations.length === 0; second++) {
      await this.#nemesis.strike();
      await timeline.advance(1_000);
      this.#compareManagers();
    }
    isOver = true;
  }

  /** Managers that have applied the same entries hold the same state, and only the leader leads. */
  #compareManagers(): void {
    const { managers, violate } = this.#swarm;
    const texts = new Map<number, string>();
    for (const manager of managers.filter(({ isUp }) => isUp)) {
      if (manager.runsLoops && !manager.isLeader) violate(34, `manager ${manager.number} leads though it may not`);
      const { version } = manager.store;
      const text = manager.stateText();
      if ((texts.get(version) ?? text) !== text) violate(31, `managers hold different states of version ${version}`);
      texts.set(version, text);
    }
  }

  async #comeToRest(): Promise<void> {
    const { timeline, administrator, violate } = this.#swarm;
    await this.#swarm.mend();
    await timeline.advance(10_000);
    // What was asked for until the end may have been done since.
    this.#swarm.retireRemoved();
    const leader = this.#swarm.leader();
    if (leader === undefined) return violate('liveness', 'nobody leads though all managers are well');
    const settled = administrator.settle(leader).catch((error: unknown) => {
      violate('liveness', `a change failed though all managers are well: ${String(error)}`);
    });
    await timeline.advance(REST_MS);
    await settled;
    if (this.#isRotating) await timeline.advance(LONGEST_ROTATION_MS);
  }

  get #isRotating(): boolean {
    return this.#swarm.leader()?.store.read.cluster.all()[0]?.rootCa?.rootRotation !== undefined;
  }

  /** What must have become true; and that a mere change of leader changes none of it. */
  async #checkRest(): Promise<number> {
    const { timeline, history, agents, violate } = this.#swarm;
    const leader = this.#swarm.leader();
    if (leader === undefined) {
      violate('liveness', 'nobody leads in the end');
      return 0;
    }
    this.#compareManagers();
    this.#checkKept();
    const members = new Set(leader.members.map(({ nodeId }) => nodeId));
    checkRest({ world: history.world, agents, managers: this.#swarm.managers, members, violate });
    await this.#checkAgents();
    const text = leader.stateText();
    const onItsNode = slotsOn(leader.nodeId, leader);
    const updated = updatedServices(leader);
    const before = steadyTasks(leader, onItsNode, updated);
    await this.#swarm.crash(leader);
    await timeline.advance(CALM_MS);
    await this.#swarm.startAgain(leader);
    await timeline.advance(CALM_MS);
    const now = this.#swarm.leader() ?? leader;
    const after = steadyTasks(now, onItsNode, new Set([...updated, ...updatedServices(now)]));
    const gone = [...before].filter((id) => !after.has(id));
    const fresh = [...after].filter((id) => !before.has(id));
    if (gone.length + fresh.length > 0)
      violate(18, `a change of leader ended ${gone.join(' ')} and began ${fresh.join(' ')}`);
    return hashOf(text);
  }

  /** Tasks that end again and again change all the time, and agents are told of it a moment later. */
  async #checkAgents(): Promise<void> {
    const { timeline, history, agents, violate } = this.#swarm;
    for (let tries = AGREE_TRIES; ; tries--) {
      const found: Parameters<Violate>[] = [];
      for (const agent of agents) checkAgent(history.world, agent, (...violation) => void found.push(violation));
      if (found.length > 0 && tries > 0) {
        await timeline.advance(100);
        continue;
      }
      for (const violation of found) violate(...violation);
      return;
    }
  }

  /** What was acknowledged is there. */
  #checkKept(): void {
    const { history, administrator, violate } = this.#swarm;
    for (const name of administrator.kept)
      if (!history.world.tables.service.byName(name)) violate(31, `${name} was acknowledged and is gone`);
  }
}

/**
 * Ids of tasks that run on; while an update waits, what it will replace may have to go as soon as its node is looked at again.
 * @param except slots that do not count
 * @param updated services whose tasks do not count
 */
const steadyTasks = (
  { store }: SimulatedManager,
  except: ReadonlySet<string>,
  updated: ReadonlySet<string>,
): ReadonlySet<string> =>
  new Set(
    store.read.task
      .all()
      .filter((task) => isSteady(task) && !except.has(slotKey(task)) && !updated.has(task.serviceId))
      .map(({ id }) => id),
  );

/** Services with an update under way, which may end while another leads. */
const updatedServices = ({ store }: SimulatedManager): ReadonlySet<string> =>
  new Set(
    store.read.service
      .all()
      .filter(({ updateStatus }) => UPDATED.has(updateStatus?.state))
      .map(({ id }) => id),
  );

/** Slots that have tasks on a node, and lose them when the node goes. */
const slotsOn = (nodeId: string, { store }: SimulatedManager): ReadonlySet<string> =>
  new Set(store.read.task.by('node', nodeId).map((task) => slotKey(task)));

const UPDATED: ReadonlySet<UpdateState | undefined> = new Set([UpdateState.UPDATING, UpdateState.ROLLBACK_STARTED]);

function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

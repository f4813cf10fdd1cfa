/**
 * A group of nodes with their disks, a network, clients and a nemesis, driven by one seed: a run can be repeated exactly, and the safety
 * properties are checked after every event.
 */
import { MessageType } from '../../types.ts';
import type { Message, Snapshot } from '../../types.ts';
import { messageTypeName } from '../../messages.ts';
import { EMPTY_CONF_STATE } from '../../storage.ts';
import { SeededRandom } from '../random.ts';
import { Application } from './application.ts';
import { Clients } from './clients.ts';
import { EventQueue } from './event-queue.ts';
import { Ledger } from './ledger.ts';
import { checkLiveness } from './liveness.ts';
import { Nemesis } from './nemesis.ts';
import type { Theatre } from './nemesis.ts';
import { SimulatedNetwork } from './network.ts';
import { SimulatedNode } from './node.ts';
import { drawPlan, ELECTION } from './plan.ts';
import type { Plan } from './plan.ts';
import { SafetyChecks } from './safety.ts';
import type { Surroundings } from './surroundings.ts';

/** All nodes start from a snapshot here, as they would in a running group. */
const START_INDEX = 10;

export interface SimulationOptions {
  readonly seed: number;
  /** Default: drawn from the seed. */
  readonly plan?: Plan | undefined;
  /** Numbers of acts of the nemesis to leave out. */
  readonly left?: ReadonlySet<number> | undefined;
  /** Hears what happens. */
  readonly trace?: ((line: string) => void) | undefined;
}

export interface SimulationReport {
  readonly events: number;
  readonly leadersElected: number;
  /** Highest index applied anywhere. */
  readonly appliedIndex: number;
  /** Hash of everything that happened; equal for two runs with the same options. */
  readonly hash: number;
  /** What there was of what is worth having in a simulation. */
  readonly counts: Readonly<Record<string, number>>;
}

export class Simulation {
  readonly plan: Plan;
  readonly nodes: SimulatedNode[] = [];
  readonly ledger: Ledger;
  readonly nemesis: Nemesis;
  readonly clients: Clients;
  readonly #queue = new EventQueue();
  readonly #network: SimulatedNetwork;
  readonly #checks: SafetyChecks;
  readonly #world: Surroundings;
  readonly #theatre: Theatre;
  readonly #faults: SeededRandom;
  readonly #liveness: SeededRandom;
  readonly #trace: ((line: string) => void) | undefined;
  readonly #counts = { restarts: 0, snapshots: 0, messages: 0, lost: 0 };
  /** What each node was last said to be. */
  readonly #roles = new Map<string, string>();
  #events = 0;
  #hash = 0;

  constructor({ seed, plan = drawPlan(seed), left = new Set(), trace }: SimulationOptions) {
    this.plan = plan;
    this.#trace = trace;
    // Separate sources, so that changing one kind of event disturbs the others least.
    const root = new SeededRandom(seed);
    const [network, disk, schedule, timeouts, workload, nemesis] = Array.from({ length: 6 }, () => root.fork()) as [
      SeededRandom,
      SeededRandom,
      SeededRandom,
      SeededRandom,
      SeededRandom,
      SeededRandom,
    ];
    this.#faults = root.fork();
    this.#liveness = root.fork();
    const voters = Array.from({ length: plan.voters }, (_, i) => String(i + 1));
    const confState = { ...EMPTY_CONF_STATE, voters };
    this.ledger = new Ledger(START_INDEX, 1, confState);
    this.#checks = new SafetyChecks(this.ledger);
    this.#network = new SimulatedNetwork(this.#queue, network, plan, {
      arrived: (message) => this.#arrived(message),
      lost: (message) => this.#report(message, false),
    });
    this.clients = new Clients(this.#queue, workload, plan, this.ledger, () => this.nodes);
    this.#world = {
      queue: this.#queue,
      plan,
      ledger: this.ledger,
      disk,
      schedule,
      timeouts,
      isCalm: () => this.#network.isCalm,
      stepped: (node) => {
        this.#checks.check(node);
        if (this.#trace !== undefined) this.#tellRole(node);
      },
      restarted: (node) => {
        this.#counts.restarts++;
        this.#checks.restarted(node);
      },
      send: (node, message) => {
        this.#checks.checkPromise(node, message);
        this.#counts.messages++;
        this.#network.send(message);
      },
      applied: (node, command) => this.clients.applied(node, command),
      readable: (node, read) => this.clients.readable(node, read),
      trace: (node, text) => this.#tell(() => `node ${node.id} ${text()}`),
    };
    this.#theatre = {
      plan,
      nodes: this.nodes,
      queue: this.#queue,
      network: this.#network,
      leader: () => this.#leader(),
      addNode: () => this.#addNode(undefined),
      trace: (text) => this.#tell(text),
    };
    this.nemesis = new Nemesis(this.#theatre, nemesis, left);
    const data = new Application().snapshot();
    for (let i = 0; i < plan.voters; i++) this.#addNode({ data, metadata: { index: START_INDEX, term: 1, confState } });
    this.clients.start();
    this.nemesis.start();
  }

  /** Runs the given number of events; throws SafetyViolation, or whatever a node throws when it finds an invariant broken. */
  run(events: number): SimulationReport {
    for (let i = 0; i < events; i++) this.#step();
    return this.report();
  }

  /** Ends the faults, checks that the group works again, and checks what the clients saw. Throws as {@link run}. */
  finish(): SimulationReport {
    const { plan, nemesis, clients, ledger } = this;
    checkLiveness(
      {
        plan,
        theatre: this.#theatre,
        nemesis,
        clients,
        ledger,
        runUntil: (patience, condition) => this.#runUntil(patience, condition),
      },
      this.#liveness,
    );
    clients.check();
    return this.report();
  }

  report(): SimulationReport {
    const counts = { ...this.#counts, ...this.clients.counts, acts: this.nemesis.acts, nodes: this.nodes.length };
    return {
      events: this.#events,
      leadersElected: this.#checks.leadersElected,
      appliedIndex: this.ledger.lastIndex,
      hash: (this.#hash ^ this.ledger.state(this.ledger.lastIndex)) >>> 0,
      counts,
    };
  }

  #step(): void {
    const run = this.#queue.next();
    if (run === undefined) throw new Error('nothing is left to happen');
    this.#events++;
    run();
    this.#hash = Math.imul(this.#hash ^ this.#queue.now, 0x01000193) + this.#queue.size;
    if (this.#events % 500 === 0)
      this.#checks.checkLogsMatch(this.#faults.pick(this.nodes), this.#faults.pick(this.nodes));
  }

  /** The condition is looked at now and then only: it may cost something. */
  #runUntil(patience: number, condition: () => boolean): boolean {
    const end = this.#queue.now + patience;
    let next = 0;
    while (this.#queue.now < end) {
      this.#step();
      if (this.#queue.now < next) continue;
      if (condition()) return true;
      next = this.#queue.now + ELECTION / 2;
    }
    return false;
  }

  #arrived(message: Message): void {
    const node = this.nodes.find(({ id }) => id === message.to);
    if (message.type === MessageType.MsgSnap) this.#counts.snapshots++;
    this.#tell(() => `${messageTypeName(message.type)} ${describeMessage(message)}`);
    if (node === undefined) this.#report(message, false);
    else node.receive(message, (arrived) => this.#report(message, arrived));
  }

  /** Tells the sender what its transport would: always about snapshots, sometimes about other messages that were lost. */
  #report(message: Message, arrived: boolean): void {
    if (!arrived) this.#counts.lost++;
    const isSnapshot = message.type === MessageType.MsgSnap;
    if (!isSnapshot && (arrived || !this.#faults.chance(0.2))) return;
    const sender = this.nodes.find(({ id }) => id === message.from);
    sender?.hear((core) => {
      if (isSnapshot) core.reportSnapshot(message.to, arrived);
      else core.reportUnreachable(message.to);
    });
  }

  #leader(): SimulatedNode | undefined {
    let leader: SimulatedNode | undefined;
    for (const node of this.nodes) {
      if (node.core?.role === 'leader' && node.core.term > (leader?.core?.term ?? 0)) leader = node;
    }
    return leader;
  }

  #addNode(first: Snapshot | undefined): SimulatedNode {
    const node = new SimulatedNode(String(this.nodes.length + 1), this.#world);
    this.nodes.push(node);
    // A process that ended by itself is started again after a while.
    node.onDeath = () => this.nemesis.comeBack(node, ELECTION * 2 * this.#faults.next());
    node.start(first);
    return node;
  }

  #tellRole(node: SimulatedNode): void {
    const role = node.core === undefined ? 'down' : `${node.core.role} in term ${node.core.term}`;
    if (this.#roles.get(node.id) === role) return;
    this.#roles.set(node.id, role);
    this.#tell(() => `node ${node.id} is ${role}`);
  }

  #tell(text: () => string): void {
    this.#trace?.(`${(this.#queue.now / 1000).toFixed(1).padStart(9)} ms  ${text()}`);
  }
}

function describeMessage({ from, to, term, index, logTerm, commit, entries, reject, snapshot }: Message): string {
  const places = `term ${term}, at ${index} (term ${logTerm}), commit ${commit}`;
  const content = `${entries.length > 0 ? `, ${entries.length} entries` : ''}${reject ? ', refused' : ''}`;
  return `${from}>${to} ${places}${content}${snapshot === undefined ? '' : `, snapshot ${snapshot.metadata.index}`}`;
}

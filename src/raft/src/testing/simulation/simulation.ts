/**
 * A group of nodes, a network and a clock driven by one seeded random source: any order of events can happen, every run can be repeated, and
 * the safety properties are checked after every event.
 */
import { ConfChangeTransition, ConfChangeType, MessageType } from '../../types.ts';
import type { ConfChangeSingle, Message, PeerId, Snapshot } from '../../types.ts';
import { EMPTY_CONF_STATE } from '../../storage.ts';
import { SeededRandom } from '../random.ts';
import { Ledger } from './ledger.ts';
import { SimulatedNetwork } from './network.ts';
import { SimulatedNode } from './node.ts';
import type { NodeOptions } from './node.ts';
import { DEFAULT_OPTIONS } from './options.ts';
import type { SimulationOptions } from './options.ts';
import { SafetyChecks } from './safety.ts';

/** All nodes start from a snapshot here, as they would in a running group. */
const START_INDEX = 10;
const ELECTION_TICKS = 10;
const RECOVERY_CHANCE = 0.01;
const TRAILING_ENTRIES = 5;

export interface SimulationReport {
  readonly events: number;
  readonly leadersElected: number;
  /** Highest index applied anywhere. */
  readonly appliedIndex: number;
  /** Hash of everything applied; equal for two runs with the same options. */
  readonly state: number;
}

export class Simulation {
  readonly options: SimulationOptions;
  readonly nodes: SimulatedNode[] = [];
  readonly network: SimulatedNetwork;
  readonly ledger = new Ledger(START_INDEX, 1);
  readonly checks = new SafetyChecks(this.ledger);
  /** Separate sources, so that changing one kind of event disturbs the others least. */
  readonly #schedule: SeededRandom;
  readonly #faults: SeededRandom;
  readonly #workload: SeededRandom;
  readonly #timeouts: SeededRandom;
  #events = 0;
  #proposals = 0;

  constructor(options: Partial<SimulationOptions> = {}) {
    this.options = { ...DEFAULT_OPTIONS, ...options };
    const root = new SeededRandom(this.options.seed);
    this.#schedule = root.fork();
    this.#faults = root.fork();
    this.#workload = root.fork();
    this.#timeouts = root.fork();
    const { loss, duplication } = this.options;
    this.network = new SimulatedNetwork(root.fork(), loss, duplication, (message) => this.#report(message, false));
    const voters = Array.from({ length: this.options.voters }, (_, i) => String(i + 1));
    const confState = { ...EMPTY_CONF_STATE, voters };
    const data = new Uint8Array(4);
    for (const id of voters) this.#addNode(id, { data, metadata: { index: START_INDEX, term: 1, confState } });
  }

  /** Runs the given number of events; throws SafetyViolation, or whatever a node throws when it finds an invariant broken. */
  run(events: number): SimulationReport {
    for (let i = 0; i < events; i++) this.step();
    return this.report();
  }

  report(): SimulationReport {
    const appliedIndex = this.ledger.lastIndex;
    return {
      events: this.#events,
      leadersElected: this.checks.leadersElected,
      appliedIndex,
      state: this.ledger.state(appliedIndex),
    };
  }

  /** One event. */
  step(): void {
    this.#events++;
    const node = this.#schedule.pick(this.nodes);
    const dice = this.#schedule.next();
    if (dice < 0.6) this.#deliver();
    else if (dice < 0.75) node.finishWrites();
    else if (dice < 0.85) node.finishApply();
    else if (dice < 0.93) node.core?.tick();
    else if (dice < 0.98) this.#propose(node);
    else this.#read(node);
    this.#settle(node);
    this.#strike();
  }

  /** Ends all faults and lets the nodes work until a fresh entry is applied by every voter; false if `events` do not suffice. */
  recover(events: number): boolean {
    this.network.heal();
    for (const node of this.nodes) {
      if (node.core === undefined) this.#restart(node);
    }
    const target = this.ledger.lastIndex + 1;
    for (let i = 0; i < events; i++) {
      this.#events++;
      const node = this.#schedule.pick(this.nodes);
      const dice = this.#schedule.next();
      if (dice < 0.6) this.#deliver();
      else if (dice < 0.75) node.finishWrites();
      else if (dice < 0.9) node.finishApply();
      else if (dice < 0.97) node.core?.tick();
      // A fresh entry only when the last one is committed: the backlog must shrink.
      else if (node.core?.commitIndex === node.core?.lastIndex) this.#propose(node);
      this.#settle(node);
      const leader = this.#leader();
      const voters = leader?.core?.confState.voters ?? [];
      if (leader !== undefined && this.nodes.every((each) => !voters.includes(each.id) || each.applied >= target))
        return true;
    }
    return false;
  }

  #deliver(): void {
    const message = this.network.take();
    if (message === undefined) return;
    const node = this.#find(message.to);
    if (node?.core !== undefined) {
      node.core.step(message);
      this.#settle(node);
    }
    this.#report(message, node?.core !== undefined);
  }

  /** Tells the sender what its transport would: always about snapshots, sometimes about other messages that were lost. */
  #report(message: Message, arrived: boolean): void {
    const core = this.#find(message.from)?.core;
    if (message.type === MessageType.MsgSnap) core?.reportSnapshot(message.to, arrived);
    else if (!arrived && this.#faults.chance(0.2)) core?.reportUnreachable(message.to);
  }

  #find(id: PeerId): SimulatedNode | undefined {
    return this.nodes.find((node) => node.id === id);
  }

  /** Mostly takes the node's work at once, sometimes lets it pile up. */
  #settle(node: SimulatedNode): void {
    this.checks.check(node);
    if (this.#schedule.chance(0.2)) return;
    node.pump();
    this.checks.check(node);
    if (node.core?.wantsSnapshot === true) node.compact(TRAILING_ENTRIES);
  }

  #propose(node: SimulatedNode): void {
    if (node.core?.role !== 'leader') return;
    const data = new Uint8Array(4 + this.#workload.below(60));
    new DataView(data.buffer).setUint32(0, ++this.#proposals);
    node.core.propose([data]);
  }

  #read(node: SimulatedNode): void {
    if (node.core === undefined) return;
    const context = new Uint8Array(4);
    new DataView(context.buffer).setUint32(0, this.checks.beginRead());
    node.core.readIndex(context);
  }

  /** Faults and administration. */
  #strike(): void {
    const { crash, partition, membershipChange, transfer, compaction } = this.options;
    const random = this.#faults;
    if (random.chance(crash)) this.#crash(random.pick(this.nodes));
    if (random.chance(RECOVERY_CHANCE)) this.#recoverOne();
    if (random.chance(partition)) this.#partition();
    if (random.chance(membershipChange)) this.#changeMembership();
    if (random.chance(transfer)) this.#leader()?.core?.transferLeader(random.pick(this.nodes).id);
    if (random.chance(compaction)) random.pick(this.nodes).compact(random.below(TRAILING_ENTRIES));
    if (random.chance(0.001)) this.checks.checkLogsMatch(random.pick(this.nodes), random.pick(this.nodes));
  }

  #crash(node: SimulatedNode): void {
    if (node.core === undefined) return;
    node.crash(this.#faults);
    // Sometimes it is back at once, within the leases it took part in.
    if (this.#faults.chance(0.5)) this.#restart(node);
  }

  #recoverOne(): void {
    const node = this.nodes.find((each) => each.core === undefined);
    if (node !== undefined) this.#restart(node);
    else if (this.#faults.chance(0.3)) this.network.heal();
  }

  #restart(node: SimulatedNode): void {
    node.start();
    this.checks.restarted(node);
  }

  #partition(): void {
    const group = this.nodes.filter(() => this.#faults.chance(0.5)).map((node) => node.id);
    const others = this.nodes.map((node) => node.id).filter((id) => !group.includes(id));
    this.network.cut(group, others, this.#faults.chance(0.3));
  }

  /** One to three random changes, or leaving a joint configuration. */
  #changeMembership(): void {
    const core = this.#leader()?.core;
    if (core === undefined) return;
    const random = this.#faults;
    const transition = random.pick(Object.values(ConfChangeTransition));
    if (random.chance(0.2)) {
      core.proposeConfChange({ transition: ConfChangeTransition.Auto, changes: [], context: new Uint8Array(0) });
      return;
    }
    const changes = Array.from({ length: 1 + random.below(3) }, () => this.#randomChange());
    core.proposeConfChange({ transition, changes, context: new Uint8Array(0) });
  }

  #randomChange(): ConfChangeSingle {
    const random = this.#faults;
    const types = [
      ConfChangeType.AddNode,
      ConfChangeType.AddNode,
      ConfChangeType.AddLearnerNode,
      ConfChangeType.RemoveNode,
    ];
    const type = random.pick(types);
    if (type !== ConfChangeType.RemoveNode && this.nodes.length < this.options.maxNodes && random.chance(0.5)) {
      const id = String(this.nodes.length + 1);
      this.#addNode(id, undefined);
      return { type, nodeId: id };
    }
    return { type, nodeId: random.pick(this.nodes).id };
  }

  #leader(): SimulatedNode | undefined {
    const leaders = this.nodes.filter((node) => node.core?.role === 'leader');
    return leaders.sort((a, b) => (b.core?.term ?? 0) - (a.core?.term ?? 0))[0];
  }

  #addNode(id: PeerId, start: Snapshot | undefined): void {
    const { preVote, checkQuorum, asyncStorageWrites, stepDownOnRemoval } = this.options;
    const { maxMessageBytes, maxInflightMessages, maxCommittedBytesPerReady } = this.options;
    const options: NodeOptions = {
      preVote,
      checkQuorum,
      asyncStorageWrites,
      stepDownOnRemoval,
      maxMessageBytes,
      maxInflightMessages,
      maxCommittedBytesPerReady,
      electionTicks: ELECTION_TICKS,
      heartbeatTicks: 1,
      random: () => this.#timeouts.next(),
    };
    const events = {
      send: (node: SimulatedNode, message: Message) => {
        this.checks.checkPromise(node, message);
        this.network.send(message);
      },
      read: (node: SimulatedNode, read: { readonly index: number; readonly context: Uint8Array }) => {
        const number = new DataView(read.context.buffer, read.context.byteOffset).getUint32(0);
        this.checks.endRead(node, number, read.index);
      },
    };
    this.nodes.push(new SimulatedNode(id, options, events, this.ledger, start));
  }
}

import { RaftNode } from '../../src/node/raft-node.ts';
import { RecordingLog } from '../../src/testing/recording-log.ts';
import { ConfChangeTransition, ConfChangeType, EntryType } from '../../src/types.ts';
import type { ConfChangeV2, Entry, Message, PeerId, SnapshotMetadata } from '../../src/types.ts';
import { TextMachine } from './cluster.ts';

/** A log whose writes become durable one after the other, and whose crash keeps a prefix of what was not. */
class SimulatedLog extends RecordingLog {
  readonly #disk: (() => void)[];

  constructor() {
    const disk: (() => void)[] = [];
    super((task) => void disk.push(task));
    this.#disk = disk;
  }

  get pendingWrites(): number {
    return this.#disk.length;
  }

  /** Lets the oldest write become durable. */
  writeOne(): void {
    this.#disk.shift()?.();
  }

  /** What a restart finds: everything durable, and maybe the next few writes. */
  async afterCrash(more: number): Promise<SimulatedLog> {
    const next = new SimulatedLog();
    await this.replayInto(next, more);
    while (next.pendingWrites > 0) next.writeOne();
    return next;
  }
}

interface SimulatedNode {
  readonly id: PeerId;
  node: RaftNode | undefined;
  log: SimulatedLog;
  tasks: (() => void)[];
}

/** Which faults a world may see, each with the weight it is chosen by. */
export interface Weights {
  readonly drop: number;
  readonly duplicate: number;
  readonly crash: number;
  readonly cut: number;
  readonly change: number;
  readonly transfer: number;
}

const FIRST = ['1', '2', '3'];
const LATER = ['4', '5', '6'];

/** A group whose every step (message, write, tick, fault, request) is chosen by a seed, with all safety checks on. */
export class SimulatedWorld {
  readonly #random: () => number;
  readonly #weights: Weights;
  readonly #nodes = new Map<PeerId, SimulatedNode>();
  readonly #removed = new Set<PeerId>();
  readonly #cut = new Set<PeerId>();
  /** Entry applied at each index, by whoever came first. */
  readonly #agreed = new Map<number, string>();
  readonly #leaders = new Map<number, PeerId>();
  #network: Message[] = [];
  #highestApplied = 0;
  #proposed = 0;
  isHealing = false;
  readonly counts = { crashes: 0, snapshots: 0, reads: 0, changes: 0, elections: 0 };

  constructor(random: () => number, weights: Weights) {
    this.#random = random;
    this.#weights = weights;
  }

  async begin(): Promise<void> {
    for (const id of FIRST) await this.#start(id, new SimulatedLog());
  }

  async step(): Promise<void> {
    const weights = this.#weights;
    const trouble = this.isHealing ? 0 : 1;
    await this.#choose([
      [30, () => this.#deliver()],
      [30, () => this.#runTask()],
      [15, () => this.#writeOne()],
      [6, () => this.#live()?.node?.tick()],
      [6, () => this.#propose()],
      [2, () => this.#read()],
      [trouble * weights.drop, () => this.#lose()],
      [trouble * weights.duplicate, () => this.#duplicate()],
      [trouble * weights.crash, () => this.#crash()],
      [trouble * weights.crash * 2, () => this.#crashAfterWrite()],
      [1 + 2 * weights.crash, () => this.#restart()],
      [trouble * weights.cut, () => void this.#cut.add(this.#pick(FIRST) ?? '')],
      [weights.cut * 2, () => this.#cut.clear()],
      [weights.change, () => this.#change()],
      [weights.transfer, () => this.#transfer()],
    ]);
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** After {@link isHealing} and enough steps: everybody alive has the same state, and everything works again. */
  async settle(): Promise<string | undefined> {
    this.isHealing = true;
    this.#cut.clear();
    for (const { id, node } of this.#nodes.values()) if (node === undefined) await this.#restart(id);
    for (let round = 0; round < 400; round++) {
      for (const { node } of this.#nodes.values()) node?.tick();
      for (let i = 0; i < 2000 && this.#isBusy(); i++) {
        while (this.#network.length > 0) this.#deliver();
        for (const each of this.#nodes.values()) {
          while (each.log.pendingWrites > 0) each.log.writeOne();
          for (const task of each.tasks.splice(0)) task();
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (round > 100 && this.#isEven()) return undefined;
    }
    return JSON.stringify([...this.#nodes.values()].map(({ node }) => node?.status()));
  }

  #isBusy(): boolean {
    return (
      this.#network.length > 0 ||
      [...this.#nodes.values()].some((each) => each.tasks.length > 0 || each.log.pendingWrites > 0)
    );
  }

  #isEven(): boolean {
    const leader = this.#leader();
    if (leader?.node === undefined || leader.node.appliedIndex < this.#highestApplied) return false;
    const members = new Set([...(leader.node.confState?.voters ?? []), ...(leader.node.confState?.learners ?? [])]);
    return [...members].every((id) => this.#nodes.get(id)?.node?.appliedIndex === leader.node?.appliedIndex);
  }

  async #start(id: PeerId, log: SimulatedLog): Promise<void> {
    const self: SimulatedNode = this.#nodes.get(id) ?? { id, node: undefined, log, tasks: [] };
    const tasks: (() => void)[] = [];
    self.log = log;
    self.tasks = tasks;
    this.#nodes.set(id, self);
    const machine = new TextMachine();
    const apply = machine.apply.bind(machine);
    machine.apply = (entries) => {
      apply(entries);
      for (const entry of entries) this.#checkApplied(id, entry);
    };
    const node = new RaftNode({
      id,
      log,
      stateMachine: machine,
      bootstrap: FIRST.includes(id) ? FIRST.map((peer) => ({ id: peer })) : undefined,
      random: this.#random,
      defer: (task) => void tasks.push(task),
      deferNotice: (task) => void tasks.push(task),
      send: (messages) => void this.#network.push(...messages),
      sendSnapshot: (message) => void this.#network.push(message),
      snapshotEntries: 12,
      trailingEntries: 3,
      events: {
        leadership: (isLeader, term) => {
          if (isLeader) this.#checkLeader(id, term);
        },
        fatal: (error) => {
          throw error;
        },
      },
    });
    const starting = node.start();
    while (log.pendingWrites > 0) log.writeOne();
    await starting;
    self.node = node;
  }

  #checkApplied(id: PeerId, entry: Entry): void {
    const text = `${String(entry.term)}:${String(entry.type)}:${Buffer.from(entry.data).toString('latin1')}`;
    const agreed = this.#agreed.get(entry.index) ?? text;
    if (agreed !== text) throw new Error(`node ${id} applied ${text} at ${String(entry.index)}, others ${agreed}`);
    this.#agreed.set(entry.index, agreed);
    this.#highestApplied = Math.max(this.#highestApplied, entry.index);
    if (entry.type !== EntryType.Normal) this.counts.changes++;
  }

  #checkLeader(id: PeerId, term: number): void {
    const known = this.#leaders.get(term) ?? id;
    if (known !== id) throw new Error(`nodes ${known} and ${id} both lead in term ${String(term)}`);
    this.#leaders.set(term, id);
    this.counts.elections++;
  }

  #deliver(): void {
    const message = this.#takeMessage();
    if (message === undefined) return;
    const to = this.#nodes.get(message.to)?.node;
    const from = this.#nodes.get(message.from);
    const isLost = this.#cut.has(message.to) || this.#cut.has(message.from);
    const metadata = message.snapshot?.metadata;
    if (metadata === undefined) {
      if (to !== undefined && !isLost) to.step(message);
      else from?.node?.reportUnreachable(message.to);
      return;
    }
    void this.#carrySnapshot(message, metadata, isLost);
  }

  async #carrySnapshot(message: Message, metadata: SnapshotMetadata, isLost: boolean): Promise<void> {
    const from = this.#nodes.get(message.from);
    const to = this.#nodes.get(message.to);
    try {
      if (isLost || from === undefined || to?.node === undefined) throw new Error('lost');
      const parts: Uint8Array[] = [];
      for await (const part of (await from.log.openSnapshot(metadata)).chunks()) parts.push(part);
      to.log.receive(metadata, Buffer.concat(parts));
      to.node.step(message);
      this.counts.snapshots++;
      from.node?.reportSnapshot(message.to, true);
    } catch {
      from?.node?.reportSnapshot(message.to, false);
    }
  }

  #takeMessage(): Message | undefined {
    const at = Math.floor(this.#random() * Math.min(this.#network.length, 8));
    return this.#network.splice(at, 1)[0];
  }

  #lose(): void {
    const message = this.#takeMessage();
    // A transport may lose a snapshot, but must say so.
    if (message?.snapshot !== undefined) this.#nodes.get(message.from)?.node?.reportSnapshot(message.to, false);
  }

  #duplicate(): void {
    const message = this.#pick(this.#network);
    if (message !== undefined && message.snapshot === undefined) this.#network.push(message);
  }

  #runTask(): void {
    this.#pick([...this.#nodes.values()].filter((each) => each.tasks.length > 0))?.tasks.shift()?.();
  }

  #writeOne(): void {
    this.#pick([...this.#nodes.values()].filter((each) => each.log.pendingWrites > 0))?.log.writeOne();
  }

  #propose(): void {
    this.#leader()?.node?.propose(Buffer.from(`text ${String(++this.#proposed)}`));
  }

  #read(): void {
    const reader = this.#live();
    const least = this.#highestApplied;
    void reader?.node?.readIndex().then(
      (index) => {
        this.counts.reads++;
        if (index < least)
          throw new Error(`node ${reader.id} read at ${String(index)}, but ${String(least)} was applied before`);
      },
      () => undefined,
    );
  }

  /** The moment that matters: something is durable, its answer may be on its way, and the process forgets all about it. */
  async #crashAfterWrite(): Promise<void> {
    const victim = this.#pick([...this.#nodes.values()].filter((each) => each.log.pendingWrites > 0));
    if (victim === undefined) return;
    victim.log.writeOne();
    for (const task of victim.tasks.splice(0)) task();
    await this.#crash(victim);
    await this.#restart(victim.id);
  }

  async #crash(victim = this.#live()): Promise<void> {
    if (victim?.node === undefined) return;
    this.counts.crashes++;
    victim.node.stop();
    victim.node = undefined;
    victim.tasks = [];
    victim.log = await victim.log.afterCrash(Math.floor(this.#random() * 3));
  }

  async #restart(id?: PeerId): Promise<void> {
    const dead =
      id === undefined
        ? this.#pick([...this.#nodes.values()].filter((each) => each.node === undefined))
        : this.#nodes.get(id);
    if (dead !== undefined && !this.#removed.has(dead.id)) await this.#start(dead.id, dead.log);
  }

  async #change(): Promise<void> {
    const leader = this.#leader();
    const confState = leader?.node?.confState;
    if (leader?.node === undefined || confState === undefined) return;
    const absent = LATER.find((id) => !this.#nodes.has(id));
    const learner = this.#pick(confState.learners);
    const voter = this.#pick(confState.voters);
    const changes: [ConfChangeType, PeerId][] = [];
    if (learner !== undefined && this.#random() < 0.7) changes.push([ConfChangeType.AddNode, learner]);
    else if (absent !== undefined && this.#random() < 0.5) {
      changes.push([ConfChangeType.AddLearnerNode, absent]);
      await this.#start(absent, new SimulatedLog());
    }
    if (voter !== undefined && confState.voters.length > 2 && this.#random() < 0.3)
      changes.push([ConfChangeType.RemoveNode, voter]);
    if (changes.length === 0) return;
    const change: ConfChangeV2 = {
      transition: ConfChangeTransition.Auto,
      changes: changes.map(([type, nodeId]) => ({ type, nodeId })),
      context: new Uint8Array(0),
    };
    leader.node.proposeConfChange(change).catch(() => undefined);
  }

  #transfer(): void {
    const leader = this.#leader();
    const to = this.#pick(leader?.node?.confState?.voters ?? []);
    if (leader?.node !== undefined && to !== undefined) leader.node.transferLeadership(to).catch(() => undefined);
  }

  #leader(): SimulatedNode | undefined {
    const leaders = [...this.#nodes.values()].filter(({ node }) => node?.isLeader === true);
    return leaders.sort((a, b) => (b.node?.status()?.hardState.term ?? 0) - (a.node?.status()?.hardState.term ?? 0))[0];
  }

  #live(): SimulatedNode | undefined {
    return this.#pick([...this.#nodes.values()].filter((each) => each.node !== undefined));
  }

  #pick<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.#random() * items.length)];
  }

  async #choose(options: readonly (readonly [number, () => unknown])[]): Promise<void> {
    let left = this.#random() * options.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, run] of options) {
      left -= weight;
      if (left < 0) return void (await run());
    }
  }
}

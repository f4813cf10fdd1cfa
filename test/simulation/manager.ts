/**
 * A simulated manager. Real: raft node, store, control, leader loops with orchestrator, allocator, scheduler and dispatcher. Simulated: what is
 * below them. It can crash at any event and start again with what its disk kept.
 */
import { RaftNode, type ConfigurationChanged, type Message } from 'raft-ts';
import { forwardClock, type Clock } from '../../src/common/clock.ts';
import { countingIds } from '../../src/common/ids.ts';
import { silentLogger } from '../../src/common/log.ts';
import type { Random } from '../../src/common/random.ts';
import type { Member } from '../../src/manager/consensus/member-list.ts';
import { refusalError } from '../../src/manager/consensus/refusals.ts';
import { ReplicatedState } from '../../src/manager/consensus/replicated-state.ts';
import type { ControlService } from '../../src/manager/control/control.ts';
import { localControl } from '../../src/manager/control/local-control.ts';
import { Dispatcher } from '../../src/manager/dispatcher/dispatcher.ts';
import { LeaderLoops } from '../../src/manager/leader-loops.ts';
import { encodeSnapshot } from '../../src/manager/store/snapshot.ts';
import { Store } from '../../src/manager/store/store.ts';
import type { Commit } from '../../src/manager/store/watch.ts';
import { UsageBook } from '../../src/manager/usage/usage-book.ts';
import { WeightedPeer } from '../../src/proto/generated/docker/swarmkit/v1/types.ts';
import type { SimulatedLog } from './disk.ts';
import { lead, leaderLoops } from './leader.ts';
import type { Network } from './network.ts';
import { contextOf, Seat } from './seat.ts';
import type { Timeline } from './timeline.ts';

const TICK_MS = 100;
/** How long followers may not know how far the log is committed. */
const NOTICE_MS = 10;
const SNAPSHOT_ENTRIES = 80;
const TRAILING_ENTRIES = 10;

export interface Surroundings {
  readonly timeline: Timeline;
  readonly network: Network;
  readonly random: Random;
  /** Founders of the group; a manager that joins one knows none. */
  readonly founders: readonly string[];
  readonly manager: (id: string) => SimulatedManager | undefined;
  readonly onCommit: (life: string, commit: Commit) => void;
  readonly onLeadership: (id: string, term: number) => void;
  readonly onConfiguration: (id: string, changed: ConfigurationChanged) => void;
}

/** One life of a manager's process. */
interface Process {
  readonly store: Store;
  readonly node: RaftNode;
  readonly seat: Seat;
  readonly dispatcher: Dispatcher;
  readonly control: ControlService;
  readonly loops: LeaderLoops;
  readonly end: AbortController;
}

export class SimulatedManager {
  readonly id: string;
  readonly #around: Surroundings;
  #log: SimulatedLog;
  #process: Process | undefined;
  #lives = 0;
  /** It was taken out of the group, and has noticed. */
  isRemoved = false;

  constructor(id: string, log: SimulatedLog, around: Surroundings) {
    this.id = id;
    this.#log = log;
    this.#around = around;
  }

  get nodeId(): string {
    return nodeIdOf(this.id);
  }

  get address(): string {
    return addressOf(this.id);
  }

  /** The group as this manager sees it. */
  get members(): readonly Member[] {
    return this.#running().seat.members.all();
  }

  /** As the leader: takes a manager into the group. */
  admit(member: Member): Promise<void> {
    return this.#running().seat.admit(member);
  }

  get isUp(): boolean {
    return this.#process !== undefined;
  }

  get isLeader(): boolean {
    return this.#process?.node.isLeader ?? false;
  }

  /** Whether it does what only the leader may do. */
  get runsLoops(): boolean {
    return this.#process?.loops.isRunning ?? false;
  }

  get term(): number {
    return this.#process?.node.status()?.hardState.term ?? 0;
  }

  /** Aborts when the process ends. */
  get signal(): AbortSignal {
    return this.#running().end.signal;
  }

  get store(): Store {
    return this.#running().store;
  }

  get control(): ControlService {
    return this.#running().control;
  }

  get dispatcher(): Dispatcher {
    return this.#running().dispatcher;
  }

  get node(): RaftNode {
    return this.#running().node;
  }

  /** Every byte of the state, in the order of a snapshot. */
  stateText(): string {
    const pieces = encodeSnapshot(this.store.capture(), this.#running().seat.members.toSnapshot());
    return Buffer.concat([...pieces]).toString('latin1');
  }

  async start(): Promise<void> {
    const { timeline, random, founders, onCommit } = this.#around;
    const life = `${this.id}-${++this.#lives}`;
    const end = new AbortController();
    // Each manager has its own view of the time.
    const clock = forwardClock(timeline);
    const newId = countingIds(`${life}-`);
    let requests = 0;
    const store: Store = new Store({
      clock,
      newRequestId: () => String((Number(this.id) * 1000 + this.#lives) * 1_000_000 + ++requests),
      proposer: {
        propose: (data) => {
          if (end.signal.aborted) throw refusalError('stopped');
          const result = node.propose(data);
          if (result.ok) return result.index;
          throw refusalError(result.reason);
        },
      },
    });
    // A snapshot is no new commit: others have told already what is in it.
    const restored = new Set<number>();
    const seat = new Seat(this.id, clock, () => node);
    const state = new ReplicatedState(store, seat.members, {
      restored: () => void restored.add(store.version),
      changed: () => seat.changed(),
    });
    const readBarrier = async (): Promise<void> => {
      const index = await node.readIndex().catch((error: unknown) => {
        throw refusalError(error);
      });
      await state.applied(index);
    };
    const dispatcher = this.#dispatcher(store, clock, newId, readBarrier, seat);
    const loops = new LeaderLoops({
      clock,
      random,
      log: silentLogger,
      create: () => leaderLoops({ store, group: seat.group, clock, random, newId, dispatcher }),
    });
    const node: RaftNode = new RaftNode({
      id: this.id,
      log: this.#log,
      stateMachine: state,
      bootstrap: founders.length === 0 ? undefined : founders.map((id) => ({ id, context: contextOf(memberOf(id)) })),
      random,
      defer: (task) => void timeline.setTimer(0, task),
      deferNotice: (task) => void timeline.setTimer(NOTICE_MS, task),
      send: (messages) => this.#send(messages),
      sendSnapshot: (message) => this.#sendSnapshot(message, this.#log),
      snapshotEntries: SNAPSHOT_ENTRIES,
      trailingEntries: TRAILING_ENTRIES,
      events: {
        leadership: (isLeader, term) => {
          if (!isLeader) store.abandonProposals();
          if (end.signal.aborted) return;
          if (isLeader) {
            this.#around.onLeadership(this.id, term);
            void lead(store, loops, () => node.isLeader && !end.signal.aborted, newId);
          } else void loops.stop();
        },
        configuration: (changed) => {
          seat.onConfiguration(changed);
          if (!end.signal.aborted) this.#around.onConfiguration(this.id, changed);
        },
        memberRemoved: (id) => {
          if (id === this.id) this.removed();
        },
        fatal: (error) => {
          throw error;
        },
      },
    });
    const control = localControl({
      store,
      clock,
      newId,
      members: {
        has: (nodeId) => seat.members.byNode(nodeId) !== undefined,
        canRemove: (nodeId) => seat.canRemoveNode(nodeId),
      },
      newJoinToken: () => 'token',
      newUnlockKey: () => Buffer.alloc(32, 7),
    });
    this.#process = { store, node, seat, dispatcher, control, loops, end };
    const watch = store.watch({ signal: end.signal });
    void (async () => {
      for await (const commits of watch)
        for (const commit of commits) if (!restored.has(commit.version)) onCommit(life, commit);
    })();
    await node.start();
    const tick = (): void => {
      if (end.signal.aborted) return;
      node.tick();
      seat.tick();
      timeline.setTimer(TICK_MS, tick);
    };
    timeline.setTimer(TICK_MS * random(), tick);
  }

  /** The process is gone at once; its disk keeps what it keeps. */
  async crash(): Promise<void> {
    const process = this.#process;
    if (process === undefined) return;
    this.#process = undefined;
    process.end.abort();
    process.node.stop();
    void process.loops.stop();
    process.store.abandonProposals();
    this.#log = await this.#log.afterCrash();
  }

  /** It is no longer part of the group, and ends. */
  removed(): void {
    if (this.isRemoved) return;
    this.isRemoved = true;
    this.#around.timeline.setTimer(0, () => void this.crash());
  }

  /** A message of another manager arrives. */
  receive(message: Message): boolean {
    const process = this.#process;
    if (process === undefined) return false;
    if (process.seat.members.isRemoved(message.from)) {
      // A member that was away while it was taken out learns of it this way.
      this.#around.manager(message.from)?.removed();
      return true;
    }
    process.seat.heard(message.from);
    process.node.step(message);
    return true;
  }

  receiveSnapshot(message: Message, content: Uint8Array): boolean {
    const metadata = message.snapshot?.metadata;
    if (this.#process === undefined || metadata === undefined) return false;
    this.#log.receive(metadata, content);
    return this.receive(message);
  }

  #running(): Process {
    if (this.#process === undefined) throw new Error(`manager ${this.id} is down`);
    return this.#process;
  }

  #send(messages: readonly Message[]): void {
    const { network, manager } = this.#around;
    for (const message of messages) {
      const lost = (): void => this.#process?.node.reportUnreachable(message.to);
      network.carry(this.id, message.to, () => void (manager(message.to)?.receive(message) || lost()), lost);
    }
  }

  #sendSnapshot(message: Message, log: SimulatedLog): void {
    const { network, manager } = this.#around;
    const report = (isDelivered: boolean): void => this.#process?.node.reportSnapshot(message.to, isDelivered);
    const metadata = message.snapshot?.metadata;
    if (metadata === undefined) return report(false);
    void (async () => {
      const parts: Uint8Array[] = [];
      for await (const part of (await log.openSnapshot(metadata)).chunks()) parts.push(part);
      const content = Buffer.concat(parts);
      network.carry(
        this.id,
        message.to,
        () => report(manager(message.to)?.receiveSnapshot(message, content) ?? false),
        () => report(false),
      );
    })().catch(() => report(false));
  }

  #dispatcher(
    store: Store,
    clock: Clock,
    newId: () => string,
    confirmLeadership: () => Promise<void>,
    seat: Seat,
  ): Dispatcher {
    const { random } = this.#around;
    const place = ({ nodeId, address }: Member): WeightedPeer =>
      WeightedPeer.fromPartial({ peer: { nodeId, addr: address }, weight: 10 });
    return new Dispatcher({
      store,
      clock,
      random,
      newId,
      log: silentLogger,
      nodeId: this.nodeId,
      managers: {
        current: () => seat.members.all().map(place),
        onChange: (listener) => seat.onChange(listener),
      },
      usage: new UsageBook({ store, clock, leader: () => undefined }),
      confirmLeadership,
      leader: () => {
        const id = this.#process?.node.leader ?? '0';
        return id === '0' ? undefined : { nodeId: nodeIdOf(id), address: addressOf(id) };
      },
    });
  }
}

const nodeIdOf = (id: string): string => `manager${id}`;
export const isManagerNode = (nodeId: string): boolean => nodeId.startsWith('manager');
const addressOf = (id: string): string => `192.0.2.${id}:2377`;
const memberOf = (id: string): Member => ({ raftId: id, nodeId: nodeIdOf(id), address: addressOf(id) });

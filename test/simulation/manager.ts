/**
 * A simulated manager. Real: raft node, store, control, leader loops with orchestrator, allocator, scheduler and dispatcher. Simulated: what is
 * below them. It can crash at any event and start again with what its disk kept.
 */
import { RaftNode, type Message } from 'raft-ts';
import { forwardClock, type Clock } from '../../src/common/clock.ts';
import { countingIds } from '../../src/common/ids.ts';
import { silentLogger } from '../../src/common/log.ts';
import type { Random } from '../../src/common/random.ts';
import { Allocator } from '../../src/manager/allocator/allocator.ts';
import { MemberList } from '../../src/manager/consensus/member-list.ts';
import { refusalError } from '../../src/manager/consensus/refusals.ts';
import { ReplicatedState } from '../../src/manager/consensus/replicated-state.ts';
import { ingressNetwork } from '../../src/manager/control/bootstrap.ts';
import type { ControlService } from '../../src/manager/control/control.ts';
import { localControl } from '../../src/manager/control/local-control.ts';
import { Dispatcher } from '../../src/manager/dispatcher/dispatcher.ts';
import { LeaderLoops, type LeaderLoop } from '../../src/manager/leader-loops.ts';
import { ConstraintEnforcer } from '../../src/manager/orchestrator/constraint-enforcer.ts';
import { Orchestrator } from '../../src/manager/orchestrator/orchestrator.ts';
import { TaskReaper } from '../../src/manager/orchestrator/task-reaper.ts';
import { Scheduler } from '../../src/manager/scheduler/scheduler.ts';
import { encodeSnapshot } from '../../src/manager/store/snapshot.ts';
import { Store } from '../../src/manager/store/store.ts';
import type { Commit } from '../../src/manager/store/watch.ts';
import { UsageBook } from '../../src/manager/usage/usage-book.ts';
import { WeightedPeer } from '../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aCluster } from '../support/local-control.ts';
import type { SimulatedLog } from './disk.ts';
import type { Network } from './network.ts';
import type { Timeline } from './timeline.ts';

const TICK_MS = 100;
const SNAPSHOT_ENTRIES = 80;
const TRAILING_ENTRIES = 10;

export interface Surroundings {
  readonly timeline: Timeline;
  readonly network: Network;
  readonly random: Random;
  readonly peers: readonly string[];
  readonly manager: (id: string) => SimulatedManager | undefined;
  readonly onCommit: (life: string, commit: Commit) => void;
  readonly onLeadership: (id: string, term: number) => void;
}

/** One life of a manager's process. */
interface Process {
  readonly store: Store;
  readonly node: RaftNode;
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

  constructor(id: string, log: SimulatedLog, around: Surroundings) {
    this.id = id;
    this.#log = log;
    this.#around = around;
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
    const pieces = encodeSnapshot(this.store.capture(), new MemberList().toSnapshot());
    return Buffer.concat([...pieces]).toString('latin1');
  }

  async start(): Promise<void> {
    const { timeline, random, peers, onCommit } = this.#around;
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
    const state = new ReplicatedState(store, new MemberList(), {
      restored: () => void restored.add(store.version),
      changed: () => undefined,
    });
    const readBarrier = async (): Promise<void> => {
      const index = await node.readIndex().catch((error: unknown) => {
        throw refusalError(error);
      });
      await state.applied(index);
    };
    const dispatcher = this.#dispatcher(store, clock, newId, readBarrier);
    const loops = new LeaderLoops({
      clock,
      random,
      log: silentLogger,
      create: () => leaderLoops(store, clock, random, newId, dispatcher),
    });
    const node: RaftNode = new RaftNode({
      id: this.id,
      log: this.#log,
      stateMachine: state,
      bootstrap: peers.map((id) => ({ id })),
      random,
      defer: (task) => void timeline.setTimer(0, task),
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
        fatal: (error) => {
          throw error;
        },
      },
    });
    const control = localControl({
      store,
      clock,
      newId,
      members: { has: () => false, canRemove: () => true },
      newJoinToken: () => 'token',
      newUnlockKey: () => Buffer.alloc(32, 7),
    });
    this.#process = { store, node, dispatcher, control, loops, end };
    const watch = store.watch({ signal: end.signal });
    void (async () => {
      for await (const commits of watch)
        for (const commit of commits) if (!restored.has(commit.version)) onCommit(life, commit);
    })();
    await node.start();
    const tick = (): void => {
      if (end.signal.aborted) return;
      node.tick();
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

  /** A message of another manager arrives. */
  receive(message: Message): boolean {
    this.#process?.node.step(message);
    return this.#process !== undefined;
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

  #dispatcher(store: Store, clock: Clock, newId: () => string, confirmLeadership: () => Promise<void>): Dispatcher {
    const { random, peers } = this.#around;
    const place = (id: string): WeightedPeer =>
      WeightedPeer.fromPartial({ peer: { nodeId: `manager${id}`, addr: `192.0.2.${id}:2377` }, weight: 10 });
    return new Dispatcher({
      store,
      clock,
      random,
      newId,
      log: silentLogger,
      nodeId: `manager${this.id}`,
      managers: { current: () => peers.map(place), onChange: () => () => undefined },
      usage: new UsageBook({ store, clock, leader: () => undefined }),
      confirmLeadership,
      leader: () => {
        const id = this.#process?.node.leader ?? '0';
        return id === '0' ? undefined : { nodeId: `manager${id}`, address: `192.0.2.${id}:2377` };
      },
    });
  }
}

/** What a manager does when it has become leader and its store holds everything of earlier terms. */
async function lead(store: Store, loops: LeaderLoops, isLeader: () => boolean, newId: () => string): Promise<void> {
  try {
    if (store.read.cluster.size === 0) {
      await store.update((tx) => {
        tx.cluster.create(aCluster());
        tx.network.create(ingressNetwork(newId));
      });
    }
  } catch {
    // Leadership is lost already; whoever leads next does it.
    return;
  }
  if (isLeader()) loops.start();
}

function leaderLoops(
  store: Store,
  clock: Clock,
  random: Random,
  newId: () => string,
  dispatcher: Dispatcher,
): readonly LeaderLoop[] {
  const log = silentLogger;
  const options = { store, clock, random, newId, log };
  const loops = {
    orchestrator: new Orchestrator(options),
    reaper: new TaskReaper(options),
    enforcer: new ConstraintEnforcer(options),
    allocator: new Allocator(options),
    scheduler: new Scheduler(options),
    dispatcher,
  };
  return Object.entries(loops).map(([name, loop]) => ({ name, run: (signal) => loop.run(signal) }));
}

/** One life of a simulated manager: the rooms of `manager-rooms.ts` and its place in the group, on simulated ground. */
import type { ServiceDefinition } from '@grpc/grpc-js';
import { RaftNode, type Message } from 'raft-ts';
import { forwardClock, sleep, type Clock } from '../../src/common/clock.ts';
import { SwarmError } from '../../src/common/errors.ts';
import { countingIds } from '../../src/common/ids.ts';
import { silentLogger } from '../../src/common/log.ts';
import { CertificateAuthority } from '../../src/manager/ca/certificate-authority.ts';
import type { Member } from '../../src/manager/consensus/member-list.ts';
import { refusalError } from '../../src/manager/consensus/refusals.ts';
import { ReplicatedState } from '../../src/manager/consensus/replicated-state.ts';
import type { ControlService } from '../../src/manager/control/control.ts';
import { localControl } from '../../src/manager/control/local-control.ts';
import { Dispatcher } from '../../src/manager/dispatcher/dispatcher.ts';
import { LeaderLoops } from '../../src/manager/leader-loops.ts';
import { healthMethods, membershipMethods } from '../../src/manager/members/membership-service.ts';
import { Store } from '../../src/manager/store/store.ts';
import { UsageBook } from '../../src/manager/usage/usage-book.ts';
import { CAService, NodeCAService, type NodeCAClient } from '../../src/proto/generated/docker/swarmkit/v1/ca.ts';
import { HealthService, type HealthClient } from '../../src/proto/generated/docker/swarmkit/v1/health.ts';
import { RaftMembershipService, type RaftMembershipClient } from '../../src/proto/generated/docker/swarmkit/v1/raft.ts';
import { WeightedPeer } from '../../src/proto/generated/docker/swarmkit/v1/types.ts';
import type { Party } from './calls.ts';
import type { SimulatedLog } from './disk.ts';
import { lead, leaderLoops, type Foundation } from './leader.ts';
import type { SimulatedManager, Surroundings } from './manager.ts';
import { contextOf, Seat } from './seat.ts';
import { noAuthorities } from './no-authorities.ts';

const TICK_MS = 100;
/** How long followers may not know how far the log is committed. */
const NOTICE_MS = 10;
const SNAPSHOT_ENTRIES = 80;
const TRAILING_ENTRIES = 10;
const MANAGER_WEIGHT = 10;

export interface ProcessOptions {
  readonly around: Surroundings;
  readonly party: Party;
  /** Its place in the group. */
  readonly member: Member;
  readonly log: SimulatedLog;
  /** What the group begins with, if this manager founds it. */
  readonly foundation: Foundation | undefined;
  /** Whom a manager that joins was told of. */
  readonly knownMembers: readonly Member[];
  /** Aborts when the process ends. */
  readonly signal: AbortSignal;
  /** Names this life; no other has the same. */
  readonly life: string;
  readonly lifeNumber: number;
  readonly send: (messages: readonly Message[]) => void;
  readonly sendSnapshot: (message: Message) => void;
  readonly removed: () => void;
}

export class ManagerProcess {
  readonly store: Store;
  readonly node: RaftNode;
  readonly seat: Seat;
  readonly dispatcher: Dispatcher;
  readonly control: ControlService;
  readonly loops: LeaderLoops;
  readonly #options: ProcessOptions;
  readonly #state: ReplicatedState;
  readonly #services: ReadonlyMap<ServiceDefinition, unknown>;
  /** A snapshot is no new commit: others have told already what is in it. */
  readonly #restored = new Set<number>();

  constructor(options: ProcessOptions) {
    this.#options = options;
    const { around, member } = options;
    const { timeline, random, pki } = around;
    // Each manager has its own view of the time.
    const clock = forwardClock(timeline);
    const newId = countingIds(`${options.life}-`);
    this.store = this.#store(clock);
    this.seat = new Seat(member.raftId, clock, () => this.node);
    for (const known of options.knownMembers) this.seat.members.put(known);
    const { store, seat } = this;
    const events = {
      restored: () => void this.#restored.add(store.version),
      changed: () => seat.changed(),
    };
    this.#state = new ReplicatedState(store, seat.members, events, () => sleep(clock, 0));
    this.dispatcher = this.#dispatcher(clock, newId);
    this.loops = new LeaderLoops({
      clock,
      random,
      log: silentLogger,
      create: () => leaderLoops({ store, group: seat.group, clock, random, newId, pki, dispatcher: this.dispatcher }),
    });
    this.node = this.#raftNode(newId);
    this.control = localControl({
      store,
      clock,
      newId,
      members: {
        has: (nodeId) => seat.members.byNode(nodeId) !== undefined,
        canRemove: (nodeId) => seat.canRemoveNode(nodeId),
      },
      newJoinToken: (rootBundle) => pki.newJoinToken(rootBundle),
      newUnlockKey: () => Buffer.alloc(32, 7),
      reachAuthorities: () => Promise.resolve(),
    });
    this.#services = this.#serve(clock, newId);
  }

  /** Tells what is committed, starts the node and lets its time pass. */
  async start(): Promise<void> {
    const { around, life, signal } = this.#options;
    const { timeline, random, onCommit } = around;
    const watch = this.store.watch({ signal });
    void (async () => {
      for await (const commits of watch)
        for (const commit of commits) if (!this.#restored.has(commit.version)) onCommit(life, commit);
    })();
    await this.node.start();
    const tick = (): void => {
      if (signal.aborted) return;
      this.node.tick();
      this.seat.tick();
      timeline.setTimer(TICK_MS, tick);
    };
    timeline.setTimer(TICK_MS * random(), tick);
  }

  methodsOf(definition: ServiceDefinition): unknown {
    return this.#services.get(definition);
  }

  /** It is gone at once. */
  end(): void {
    this.node.stop();
    void this.loops.stop();
    this.store.abandonProposals();
  }

  /** The manager that leads, as far as this one knows. */
  get #leader(): SimulatedManager | undefined {
    return this.#options.around.manager(this.node.leader);
  }

  #store(clock: Clock): Store {
    const { party, lifeNumber, signal } = this.#options;
    const number = Number(party.name.split(' ')[1]);
    let requests = 0;
    return new Store({
      clock,
      newRequestId: () => String((number * 1000 + lifeNumber) * 1_000_000 + ++requests),
      proposer: {
        propose: (data) => {
          if (signal.aborted) throw refusalError('stopped');
          const result = this.node.propose(data);
          if (result.ok) return result.index;
          throw refusalError(result.reason);
        },
      },
      pause: () => sleep(clock, 0),
    });
  }

  #raftNode(newId: () => string): RaftNode {
    const { around, member, log, foundation, signal, send, sendSnapshot, removed } = this.#options;
    const { timeline, random } = around;
    const { store, seat, loops } = this;
    return new RaftNode({
      id: member.raftId,
      log,
      stateMachine: this.#state,
      bootstrap: foundation && [{ id: member.raftId, context: contextOf(member) }],
      random,
      defer: (task) => void timeline.setTimer(0, task),
      deferNotice: (task) => void timeline.setTimer(NOTICE_MS, task),
      send,
      sendSnapshot,
      snapshotEntries: SNAPSHOT_ENTRIES,
      trailingEntries: TRAILING_ENTRIES,
      events: {
        leadership: (isLeader, term) => {
          if (!isLeader) store.abandonProposals();
          if (signal.aborted) return;
          if (isLeader) {
            around.onLeadership(member.raftId, term);
            void lead({ store, loops, foundation, newId, isLeader: () => this.node.isLeader && !signal.aborted });
          } else void loops.stop();
        },
        configuration: (changed) => {
          seat.onConfiguration(changed);
          if (!signal.aborted) around.onConfiguration(member.raftId, changed);
        },
        memberRemoved: (raftId) => {
          if (raftId === member.raftId && !signal.aborted) removed();
        },
        fatal: (error) => {
          throw error;
        },
      },
    });
  }

  #dispatcher(clock: Clock, newId: () => string): Dispatcher {
    const { around, member } = this.#options;
    const { store, seat } = this;
    const place = ({ nodeId, address }: Member): WeightedPeer =>
      WeightedPeer.fromPartial({ peer: { nodeId, addr: address }, weight: MANAGER_WEIGHT });
    return new Dispatcher({
      store,
      clock,
      random: around.random,
      newId,
      log: silentLogger,
      nodeId: member.nodeId,
      managers: {
        current: () => seat.members.all().map(place),
        onChange: (listener) => seat.onChange(listener),
      },
      usage: new UsageBook({ store, clock, leader: () => undefined }),
      confirmLeadership: () => this.#readBarrier(),
      leader: () => this.#leader?.member,
    });
  }

  #serve(clock: Clock, newId: () => string): ReadonlyMap<ServiceDefinition, unknown> {
    const { around, party } = this.#options;
    const { store, seat, node } = this;
    const client = <Client>(definition: ServiceDefinition): Client => {
      if (this.#leader === undefined) throw new SwarmError('unavailable', 'there is no leader');
      return around.calls.client<Client>(party, () => this.#leader, definition);
    };
    const authority = new CertificateAuthority({
      store,
      clock,
      newId,
      pki: around.pki,
      leader: () => (node.isLeader ? undefined : client<NodeCAClient>(NodeCAService)),
      external: noAuthorities,
    });
    const membership = membershipMethods({
      members: () => seat.members,
      isLeader: () => node.isLeader,
      leader: () => client<RaftMembershipClient>(RaftMembershipService),
      health: (address) => around.calls.client<HealthClient>(party, () => around.managerAt(address), HealthService),
      voters: () => seat.voters,
      isReachable: (raftId) => seat.isReachable(raftId),
      desiredRole: (nodeId) => store.read.node.get(nodeId)?.spec?.desiredRole,
      admit: (member) => seat.admit(member),
      remove: (raftId) => seat.remove(raftId),
      expel: () => Promise.reject(new Error('there are no engines')),
      randomBytes: (count) => Uint8Array.from({ length: count }, () => Math.floor(256 * around.random())),
      log: silentLogger,
    });
    return new Map<ServiceDefinition, unknown>([
      [CAService, authority.caMethods],
      [NodeCAService, authority.nodeCaMethods],
      [RaftMembershipService, membership],
      [HealthService, healthMethods(() => true)],
    ]);
  }

  async #readBarrier(): Promise<void> {
    const index = await this.node.readIndex().catch((error: unknown) => {
      throw refusalError(error);
    });
    await this.#state.applied(index);
  }
}

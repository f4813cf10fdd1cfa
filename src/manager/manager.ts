/**
 * A manager: what runs on every one (log, store, RPC services) and what only the leader runs (the loops). The one place
 * where the rooms of the manager are put together.
 */
import { Server } from '@grpc/grpc-js';
import { randomBytes } from 'node:crypto';
import type { Registry } from 'prom-client';
import { forwardClock, type Clock } from '../common/clock.ts';
import { SwarmError } from '../common/errors.ts';
import { newId } from '../common/ids.ts';
import { drawRandomBytes } from '../common/random-bytes.ts';
import type { Logger } from '../common/log.ts';
import type { Random } from '../common/random.ts';
import { addService, type RpcServerOptions } from '../common/rpc.ts';
import { newJoinToken } from '../identity/join-token.ts';
import type { NodeIdentity } from '../identity/node-identity.ts';
import { TlsListener } from '../identity/tls-listener.ts';
import { CAService, NodeCAClient, NodeCAService } from '../proto/generated/docker/swarmkit/v1/ca.ts';
import { ControlClient, ControlService as ControlDefinition } from '../proto/generated/docker/swarmkit/v1/control.ts';
import { DispatcherService } from '../proto/generated/docker/swarmkit/v1/dispatcher.ts';
import { HealthClient, HealthService } from '../proto/generated/docker/swarmkit/v1/health.ts';
import {
  LogBrokerService,
  LogsClient,
  LogsService,
  type SubscribeLogsMessage,
  type SubscribeLogsRequest,
} from '../proto/generated/docker/swarmkit/v1/logbroker.ts';
import type { Cluster, Node } from '../proto/generated/docker/swarmkit/v1/objects.ts';
import {
  RaftMembershipClient,
  RaftMembershipService,
  RaftService,
} from '../proto/generated/docker/swarmkit/v1/raft.ts';
import type { WeightedPeer } from '../proto/generated/docker/swarmkit/v1/types.ts';
import { Allocator } from './allocator/allocator.ts';
import { CertificateAuthority } from './ca/certificate-authority.ts';
import { RootRotation } from './ca/root-rotation.ts';
import { Consensus } from './consensus/consensus.ts';
import { loadLogKeys } from './consensus/log-keys.ts';
import type { Member } from './consensus/member-list.ts';
import { raftMethods } from './consensus/raft-service.ts';
import type { ControlService } from './control/control.ts';
import { predefinedNetworks } from './control/bootstrap.ts';
import { controlMethods } from './control/control-methods.ts';
import { forwardingControl } from './control/forwarding-control.ts';
import { localControl } from './control/local-control.ts';
import { Dispatcher } from './dispatcher/dispatcher.ts';
import type { DispatcherSettings } from './dispatcher/settings.ts';
import { LeaderLoops, type LeaderLoop } from './leader-loops.ts';
import { LogBroker } from './logs/log-broker.ts';
import { canRemove, type Group } from './members/group.ts';
import { ManagerStatusWriter } from './members/manager-status.ts';
import { leaveThrough, requestAdmission } from './members/admission.ts';
import { healthMethods, membershipMethods } from './members/membership-service.ts';
import { RoleReconciler } from './members/role-reconciler.ts';
import { NO_LEADER_TEXT } from '../common/no-leader.ts';
import { ConstraintEnforcer } from './orchestrator/constraint-enforcer.ts';
import { Orchestrator } from './orchestrator/orchestrator.ts';
import { TaskReaper } from './orchestrator/task-reaper.ts';
import { ManagerChannels, type ClientConstructor } from './rpc/manager-channels.ts';
import { Scheduler } from './scheduler/scheduler.ts';
import { Store } from './store/store.ts';

/** How a manager comes into its group. */
export type Entry =
  /** Founds a cluster of one with these first objects. */
  | { readonly kind: 'found'; readonly raftId: string; readonly cluster: Cluster; readonly node: Node }
  /** Is a member already; its log knows the rest. */
  | {
      readonly kind: 'resume';
      readonly raftId: string;
      /** Go on without all other managers, which are gone for good. */
      readonly alone?: boolean;
    }
  /** Asks the managers at these addresses to be admitted. */
  | { readonly kind: 'join'; readonly managers: readonly string[] };

export interface ManagerOptions {
  readonly identity: NodeIdentity;
  readonly raftDirectory: string;
  readonly keysFile: string;
  readonly listen: { readonly host: string; readonly port: number };
  /** Host at which others reach this manager, and port where it differs from the one listened on. */
  readonly advertise: { readonly host: string; readonly port?: number | undefined };
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly raft: { readonly tickMs: number; readonly electionTicks: number; readonly heartbeatTicks: number };
  readonly dispatcherSettings?: Partial<DispatcherSettings>;
  readonly metrics?: Registry;
  readonly onRemoved: () => void;
  readonly onFatal: (error: Error) => void;
}

/** All managers have this weight in the lists agents choose from. */
const MANAGER_WEIGHT = 10;

export class Manager {
  readonly store: Store;
  /** Every call people and tools can make, on any manager. */
  readonly control: ControlService;
  readonly #options: ManagerOptions;
  /** Reckons everything that is stored; certificates and Raft go by the system's clock. */
  readonly #clock: Clock;
  readonly #grpc = new Server({
    'grpc.max_receive_message_length': 64 * 1024 * 1024,
    'grpc.max_send_message_length': -1,
  });
  readonly #listener: TlsListener;
  readonly #channels: ManagerChannels;
  readonly #loops: LeaderLoops;
  readonly #dispatcher: Dispatcher;
  readonly #logBroker: LogBroker;
  readonly #changeListeners = new Set<() => void>();
  #consensus: Consensus | undefined;
  #foundation: Extract<Entry, { readonly kind: 'found' }> | undefined;
  #address = '';

  private constructor(options: ManagerOptions) {
    const { identity, random, log } = options;
    const clock = forwardClock(options.clock);
    this.#options = options;
    this.#clock = clock;
    this.store = new Store({
      clock,
      newRequestId,
      proposer: { propose: (data) => this.#group().propose(data) },
    });
    this.#listener = new TlsListener({ identity, grpc: this.#grpc, isRemoved: (nodeId) => this.#isRemoved(nodeId) });
    this.#channels = new ManagerChannels(identity);
    const local = localControl({
      store: this.store,
      clock,
      newId,
      members: {
        has: (nodeId) => this.#consensus?.members.byNode(nodeId) !== undefined,
        canRemove: (nodeId) => this.#canRemove(nodeId),
      },
      newJoinToken,
      newUnlockKey: () => randomBytes(32),
    });
    this.control = forwardingControl({
      local,
      leadership: {
        isLeader: () => this.isLeader,
        leaderConnection: () => this.#leaderClientIfAny(ControlClient),
        readBarrier: (signal) => this.readBarrier(signal),
        onChange: (listener) => this.onChange(listener),
      },
      clock,
      random,
      newId,
    });
    this.#dispatcher = new Dispatcher({
      store: this.store,
      clock,
      random,
      newId,
      log: log.child({ room: 'dispatcher' }),
      nodeId: identity.current.nodeId,
      managers: { current: () => this.#weightedPeers(), onChange: (listener) => this.onChange(listener) },
      confirmLeadership: () => this.readBarrier(),
      leader: () => this.leader,
      ...(options.dispatcherSettings ? { settings: options.dispatcherSettings } : {}),
    });
    this.#logBroker = new LogBroker({
      store: this.store,
      clock,
      newId,
      log: log.child({ room: 'logs' }),
      leader: () => describe(this.leader),
    });
    this.#loops = new LeaderLoops({ clock, random, log, create: () => this.#leaderLoops() });
    this.#addServices(local);
  }

  /**
   * Starts a manager. Resolves when it serves RPCs and takes part in the group; that a leader exists is a matter of {@link ready}.
   * Throws SwarmError when the port is taken, the folder is damaged or another's, or no manager admits it.
   */
  static async start(options: ManagerOptions, entry: Entry): Promise<Manager> {
    const manager = new Manager(options);
    try {
      await manager.#start(entry);
      return manager;
    } catch (error) {
      await manager.stop();
      throw error;
    }
  }

  /** Stops everything; leadership is handed over first where somebody can take it. */
  async stop(): Promise<void> {
    // Others learn of the next leader before this one falls silent.
    if (this.#consensus?.isLeader) await this.#consensus.transferLeadership().catch(() => undefined);
    // Loops may wait for a change that no majority is left to make; the consensus abandons it as it stops.
    const loopsEnded = this.#loops.stop();
    await this.#consensus?.stop({ handOver: false });
    await loopsEnded;
    this.#channels.close();
    await this.#listener.close();
    this.#grpc.forceShutdown();
  }

  /** Resolves when the store shows the cluster: a leader was found and this manager has caught up. */
  async ready(signal: AbortSignal): Promise<void> {
    const [exists, watch] = this.store.readAndWatch(
      (r) => r.cluster.size > 0 && r.node.get(this.nodeId) !== undefined,
      {
        kinds: ['cluster', 'node'],
        signal,
      },
    );
    try {
      for (
        let isReady = exists;
        !isReady;
        isReady = this.store.read.cluster.size > 0 && this.store.read.node.get(this.nodeId) !== undefined
      ) {
        if ((await watch.next()).length === 0) signal.throwIfAborted();
      }
    } finally {
      watch.close();
    }
  }

  get nodeId(): string {
    return this.#options.identity.current.nodeId;
  }

  /** "host:port" at which other nodes reach this manager. */
  get address(): string {
    return this.#address;
  }

  get raftId(): string {
    return this.#group().localId;
  }

  get isLeader(): boolean {
    return this.#consensus?.isLeader ?? false;
  }

  get leader(): Member | undefined {
    return this.#consensus?.leader;
  }

  get members(): readonly Member[] {
    return this.#consensus?.members.all() ?? [];
  }

  get consensus(): Consensus {
    return this.#group();
  }

  get dispatcherLoad(): Dispatcher['load'] {
    return this.#dispatcher.load;
  }

  isReachable(raftId: string): boolean {
    return this.#consensus?.isReachable(raftId) ?? false;
  }

  /** Calls `listener` when the leader, the members or their reachability change; returns how to stop that. */
  onChange(listener: () => void): () => void {
    this.#changeListeners.add(listener);
    return () => void this.#changeListeners.delete(listener);
  }

  /** Resolves when the local store shows every change committed before the call. Throws unavailable without a leader. */
  readBarrier(signal?: AbortSignal): Promise<void> {
    return this.#group().readBarrier(signal);
  }

  /** Log lines of tasks, from wherever they run. */
  async *subscribeLogs(request: SubscribeLogsRequest, signal: AbortSignal): AsyncIterable<SubscribeLogsMessage> {
    if (this.isLeader) {
      yield* this.#logBroker.subscribe(request, signal);
      return;
    }
    const call = this.#leaderClient(LogsClient).subscribeLogs(request);
    const cancel = (): void => call.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      for await (const message of call) yield message as SubscribeLogsMessage;
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      signal.removeEventListener('abort', cancel);
      call.cancel();
    }
  }

  /** Takes this manager out of the group, so that the others need not count on it. Throws failedPrecondition when that would cost them their majority. */
  async leaveGroup(signal: AbortSignal): Promise<void> {
    const consensus = this.#group();
    if (this.members.length <= 1) return;
    if (consensus.isLeader) await consensus.transferLeadership();
    await leaveThrough(
      () => this.#leaderClient(RaftMembershipClient),
      consensus.localId,
      this.nodeId,
      this.#options.clock,
      signal,
    );
  }

  async #start(entry: Entry): Promise<void> {
    const { identity, listen, advertise, raftDirectory, keysFile, clock, random, log, raft } = this.#options;
    const port = await this.#listener.listen(listen.host, listen.port);
    this.#address = `${bracketed(advertise.host)}:${advertise.port ?? port}`;
    let raftId: string;
    let knownMembers: readonly Member[] = [];
    if (entry.kind === 'join') {
      const joined = await requestAdmission(this.#channels, entry.managers, this.#address, clock);
      raftId = joined.raftId;
      knownMembers = joined.members;
    } else raftId = entry.raftId;
    if (entry.kind === 'found') this.#foundation = entry;
    const consensus = await Consensus.open(
      {
        directory: raftDirectory,
        keys: await loadLogKeys(keysFile),
        identity,
        local: { raftId, nodeId: this.nodeId, address: this.#address },
        bootstrap: entry.kind === 'found',
        alone: entry.kind === 'resume' && entry.alone === true,
        knownMembers,
        clock,
        random,
        log: log.child({ room: 'raft' }),
        tickMs: raft.tickMs,
        electionTicks: raft.electionTicks,
        heartbeatTicks: raft.heartbeatTicks,
        events: {
          leadership: (isLeader) => this.#onLeadership(isLeader),
          removed: () => this.#options.onRemoved(),
          fatal: (error) => this.#options.onFatal(error),
        },
      },
      this.store,
    );
    this.#consensus = consensus;
    consensus.onChange(() => {
      for (const listener of this.#changeListeners) listener();
    });
    await consensus.start();
    if (entry.kind === 'resume') void this.#announceAddress();
  }

  #onLeadership(isLeader: boolean): void {
    const { log } = this.#options;
    log.info({ term: this.#consensus?.term }, isLeader ? 'this manager leads' : 'this manager leads no more');
    if (isLeader) void this.#lead();
    else void this.#loops.stop();
  }

  async #lead(): Promise<void> {
    const foundation = this.#foundation;
    try {
      if (foundation && this.store.read.cluster.size === 0) {
        await this.store.update((tx) => {
          tx.cluster.create(foundation.cluster);
          tx.node.create(foundation.node);
          for (const network of predefinedNetworks(newId)) tx.network.create(network);
        });
      }
      this.#foundation = undefined;
    } catch (error) {
      this.#options.log.error({ err: error }, 'the first objects of the cluster could not be stored');
      return;
    }
    if (this.isLeader) this.#loops.start();
  }

  #leaderLoops(): readonly LeaderLoop[] {
    const { store } = this;
    const clock = this.#clock;
    const { clock: systemClock, random } = this.#options;
    const log = (room: string): Logger => this.#options.log.child({ room });
    const group = this.#membershipGroup();
    const named = (name: string, loop: { run(signal: AbortSignal): Promise<void> }): LeaderLoop => ({
      name,
      run: (signal) => loop.run(signal),
    });
    return [
      named('manager status', new ManagerStatusWriter({ store, group, log: log('members') })),
      named('roles', new RoleReconciler({ store, group, clock, log: log('members') })),
      named('root rotation', new RootRotation({ store, clock: systemClock, log: log('ca') })),
      named('orchestrator', new Orchestrator({ store, clock, random, newId, log: log('orchestrator') })),
      named('reaper', new TaskReaper({ store, clock, random, newId, log: log('reaper') })),
      named('constraint enforcer', new ConstraintEnforcer({ store, clock, random, newId, log: log('enforcer') })),
      named('allocator', new Allocator({ store, clock, log: log('allocator') })),
      named('scheduler', new Scheduler({ store, clock, random, log: log('scheduler') })),
      named('dispatcher', this.#dispatcher),
      named('log broker', this.#logBroker),
    ];
  }

  #addServices(local: ControlService): void {
    const { log, clock } = this.#options;
    const options: RpcServerOptions = { identify: this.#listener.identify, log: log.child({ room: 'rpc' }) };
    const authority = new CertificateAuthority({
      store: this.store,
      clock,
      newId,
      leader: () => (this.isLeader ? undefined : this.#leaderClient(NodeCAClient)),
    });
    addService(this.#grpc, CAService, authority.caMethods, options);
    addService(this.#grpc, NodeCAService, authority.nodeCaMethods, options);
    addService(this.#grpc, DispatcherService, this.#dispatcher.methods, options);
    addService(this.#grpc, LogBrokerService, this.#logBroker.methods, options);
    addService(this.#grpc, LogsService, this.#logBroker.logsMethods, options);
    addService(
      this.#grpc,
      ControlDefinition,
      controlMethods({ local, reads: this.control, isLeader: () => this.isLeader }),
      options,
    );
    addService(
      this.#grpc,
      HealthService,
      healthMethods(() => true),
      options,
    );
    addService(
      this.#grpc,
      RaftService,
      raftMethods({
        members: () => this.#group().members,
        step: (message) => this.#group().step(message),
        openSnapshotSink: (message) => this.#group().openSnapshotSink(message),
      }),
      options,
    );
    addService(
      this.#grpc,
      RaftMembershipService,
      membershipMethods({
        members: () => this.#group().members,
        isLeader: () => this.isLeader,
        leader: () => this.#leaderClient(RaftMembershipClient),
        health: (address) => this.#channels.client(address, HealthClient),
        isReachable: (raftId) => this.isReachable(raftId),
        admit: (member) => this.#group().admit(member),
        remove: (raftId) => this.#group().remove(raftId),
        log: log.child({ room: 'members' }),
      }),
      options,
    );
  }

  #membershipGroup(): Group {
    const consensus = this.#group();
    return {
      localId: consensus.localId,
      members: () => consensus.members.all(),
      isReachable: (raftId) => consensus.isReachable(raftId),
      removeMember: async (raftId) => {
        if (!canRemove(consensus.members.all(), raftId, (id) => consensus.isReachable(id))) {
          throw new SwarmError(
            'failedPrecondition',
            'the managers that can be reached would be no majority without it',
          );
        }
        await consensus.remove(raftId);
      },
      transferLeadership: () => consensus.transferLeadership(),
      onChange: (listener) => consensus.onChange(listener),
    };
  }

  /** A manager whose address changed while it was away tells the others. */
  async #announceAddress(): Promise<void> {
    const { clock, log } = this.#options;
    const consensus = this.#group();
    try {
      await this.ready(AbortSignal.timeout(60_000));
      const recorded = consensus.members.byNode(this.nodeId);
      if (!recorded || recorded.address === this.#address) return;
      if (consensus.isLeader)
        await consensus.admit({ raftId: consensus.localId, nodeId: this.nodeId, address: this.#address });
      else {
        const managers = this.members.filter((m) => m.raftId !== consensus.localId).map((m) => m.address);
        await requestAdmission(this.#channels, managers, this.#address, clock, consensus.localId);
      }
      log.info({ address: this.#address }, 'told the other managers the new address');
    } catch (error) {
      log.warn({ err: error }, 'the other managers could not be told the new address');
    }
  }

  #leaderClientIfAny<C>(type: ClientConstructor<C>): C | undefined {
    const leader = this.leader;
    if (!leader || leader.raftId === this.#consensus?.localId) return undefined;
    return this.#channels.client(leader.address, type);
  }

  #leaderClient<C>(type: ClientConstructor<C>): C {
    const client = this.#leaderClientIfAny(type);
    if (!client) throw new SwarmError('unavailable', NO_LEADER_TEXT);
    return client;
  }

  #canRemove(nodeId: string): boolean {
    const consensus = this.#group();
    const member = consensus.members.byNode(nodeId);
    return !member || canRemove(consensus.members.all(), member.raftId, (id) => consensus.isReachable(id));
  }

  #isRemoved(nodeId: string): boolean {
    const cluster = this.store.read.cluster.all()[0];
    return cluster !== undefined && Object.hasOwn(cluster.blacklistedCertificates, nodeId);
  }

  #weightedPeers(): readonly WeightedPeer[] {
    return this.members.map(({ nodeId, address }) => ({ peer: { nodeId, addr: address }, weight: MANAGER_WEIGHT }));
  }

  #group(): Consensus {
    if (!this.#consensus) throw new SwarmError('unavailable', 'this manager is still starting: try again in a moment');
    return this.#consensus;
  }
}

const describe = (member: Member | undefined): string | undefined => member && `${member.nodeId} at ${member.address}`;

const bracketed = (host: string): string => (host.includes(':') && !host.startsWith('[') ? `[${host}]` : host);

/** 63 random bits: unique enough never to meet another request's id. */
const newRequestId = (): string => (drawRandomBytes(8).readBigUInt64BE() >> 1n).toString();

/** A manager's life in its group: entering, leading, leaving; see {@link managerRooms} for what it consists of. */
import { SwarmError } from '../common/errors.ts';
import { newId } from '../common/ids.ts';
import {
  LogsClient,
  type SubscribeLogsMessage,
  type SubscribeLogsRequest,
} from '../proto/generated/docker/swarmkit/v1/logbroker.ts';
import { RaftMembershipClient } from '../proto/generated/docker/swarmkit/v1/raft.ts';
import type { TaskUsage } from '../proto/generated/docker/swarmkit/v1/usage.ts';
import { Consensus } from './consensus/consensus.ts';
import { KeyKeeper } from './consensus/key-keeper.ts';
import type { Member } from './consensus/member-list.ts';
import { ingressNetwork, predefinedNetworks } from './control/bootstrap.ts';
import type { ControlService } from './control/control.ts';
import type { Dispatcher } from './dispatcher/dispatcher.ts';
import { logsFromLeader } from './logs/leader-logs.ts';
import type { Entry, ManagerOptions } from './manager-options.ts';
import { managerRooms, type ManagerRooms } from './manager-rooms.ts';
import { announceAddress } from './members/address-announcement.ts';
import { leaveThrough, requestAdmission } from './members/admission.ts';
import { GossipRelay } from './overlay/gossip-relay.ts';
import type { Store } from './store/store.ts';

/** How long a returning manager waits for a leader before it gives up telling its new address. */
const CATCH_UP_TIMEOUT_MS = 60_000;

export class Manager {
  readonly #options: ManagerOptions;
  readonly #rooms: ManagerRooms;
  readonly #relay: GossipRelay;
  readonly #changeListeners = new Set<() => void>();
  #consensus: Consensus | undefined;
  #foundation: Extract<Entry, { readonly kind: 'found' }> | undefined;
  #address = '';
  readonly #stopping = new AbortController();
  #keyKeeping: Promise<void> = Promise.resolve();

  private constructor(options: ManagerOptions) {
    this.#options = options;
    this.#rooms = managerRooms(options, {
      ifTaken: () => this.#consensus,
      taken: () => this.#group(),
      onChange: (listener) => this.onChange(listener),
    });
    this.#relay = new GossipRelay({
      host: options.advertise.host,
      store: this.#rooms.store,
      log: options.log.child({ room: 'overlay' }),
    });
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
    this.#stopping.abort();
    await this.#relay.stop();
    // Others learn of the next leader before this one falls silent.
    if (this.#consensus?.isLeader) await this.#consensus.transferLeadership().catch(() => undefined);
    // Loops may wait for a change that no majority is left to make; the consensus abandons it as it stops.
    const loopsEnded = this.#rooms.loops.stop();
    await this.#consensus?.stop();
    await loopsEnded;
    await this.#keyKeeping;
    this.#rooms.channels.close();
    await this.#rooms.listener.close();
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

  get store(): Store {
    return this.#rooms.store;
  }

  /** Every call people and tools can make, on any manager. */
  get control(): ControlService {
    return this.#rooms.control;
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
    return this.#rooms.leader.isSelf;
  }

  get leader(): Member | undefined {
    return this.#rooms.leader.member;
  }

  get members(): readonly Member[] {
    return this.#consensus?.members.all() ?? [];
  }

  get consensus(): Consensus {
    return this.#group();
  }

  get dispatcherLoad(): Dispatcher['load'] {
    return this.#rooms.dispatcher.load;
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
    if (this.isLeader) yield* this.#rooms.logBroker.subscribe(request, signal);
    else yield* logsFromLeader(this.#rooms.leader.client(LogsClient), request, signal);
  }

  /** What tasks use of their nodes now, as far as their agents tell. Throws unavailable while there is no leader. */
  readUsage(signal?: AbortSignal): Promise<readonly TaskUsage[]> {
    return this.#rooms.usage.read(signal);
  }

  /** Takes this manager out of the group, so that the others need not count on it. Throws failedPrecondition when that would cost them their majority. */
  async leaveGroup(signal: AbortSignal): Promise<void> {
    const consensus = this.#group();
    if (this.members.length <= 1) return;
    if (consensus.isLeader) await consensus.transferLeadership();
    await leaveThrough(
      () => this.#rooms.leader.client(RaftMembershipClient),
      consensus.localId,
      this.nodeId,
      this.#options.clock,
      signal,
    );
  }

  async #start(entry: Entry): Promise<void> {
    const { identity, listen, advertise, raftDirectory, keyring, clock, random, log, raft } = this.#options;
    const port = await this.#rooms.listener.listen(listen.host, listen.port);
    this.#address = `${bracketed(advertise.host)}:${advertise.port ?? port}`;
    let raftId: string;
    let knownMembers: readonly Member[] = [];
    if (entry.kind === 'join') {
      const joined = await requestAdmission(this.#rooms.channels, entry.managers, this.#address, clock);
      raftId = joined.raftId;
      knownMembers = joined.members;
    } else raftId = entry.raftId;
    if (entry.kind === 'found') this.#foundation = entry;
    const consensus = await Consensus.open(
      {
        directory: raftDirectory,
        keys: keyring.log,
        identity,
        local: { raftId, nodeId: this.nodeId, address: this.#address },
        bootstrap: entry.kind === 'found',
        isMember: entry.kind === 'resume',
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
    this.#relay.start();
    this.#keyKeeping = this.#keepKeys(consensus);
    if (entry.kind === 'resume') void this.#announceAddress(consensus);
  }

  async #keepKeys(consensus: Consensus): Promise<void> {
    const { identity, keyring, clock, log, onExposedKey } = this.#options;
    const keeper = new KeyKeeper({
      store: this.store,
      keyring,
      identity,
      log: consensus,
      readBarrier: (signal) => consensus.readBarrier(signal),
      onExposedKey,
      clock,
      logger: log.child({ room: 'keys' }),
    });
    await keeper
      .run(this.#stopping.signal)
      .catch((error: unknown) => log.error({ err: error }, 'the keys of this manager are kept no more'));
  }

  #onLeadership(isLeader: boolean): void {
    const { log } = this.#options;
    log.info({ term: this.#consensus?.term }, isLeader ? 'this manager leads' : 'this manager leads no more');
    if (isLeader) void this.#lead();
    else void this.#rooms.loops.stop();
  }

  async #lead(): Promise<void> {
    const foundation = this.#foundation;
    try {
      if (foundation && this.store.read.cluster.size === 0) {
        await this.store.update((tx) => {
          tx.cluster.create(foundation.cluster);
          tx.node.create(foundation.node);
          for (const network of [...predefinedNetworks(newId), ingressNetwork(newId)]) tx.network.create(network);
        });
      }
      this.#foundation = undefined;
    } catch (error) {
      this.#options.log.error({ err: error }, 'the first objects of the cluster could not be stored');
      return;
    }
    if (this.isLeader) this.#rooms.loops.start();
  }

  async #announceAddress(consensus: Consensus): Promise<void> {
    const { clock, log } = this.#options;
    try {
      await this.ready(AbortSignal.timeout(CATCH_UP_TIMEOUT_MS));
    } catch (error) {
      log.warn({ err: error }, 'no leader was found that could be told the address of this manager');
      return;
    }
    await announceAddress({
      consensus,
      channels: this.#rooms.channels,
      nodeId: this.nodeId,
      address: this.#address,
      clock,
      log,
    });
  }

  #group(): Consensus {
    if (!this.#consensus) throw new SwarmError('unavailable', 'this manager is still starting: try again in a moment');
    return this.#consensus;
  }
}

const bracketed = (host: string): string => (host.includes(':') && !host.startsWith('[') ? `[${host}]` : host);

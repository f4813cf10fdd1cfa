/**
 * A node in the eyes of the API: it is in no swarm, or a {@link Member} of one. What moves it in and out (init, join,
 * leave) happens here, one after the other.
 */
import type { Registry } from 'prom-client';
import type {
  AttachContainerRequest,
  ContainerAttachment,
  DetachContainerRequest,
  InitSwarmRequest,
  JoinSwarmRequest,
  LocalNode,
  LocalNodeInfo,
  Swarm,
  SwarmPort,
  SystemInfo,
} from '../api/ports.ts';
import { systemClock, type Clock } from '../common/clock.ts';
import { errorText, SwarmError } from '../common/errors.ts';
import type { Logger } from '../common/log.ts';
import { enrollWithToken } from '../identity/enroll.ts';
import { Keyring } from '../identity/keyring.ts';
import { NodeIdentity } from '../identity/node-identity.ts';
import type { Manager } from '../manager/manager.ts';
import { NodeSpec_Availability } from '../proto/generated/docker/swarmkit/v1/specs.ts';
import { upstreamServers } from '../worker/network/upstream.ts';
import { withDefaultPort } from './addresses.ts';
import type { AgentHalf } from './agent-half.ts';
import { newFoundation } from './founding.ts';
import { isLockedAway, LockedMember } from './locked-member.ts';
import { Member } from './member.ts';
import { DEFAULT_LISTEN_ADDRESS, type DaemonOptions } from './options.ts';
import type { NodeRecord, StateFolder } from './state-folder.ts';
import { systemInfo } from './system-info.ts';

const READY_TIMEOUT_MS = 60_000;
const JOIN_TIMEOUT_MS = 120_000;
const FIRST_SESSION_MS = 3_000;
const FIRST_LEADER_MS = 5_000;

const LOCKED =
  'Swarm is encrypted and needs to be unlocked before it can be used. Please use "docker swarm unlock" to unlock it.';

export interface SwarmNodeOptions {
  readonly folder: StateFolder;
  readonly settings: DaemonOptions;
  readonly log: Logger;
  readonly metrics: Registry;
  readonly clock?: Clock;
  /** The daemon must end. */
  readonly onFatal: (error: Error) => void;
}

export class SwarmNode implements LocalNode, SwarmPort {
  readonly #folder: StateFolder;
  readonly #settings: DaemonOptions;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #options: SwarmNodeOptions;
  readonly #listeners = new Set<() => void>();
  readonly #system: SystemInfo;
  #member: Member | undefined;
  #locked: LockedMember | undefined;
  /** Changes of membership happen one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: SwarmNodeOptions) {
    this.#options = options;
    this.#folder = options.folder;
    this.#settings = options.settings;
    this.#log = options.log;
    this.#clock = options.clock ?? systemClock;
    this.#system = systemInfo(options.settings, options.folder.path);
  }

  /** Takes up what an earlier run left: resumes as the member it was. Resolves false when this node is in no swarm. */
  async resume(): Promise<boolean> {
    return this.#inTurn(async () => {
      const record = await this.#folder.readRecord();
      const keyring = await Keyring.load(this.#folder.keys);
      if (!record || !keyring || !(await isLockedAway(this.#folder, keyring))) return this.#takeUp(record, keyring);
      this.#locked = await LockedMember.start(record, keyring, this.#options);
      this.#changed();
      return true;
    });
  }

  /** Goes on as the member that the folder speaks of. Resolves false when it speaks of none. */
  async #takeUp(record: NodeRecord | undefined, keyring: Keyring | undefined): Promise<boolean> {
    if (record) this.#tellUnusedAddresses(record);
    const opened = keyring?.isLocked ? undefined : keyring;
    const identity = await NodeIdentity.load(this.#folder.certificates, opened?.passphrase);
    if (!record || !identity) {
      this.#folder.refuseRemnant({ record: record !== undefined, identity: identity !== undefined });
      return false;
    }
    if (identity.current.nodeId !== record.nodeId || identity.current.clusterId !== record.clusterId) {
      throw new SwarmError(
        'dataLoss',
        `${this.#folder.path} mixes the files of two nodes: node.json is of ${record.nodeId}, the certificate of ${identity.current.nodeId}`,
      );
    }
    const member = this.#become(record, identity, opened);
    if (identity.current.role === 'manager') {
      await member.resumeManager();
    } else if (keyring) await member.forgetManager();
    await member.startAgent();
    return true;
  }

  /** Other members know this node by the addresses it came with. */
  #tellUnusedAddresses({ listenAddr, advertiseAddr }: NodeRecord): void {
    const { listenAddr: listen, advertiseAddr: advertise = advertiseAddr } = this.#settings;
    const isListenUsed =
      listen === DEFAULT_LISTEN_ADDRESS || listen.endsWith(':0') || withDefaultPort(listen) === listenAddr;
    if (isListenUsed && advertise === advertiseAddr) return;
    this.#log.warn(
      { listenAddr, advertiseAddr },
      'this node goes on with the addresses it became a member with; to change them, leave the swarm and join again',
    );
  }

  initSwarm(asked: InitSwarmRequest): Promise<string> {
    const request = this.#withSettings(asked);
    return this.#inTurn(async () => {
      if (request.forceNewCluster && this.#locked) throw new SwarmError('unavailable', LOCKED);
      if (request.forceNewCluster && this.#member) return this.#goOnAlone(this.#member);
      this.#refuseMember();
      const { clusterId, nodeId, rootBundle, credentials, entry } = await newFoundation(
        request,
        this.#settings,
        this.#clock.now(),
      );
      await this.#folder.beginFounding();
      await this.#undoneOnFailure(async () => {
        const { listenAddr, advertiseAddr } = request;
        const record = { clusterId, nodeId, listenAddr, advertiseAddr, managers: [] };
        const identity = await NodeIdentity.create(this.#folder.certificates, rootBundle, credentials);
        const member = this.#become(record, identity);
        await member.startManager(entry);
        await member.manager?.ready(AbortSignal.timeout(READY_TIMEOUT_MS));
        await this.#folder.finishFounding();
        await member.startAgent();
        // So that the first look at the nodes shows this one ready; the swarm works without, so it is no failure.
        await member.agent?.connected(AbortSignal.timeout(FIRST_SESSION_MS)).catch(() => undefined);
      });
      return nodeId;
    });
  }

  async #goOnAlone(member: Member): Promise<string> {
    const { nodeId, raftId } = member.record;
    if (!member.manager || raftId === undefined) {
      throw new SwarmError(
        'failedPrecondition',
        'a swarm can only be formed anew from a manager: this node is a worker',
      );
    }
    this.#log.warn({ nodeId }, 'all other managers are taken out of the group');
    await member.goOnAlone(raftId);
    await member.manager.ready(AbortSignal.timeout(READY_TIMEOUT_MS));
    await member.startAgent();
    return nodeId;
  }

  /** @param mustBeManager refuse a token that would make this node a worker */
  joinSwarm(asked: JoinSwarmRequest, mustBeManager = false): Promise<void> {
    const request = this.#withSettings(asked);
    return this.#inTurn(async () => {
      this.#refuseMember();
      const managers = request.remoteAddrs.map((address) => withDefaultPort(address));
      const signal = AbortSignal.timeout(JOIN_TIMEOUT_MS);
      const environment = { clock: this.#clock, log: this.#log, signal };
      const admission = { token: request.joinToken, availability: request.availability, mustBeManager };
      const enrolled = await enrollWithToken(managers, admission, environment);
      await this.#undoneOnFailure(async () => {
        const identity = await NodeIdentity.create(this.#folder.certificates, enrolled.rootBundle, enrolled);
        const { nodeId, clusterId, role } = identity.current;
        const record: NodeRecord = {
          clusterId,
          nodeId,
          listenAddr: request.listenAddr,
          advertiseAddr: request.advertiseAddr,
          managers: managers.map((address) => ({ nodeId: '', address })),
        };
        await this.#folder.writeRecord(record);
        const member = this.#become(record, identity);
        if (role === 'manager') {
          await member.startManager({ kind: 'join', managers });
          await member.manager?.ready(AbortSignal.timeout(READY_TIMEOUT_MS));
        }
        await member.startAgent();
        await member.agent?.connected(signal);
      });
    });
  }

  leaveSwarm({ force }: { readonly force: boolean }): Promise<void> {
    return this.#inTurn(async () => {
      const member = this.#member ?? this.#locked;
      if (!member) throw new SwarmError('unavailable', 'This node is not part of a swarm');
      const manager = this.#member?.manager;
      if (manager && manager.members.length > 1) {
        try {
          await manager.leaveGroup(AbortSignal.timeout(10_000));
        } catch (error) {
          if (!force) throw error;
          this.#log.warn({ error: errorText(error) }, 'left without being taken out of the group of managers');
        }
      }
      await member.agent?.stopAndRemoveTasks();
      await this.#forget();
      this.#log.info('left the swarm');
    });
  }

  unlock(key: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      const locked = this.#locked;
      if (!locked) throw new SwarmError('failedPrecondition', 'swarm is not locked');
      await locked.keyring.unlock(key);
      await locked.agent.stop();
      this.#locked = undefined;
      try {
        await this.#takeUp(locked.record, locked.keyring);
      } catch (error) {
        // Locked again, so that it can be tried once more when the cause is gone.
        await this.#member?.stop();
        this.#member = undefined;
        const sealed = (await Keyring.load(this.#folder.keys)) ?? locked.keyring;
        this.#locked = await LockedMember.start(locked.record, sealed, this.#options);
        throw new SwarmError('internal', `swarm component could not be started: ${errorText(error)}`, { cause: error });
      } finally {
        this.#changed();
      }
      this.#log.info('this manager was unlocked');
      // So that what comes next finds a leader; with a majority still locked there is none to wait for.
      await this.#member?.manager?.ready(AbortSignal.timeout(FIRST_LEADER_MS)).catch(() => undefined);
    });
  }

  attachContainer(request: AttachContainerRequest): Promise<ContainerAttachment> {
    return this.#requireAgent().attach(request);
  }

  detachContainer(request: DetachContainerRequest): Promise<void> {
    return this.#requireAgent().detach(request);
  }

  findNameServer(network: string): Promise<string | undefined> {
    return this.#requireAgent().findNameServer(network);
  }

  nameServers(): Promise<readonly string[]> {
    return upstreamServers();
  }

  #requireAgent(): AgentHalf {
    const agent = this.#member?.agent;
    if (!agent) throw new SwarmError('failedPrecondition', 'This node is not part of a swarm');
    return agent;
  }

  info(): LocalNodeInfo {
    const member = this.#member;
    if (this.#locked)
      return { state: 'locked', nodeId: '', nodeAddr: '', isManager: true, error: LOCKED, remoteManagers: [] };
    if (!member)
      return { state: 'inactive', nodeId: '', nodeAddr: '', isManager: false, error: '', remoteManagers: [] };
    const isRunning = member.agent !== undefined || member.manager !== undefined;
    return {
      state: member.error !== '' ? 'error' : isRunning ? 'active' : 'pending',
      nodeId: member.record.nodeId,
      nodeAddr: member.hostAddress(),
      isManager: member.identity.current.role === 'manager',
      error: member.error,
      remoteManagers: (member.manager?.members ?? member.record.managers).map((m) => ({
        nodeId: m.nodeId,
        addr: m.address,
      })),
      repair: member.record.repair,
    };
  }

  system(): SystemInfo {
    return this.#system;
  }

  current(): Swarm | undefined {
    return this.#member?.view;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The manager half, for metrics and tests. */
  get manager(): Manager | undefined {
    return this.#member?.manager;
  }

  get agent(): AgentHalf | undefined {
    return (this.#member ?? this.#locked)?.agent;
  }

  /** Ends both halves; tasks go on unless the agent was told otherwise. */
  stop(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#locked?.agent.stop();
      await this.#member?.stop();
    });
  }

  /** Stops the tasks of this node as well, for `swarmd up`, whose swarm lives in the foreground. */
  stopWithTasks(): Promise<void> {
    return this.#inTurn(async () => {
      await this.agent?.stopAndRemoveTasks();
      await this.#member?.stop();
    });
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(action);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  #refuseMember(): void {
    if (!this.#member && !this.#locked) return;
    throw new SwarmError(
      'unavailable',
      'This node is already part of a swarm. Use "docker swarm leave" to leave this swarm and join another one.',
    );
  }

  #become(record: NodeRecord, identity: NodeIdentity, keyring?: Keyring): Member {
    const { folder, settings, log, metrics, onFatal } = this.#options;
    const member = new Member(
      {
        folder,
        settings,
        clock: this.#clock,
        log,
        metrics,
        // A member that has left meanwhile changes no more.
        inTurn: (action) => this.#inTurn(async () => (this.#member === member ? action() : undefined)),
        onChange: () => this.#changed(),
        onFatal,
      },
      record,
      identity,
      keyring,
    );
    this.#member = member;
    return member;
  }

  /** Where a request says what Docker's clients say unless told otherwise, the settings of the daemon hold. */
  #withSettings<T extends InitSwarmRequest | JoinSwarmRequest>(request: T): T {
    const { listenAddr, advertiseAddr, availability } = this.#settings;
    return {
      ...request,
      listenAddr: withDefaultPort(request.listenAddr === DEFAULT_LISTEN_ADDRESS ? listenAddr : request.listenAddr),
      advertiseAddr: request.advertiseAddr || (advertiseAddr ?? ''),
      availability:
        request.availability === NodeSpec_Availability.ACTIVE ? AVAILABILITY[availability] : request.availability,
    };
  }

  async #undoneOnFailure(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      await this.#forget();
      throw error;
    }
  }

  async #forget(): Promise<void> {
    await this.#member?.stop();
    await this.#folder.forgetSwarm();
    this.#member = undefined;
    this.#locked = undefined;
    this.#changed();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Availability as the settings name it. */
export const AVAILABILITY = {
  active: NodeSpec_Availability.ACTIVE,
  pause: NodeSpec_Availability.PAUSE,
  drain: NodeSpec_Availability.DRAIN,
} as const;

/**
 * A node and its membership: in no swarm, a worker, or a manager. It begins and ends the two halves as the node's role
 * changes (init, join, leave, promotion, demotion) without ever restarting the tasks that run here.
 */
import { randomBytes } from 'node:crypto';
import type { Registry } from 'prom-client';
import type {
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
import { newId } from '../common/ids.ts';
import type { Logger } from '../common/log.ts';
import { systemRandom } from '../common/random.ts';
import { msOfDuration } from '../common/time.ts';
import { createRootCa, createSigningRequest, signNodeCertificate } from '../identity/certificate.ts';
import { enrollWithToken } from '../identity/enroll.ts';
import { newJoinToken } from '../identity/join-token.ts';
import { NodeIdentity } from '../identity/node-identity.ts';
import { CertificateRenewal } from '../identity/renewal.ts';
import type { Entry, Manager } from '../manager/manager.ts';
import type { SessionMessage } from '../proto/generated/docker/swarmkit/v1/dispatcher.ts';
import { ClusterSpec, NodeSpec_Availability } from '../proto/generated/docker/swarmkit/v1/specs.ts';
import { IssuanceStatus_State, NodeRole } from '../proto/generated/docker/swarmkit/v1/types.ts';
import { advertisedHost, parseHostPort, withDefaultPort } from './addresses.ts';
import { AgentHalf } from './agent-half.ts';
import type { DaemonOptions } from './options.ts';
import type { NodeRecord, StateFolder } from './state-folder.ts';
import { systemInfo } from './system-info.ts';

/** Root certificates are replaced on the cluster's schedule; node certificates live 90 days unless the cluster says otherwise. */
const DEFAULT_NODE_LIFE_MS = 90 * 24 * 3_600_000;
const READY_TIMEOUT_MS = 60_000;
const JOIN_TIMEOUT_MS = 120_000;
const FIRST_SESSION_MS = 3_000;

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
  #record: NodeRecord | undefined;
  #identity: NodeIdentity | undefined;
  #renewal: CertificateRenewal | undefined;
  #manager: Manager | undefined;
  #view: Swarm | undefined;
  #agent: AgentHalf | undefined;
  #error = '';
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
      const identity = await NodeIdentity.load(this.#folder.certificates);
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
      this.#record = record;
      this.#adopt(identity);
      if (identity.current.role === 'manager') {
        const entry: Entry =
          record.raftId === undefined
            ? { kind: 'join', managers: record.managers.map((m) => m.address) }
            : { kind: 'resume', raftId: record.raftId };
        await this.#startManager(entry);
      }
      await this.#startAgent();
      return true;
    });
  }

  initSwarm(request: InitSwarmRequest): Promise<string> {
    return this.#inTurn(async () => {
      if (request.forceNewCluster && this.#record) return this.#goOnAlone(this.#record);
      this.#refuseMember();
      const now = this.#clock.now();
      const root = await createRootCa(now);
      const clusterId = newId();
      const nodeId = newId();
      const spec = request.clusterSpec(this.#clusterDefaults());
      const joinTokens = { worker: newJoinToken(root.certificate), manager: newJoinToken(root.certificate) };
      const { newCluster, newManagerNode } = await import('../manager/control/bootstrap.ts');
      const cluster = newCluster({
        clusterId,
        root,
        joinTokens,
        spec,
        addressPool: request.defaultAddressPool,
        subnetSize: request.subnetSize,
        dataPathPort: request.dataPathPort,
        newUnlockKey: () => randomBytes(32),
        randomBytes,
      });
      const expiry = cluster.spec?.caConfig?.nodeCertExpiry;
      const { csr, key } = await createSigningRequest();
      const certificate = await signNodeCertificate(csr, { nodeId, role: 'manager', clusterId }, root, {
        nowMs: now,
        lifeMs: expiry ? msOfDuration(expiry) : DEFAULT_NODE_LIFE_MS,
      });
      const listenAddr = withDefaultPort(request.listenAddr || this.#settings.listenAddr);
      const node = newManagerNode({ nodeId, certificate, csr, availability: request.availability });
      await this.#folder.beginFounding();
      await this.#undoneOnFailure(async () => {
        this.#record = {
          clusterId,
          nodeId,
          listenAddr,
          advertiseAddr: request.advertiseAddr || this.#settings.advertiseAddr || '',
          managers: [],
        };
        this.#adopt(await NodeIdentity.create(this.#folder.certificates, root.certificate, { certificate, key }));
        const raftId = (randomBytes(8).readBigUInt64BE() >> 1n).toString();
        await this.#startManager({ kind: 'found', raftId, cluster, node });
        await this.#manager?.ready(AbortSignal.timeout(READY_TIMEOUT_MS));
        await this.#folder.finishFounding();
        await this.#startAgent();
        // So that the first look at the nodes shows this one ready; the swarm works without, so it is no failure.
        await this.#agent?.connected(AbortSignal.timeout(FIRST_SESSION_MS)).catch(() => undefined);
      });
      return nodeId;
    });
  }

  /** Makes this manager, with the state it has, the only one: for the day a majority is lost for good. */
  async #goOnAlone({ nodeId, raftId }: NodeRecord): Promise<string> {
    if (!this.#manager || raftId === undefined) {
      throw new SwarmError(
        'failedPrecondition',
        'a swarm can only be formed anew from a manager: this node is a worker',
      );
    }
    this.#log.warn({ nodeId }, 'all other managers are taken out of the group');
    await this.#stopHalves();
    await this.#remember({ managers: [] });
    await this.#startManager({ kind: 'resume', raftId, alone: true });
    await this.#manager?.ready(AbortSignal.timeout(READY_TIMEOUT_MS));
    await this.#startAgent();
    return nodeId;
  }

  /** @param mustBeManager refuse a token that would make this node a worker */
  joinSwarm(request: JoinSwarmRequest, mustBeManager = false): Promise<void> {
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
        this.#record = {
          clusterId,
          nodeId,
          listenAddr: withDefaultPort(request.listenAddr || this.#settings.listenAddr),
          advertiseAddr: request.advertiseAddr || this.#settings.advertiseAddr || '',
          managers: managers.map((address) => ({ nodeId: '', address })),
        };
        await this.#folder.writeRecord(this.#record);
        this.#adopt(identity);
        if (role === 'manager') {
          await this.#startManager({ kind: 'join', managers });
          await this.#manager?.ready(AbortSignal.timeout(READY_TIMEOUT_MS));
        }
        await this.#startAgent();
        await this.#agent?.connected(signal);
      });
    });
  }

  leaveSwarm({ force }: { readonly force: boolean }): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#record) throw new SwarmError('unavailable', 'This node is not part of a swarm');
      const manager = this.#manager;
      if (manager && manager.members.length > 1) {
        try {
          await manager.leaveGroup(AbortSignal.timeout(10_000));
        } catch (error) {
          if (!force) throw error;
          this.#log.warn({ error: errorText(error) }, 'left without being taken out of the group of managers');
        }
      }
      await this.#agent?.stopAndRemoveTasks();
      await this.#stopHalves();
      await this.#folder.forgetSwarm();
      this.#forget();
      this.#log.info('left the swarm');
    });
  }

  unlock(): Promise<void> {
    return Promise.reject(new SwarmError('failedPrecondition', 'swarm is not locked'));
  }

  info(): LocalNodeInfo {
    const manager = this.#manager;
    const remote = manager
      ? manager.members.map((m) => ({ nodeId: m.nodeId, addr: m.address }))
      : (this.#record?.managers ?? []).map((m) => ({ nodeId: m.nodeId, addr: m.address }));
    const state = !this.#record
      ? 'inactive'
      : this.#error !== ''
        ? 'error'
        : this.#agent || manager
          ? 'active'
          : 'pending';
    return {
      state,
      nodeId: this.#record?.nodeId ?? '',
      nodeAddr: this.#record ? this.#hostAddress() : '',
      isManager: this.#identity?.current.role === 'manager',
      error: this.#error,
      remoteManagers: remote,
    };
  }

  system(): SystemInfo {
    return this.#system;
  }

  current(): Swarm | undefined {
    return this.#view;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The manager half, for metrics and tests. */
  get manager(): Manager | undefined {
    return this.#manager;
  }

  get agent(): AgentHalf | undefined {
    return this.#agent;
  }

  /** Ends both halves; tasks go on unless the agent was told otherwise. */
  stop(): Promise<void> {
    return this.#inTurn(() => this.#stopHalves());
  }

  /** Stops the tasks of this node as well, for `swarmd up`, whose swarm lives in the foreground. */
  stopWithTasks(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#agent?.stopAndRemoveTasks();
      await this.#stopHalves();
    });
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(action);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  #refuseMember(): void {
    if (!this.#record) return;
    throw new SwarmError(
      'unavailable',
      'This node is already part of a swarm. Use "docker swarm leave" to leave this swarm and join another one.',
    );
  }

  async #undoneOnFailure(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      await this.#stopHalves();
      await this.#folder.forgetSwarm();
      this.#forget();
      throw error;
    }
  }

  #forget(): void {
    this.#record = undefined;
    this.#identity = undefined;
    this.#error = '';
    this.#changed();
  }

  #adopt(identity: NodeIdentity): void {
    this.#identity = identity;
    this.#renewal = new CertificateRenewal({
      identity,
      managers: () => this.#managerAddresses(),
      clock: this.#clock,
      random: systemRandom,
      log: this.#log.child({ room: 'identity' }),
    });
    this.#renewal.start();
    identity.onChange(
      () => void this.#inTurn(() => this.#followRole()).catch((error: unknown) => this.#roleFailed(error)),
    );
  }

  /** After a certificate change: become what the certificate says. */
  async #followRole(): Promise<void> {
    const role = this.#identity?.current.role;
    if (!this.#record || !role) return;
    if (role === 'manager' && !this.#manager) {
      await this.#startManager({ kind: 'join', managers: this.#managerAddresses() });
      this.#log.info('this node is a manager now');
    } else if (role === 'worker' && this.#manager) {
      await this.#stopManager();
      await this.#folder.forgetManager();
      await this.#remember({ raftId: undefined });
      this.#log.info('this node is a worker now');
    }
    this.#agent?.reconnect('the certificate was renewed');
  }

  #roleFailed(error: unknown): void {
    this.#log.error({ err: error }, 'the node could not take its new role');
    this.#error = errorText(error);
    this.#changed();
  }

  async #startManager(entry: Entry): Promise<void> {
    const record = this.#record as NodeRecord;
    const identity = this.#identity as NodeIdentity;
    const listen = parseHostPort(record.listenAddr);
    // Loaded only where it is needed: a worker carries no manager in its memory.
    const [{ Manager }, { swarmView }] = await Promise.all([
      import('../manager/manager.ts'),
      import('./swarm-view.ts'),
    ]);
    const manager = await Manager.start(
      {
        identity,
        raftDirectory: this.#folder.raft,
        keysFile: this.#folder.keys,
        listen,
        advertise: advertisedHost(record.advertiseAddr, listen, this.#managerAddresses()),
        clock: this.#clock,
        random: systemRandom,
        log: this.#log,
        raft: {
          tickMs: this.#settings.raftTickMs,
          electionTicks: this.#settings.raftElectionTicks,
          heartbeatTicks: this.#settings.raftHeartbeatTicks,
        },
        metrics: this.#options.metrics,
        onRemoved: () => void this.#inTurn(() => this.#takenOut()).catch((error: unknown) => this.#roleFailed(error)),
        onFatal: this.#options.onFatal,
      },
      entry,
    );
    this.#manager = manager;
    this.#view = swarmView(manager);
    manager.onChange(() => this.#changed());
    // The port may have been picked by the system: remembered, it stays the same after a restart.
    const listenAddr =
      listen.port === 0 ? `${listen.host}:${manager.address.split(':').at(-1) ?? ''}` : record.listenAddr;
    await this.#remember({ raftId: manager.raftId, listenAddr });
    this.#changed();
  }

  /** The group took this manager out: it is a worker now, or was removed altogether. */
  async #takenOut(): Promise<void> {
    if (!this.#manager) return;
    this.#log.warn('this manager was taken out of the group of managers');
    await this.#remember({ managers: this.#knownManagers() });
    await this.#stopManager();
    await this.#folder.forgetManager();
    await this.#remember({ raftId: undefined });
    void this.#renewal?.renewNow();
  }

  async #startAgent(): Promise<void> {
    this.#agent = await AgentHalf.start({
      folder: this.#folder,
      settings: this.#settings,
      identity: this.#identity as NodeIdentity,
      managers: this.#managerAddresses(),
      log: this.#log.child({ room: 'agent' }),
      onSessionMessage: (message) => this.#onSessionMessage(message),
    });
    this.#changed();
  }

  #onSessionMessage({ node, managers, RootCA }: SessionMessage): void {
    const known = managers.flatMap(({ peer }) => (peer ? [{ nodeId: peer.nodeId, address: peer.addr }] : []));
    if (known.length > 0 && JSON.stringify(known) !== JSON.stringify(this.#record?.managers))
      void this.#remember({ managers: known });
    const identity = this.#identity;
    if (!identity || !node) return;
    const root = RootCA.toString('utf8');
    if (root !== '' && root !== identity.current.rootBundle) {
      identity
        .trust(root)
        .catch((error: unknown) =>
          this.#log.warn({ error: errorText(error) }, 'a new root certificate is not trusted yet'),
        );
    }
    const role = node.role === NodeRole.MANAGER ? 'manager' : 'worker';
    if (role !== identity.current.role || node.certificate?.status?.state === IssuanceStatus_State.ROTATE)
      void this.#renewal?.renewNow();
  }

  async #remember(change: Partial<NodeRecord>): Promise<void> {
    if (!this.#record) return;
    this.#record = { ...this.#record, ...change };
    await this.#folder.writeRecord(this.#record);
  }

  #knownManagers(): NodeRecord['managers'] {
    const own = this.#record?.nodeId;
    const members = this.#manager?.members
      .filter((m) => m.nodeId !== own)
      .map(({ nodeId, address }) => ({ nodeId, address }));
    return members && members.length > 0 ? members : (this.#record?.managers ?? []);
  }

  #managerAddresses(): readonly string[] {
    const own = this.#manager ? [this.#manager.address] : [];
    return [
      ...new Set([
        ...own,
        ...(this.#manager?.members ?? []).map((m) => m.address),
        ...(this.#record?.managers ?? []).map((m) => m.address),
      ]),
    ];
  }

  #hostAddress(): string {
    const address =
      this.#manager?.address ??
      advertisedHost(this.#record?.advertiseAddr ?? '', { host: '0.0.0.0', port: 0 }, this.#managerAddresses()).host;
    return address.replace(/:\d+$/, '');
  }

  #clusterDefaults(): ClusterSpec {
    const { strategy, heartbeatMs } = this.#settings;
    return ClusterSpec.fromPartial({
      annotations: { name: 'default', labels: strategy ? { 'swarmd.strategy': strategy } : {} },
      ...(heartbeatMs === undefined
        ? {}
        : {
            dispatcher: {
              heartbeatPeriod: { seconds: Math.trunc(heartbeatMs / 1000), nanos: (heartbeatMs % 1000) * 1e6 },
            },
          }),
    });
  }

  async #stopManager(): Promise<void> {
    this.#view = undefined;
    const manager = this.#manager;
    this.#manager = undefined;
    this.#changed();
    await manager?.stop();
  }

  async #stopHalves(): Promise<void> {
    this.#renewal?.stop();
    const agent = this.#agent;
    this.#agent = undefined;
    await agent?.stop();
    await this.#stopManager();
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

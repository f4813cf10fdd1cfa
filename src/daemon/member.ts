/**
 * This node as a member of a swarm: what it remembers of it, its certificate, and the two halves it runs. As its role
 * changes (promotion, demotion, removal from the managers) it begins and ends the manager half, never touching the tasks.
 */
import type { Registry } from 'prom-client';
import type { Swarm } from '../api/ports.ts';
import type { Clock } from '../common/clock.ts';
import { errorText, isSwarmError } from '../common/errors.ts';
import type { Logger } from '../common/log.ts';
import { systemRandom } from '../common/random.ts';
import { FOREIGN_MANAGERS, WORKER_WANTED } from '../common/worker-wanted.ts';
import { Keyring } from '../identity/keyring.ts';
import type { NodeIdentity } from '../identity/node-identity.ts';
import { CertificateRenewal } from '../identity/renewal.ts';
import type { Manager } from '../manager/manager.ts';
import type { Entry } from '../manager/manager-options.ts';
import type { SessionMessage } from '../proto/generated/docker/swarmkit/v1/dispatcher.ts';
import { IssuanceStatus_State, NodeRole } from '../proto/generated/docker/swarmkit/v1/types.ts';
import { advertisedHost, localWay, parseHostPort } from './addresses.ts';
import { AgentHalf } from './agent-half.ts';
import { startManagerHalf, type ManagerHalf } from './manager-half.ts';
import type { DaemonOptions } from './options.ts';
import type { NodeRecord, StateFolder } from './state-folder.ts';

export interface MemberOptions {
  readonly folder: StateFolder;
  readonly settings: DaemonOptions;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Registry;
  /** Runs an action when no other change of membership is under way. */
  readonly inTurn: (action: () => Promise<void>) => Promise<void>;
  /** Something that the API shows changed. */
  readonly onChange: () => void;
  /** The daemon must end. */
  readonly onFatal: (error: Error) => void;
}

export class Member {
  readonly identity: NodeIdentity;
  readonly #options: MemberOptions;
  readonly #renewal: CertificateRenewal;
  #record: NodeRecord;
  #keyring: Keyring | undefined;
  #managerHalf: ManagerHalf | undefined;
  #agent: AgentHalf | undefined;
  #error = '';
  #writing: Promise<void> = Promise.resolve();

  /** @param keyring opened; there is none until this node has been a manager */
  constructor(options: MemberOptions, record: NodeRecord, identity: NodeIdentity, keyring?: Keyring) {
    this.#options = options;
    this.#record = record;
    this.identity = identity;
    this.#keyring = keyring;
    this.#renewal = new CertificateRenewal({
      identity,
      managers: () => this.managerAddresses(),
      clock: options.clock,
      random: systemRandom,
      log: options.log.child({ room: 'identity' }),
    });
    this.#renewal.start();
    identity.onChange(() => this.#changeRole(() => this.#followRole()));
  }

  get record(): NodeRecord {
    return this.#record;
  }

  get manager(): Manager | undefined {
    return this.#managerHalf?.manager;
  }

  get view(): Swarm | undefined {
    return this.#managerHalf?.view;
  }

  get agent(): AgentHalf | undefined {
    return this.#agent;
  }

  /** Why the node could not take the role it was given; empty while all is well. */
  get error(): string {
    return this.#error;
  }

  async startManager(entry: Entry): Promise<void> {
    const { folder, settings, clock, log, metrics, onChange, onFatal } = this.#options;
    this.#keyring ??= (await Keyring.load(folder.keys)) ?? (await Keyring.create(folder.keys));
    const half = await startManagerHalf(
      {
        folder,
        settings,
        record: this.#record,
        identity: this.identity,
        keyring: this.#keyring,
        managers: this.managerAddresses(),
        clock,
        log,
        metrics,
        onRemoved: () => this.#changeRole(() => this.#takenOut()),
        onExposedKey: () => void this.#renewal.renewNow(),
        onFatal,
      },
      entry,
    );
    this.#managerHalf = half;
    half.manager.onChange(onChange);
    // A port that the system picked stays the same after a restart.
    await this.#remember({ raftId: half.manager.raftId, listenAddr: half.listenAddr });
    onChange();
  }

  /**
   * Takes its place in the group again. A manager whose log is damaged while others have theirs must neither vote nor acknowledge
   * with it: it becomes a new member under another raft id and gets everything from them. Throws dataLoss when there are no others.
   */
  async resumeManager(): Promise<void> {
    const { raftId, nodeId, managers } = this.#record;
    const others = managers.filter((manager) => manager.nodeId !== nodeId).map(({ address }) => address);
    if (raftId !== undefined) {
      try {
        await this.startManager({ kind: 'resume', raftId });
        return;
      } catch (error) {
        if (!isSwarmError(error, 'dataLoss') || others.length === 0) throw error;
        await this.#giveUpLog(error.message);
      }
    }
    // What was written under an earlier raft id is of no use to the next one.
    const setAside = await this.#options.folder.setAsideLog();
    if (setAside !== undefined) this.#options.log.warn({ setAside }, 'the log of this manager is set aside');
    await this.#joinGroup(others);
  }

  /**
   * Joins the group, unless this node was demoted meanwhile: then it goes on as a worker, and soon gets a certificate that says so.
   * It goes on as a worker in a Docker Swarm, too.
   */
  async #joinGroup(managers: readonly string[]): Promise<void> {
    try {
      await this.startManager({ kind: 'join', managers });
    } catch (error) {
      if (!isSwarmError(error, 'failedPrecondition')) throw error;
      if (error.message.startsWith(WORKER_WANTED)) {
        this.#options.log.info({ reason: error.message }, 'not a manager any more');
      } else if (error.message.startsWith(FOREIGN_MANAGERS)) {
        this.#options.log.warn({ reason: error.message }, 'this node stays a worker');
      } else throw error;
      await this.forgetManager();
    }
  }

  /** Remembered first: from here on a crash leads to joining anew as well. */
  async #giveUpLog(reason: string): Promise<void> {
    const { clock, log } = this.#options;
    log.error({ reason }, 'the log of this manager cannot be used: it joins the other managers again as a new member');
    const at = new Date(clock.now()).toISOString();
    await this.#remember({ raftId: undefined, repair: { at, reason, count: (this.#record.repair?.count ?? 0) + 1 } });
  }

  async startAgent(): Promise<void> {
    const { folder, settings, log, onChange, onFatal } = this.#options;
    this.#agent = await AgentHalf.start({
      folder,
      settings,
      nodeId: this.#record.nodeId,
      identity: this.identity,
      managers: this.managerAddresses(),
      wayTo: (address) => this.#wayTo(address),
      log: log.child({ room: 'agent' }),
      onSessionMessage: (message) => this.#onSessionMessage(message),
      onFatal,
    });
    onChange();
  }

  /** Makes this manager, with the state it has, the only one: for the day a majority is lost for good. */
  async goOnAlone(raftId: string): Promise<void> {
    await this.#stopHalves();
    await this.#remember({ managers: [] });
    await this.startManager({ kind: 'resume', raftId, alone: true });
  }

  /** Ends both halves; tasks go on. */
  async stop(): Promise<void> {
    this.#renewal.stop();
    await this.#stopHalves();
    await this.#writing.catch(() => undefined);
  }

  /** Where managers are known to be, this one first. */
  managerAddresses(): readonly string[] {
    const { manager } = this;
    const own = manager ? [manager.address] : [];
    return [...new Set([...own, ...[...(manager?.members ?? []), ...this.#record.managers].map((m) => m.address)])];
  }

  #wayTo(address: string): string {
    return address === this.manager?.address ? localWay(address, parseHostPort(this.#record.listenAddr)) : address;
  }

  /** Host at which others reach this node. */
  hostAddress(): string {
    const address =
      this.manager?.address ??
      advertisedHost(this.#record.advertiseAddr, { host: '0.0.0.0', port: 0 }, this.managerAddresses()).host;
    return address.replace(/:\d+$/, '');
  }

  #changeRole(action: () => Promise<void>): void {
    const done = this.#options.inTurn(action).then(() => {
      this.#error = '';
    });
    done.catch((error: unknown) => {
      this.#options.log.error({ err: error }, 'the node could not take its new role');
      this.#error = errorText(error);
      this.#options.onChange();
    });
  }

  /** After a certificate change: become what the certificate says. */
  async #followRole(): Promise<void> {
    const { role } = this.identity.current;
    if (role === 'manager' && !this.manager) {
      await this.#joinGroup(this.managerAddresses());
      if (this.manager) this.#options.log.info('this node is a manager now');
    } else if (role === 'worker' && this.manager) {
      await this.#endManager();
      this.#options.log.info('this node is a worker now');
    }
    this.#agent?.reconnect('the certificate was renewed');
  }

  /** The group took this manager out: it is a worker now, or was removed altogether. */
  async #takenOut(): Promise<void> {
    if (!this.manager) return;
    this.#options.log.warn('this manager was taken out of the group of managers');
    const others = this.manager.members.filter((m) => m.nodeId !== this.#record.nodeId);
    if (others.length > 0)
      await this.#remember({ managers: others.map(({ nodeId, address }) => ({ nodeId, address })) });
    await this.#endManager();
    void this.#renewal.renewNow();
  }

  /** What the managers tell the agent about the swarm and this node. */
  #onSessionMessage({ node, managers, RootCA }: SessionMessage): void {
    const { identity } = this;
    const known = managers.flatMap(({ peer }) => (peer ? [{ nodeId: peer.nodeId, address: peer.addr }] : []));
    if (known.length > 0 && JSON.stringify(known) !== JSON.stringify(this.#record.managers))
      void this.#remember({ managers: known });
    if (!node) return;
    const root = RootCA.toString('utf8');
    if (root !== '' && root !== identity.current.rootBundle) {
      identity
        .trust(root)
        .catch((error: unknown) =>
          this.#options.log.warn({ error: errorText(error) }, 'a new root certificate is not trusted yet'),
        );
    }
    const role = node.role === NodeRole.MANAGER ? 'manager' : 'worker';
    if (role !== identity.current.role || node.certificate?.status?.state === IssuanceStatus_State.ROTATE)
      void this.#renewal.renewNow();
  }

  async #remember(change: Partial<NodeRecord>): Promise<void> {
    this.#record = { ...this.#record, ...change };
    // One after the other, so that what is on disk at last is what was set last.
    this.#writing = this.#writing.catch(() => undefined).then(() => this.#options.folder.writeRecord(this.#record));
    await this.#writing;
  }

  async #endManager(): Promise<void> {
    await this.#stopManager();
    await this.forgetManager();
  }

  /** Forgets log and keys; only managers are locked, so the private key of a worker lies in the clear. */
  async forgetManager(): Promise<void> {
    await this.identity.encryptWith(undefined);
    this.#keyring = undefined;
    await this.#options.folder.forgetManager();
    await this.#remember({ raftId: undefined });
  }

  async #stopHalves(): Promise<void> {
    const agent = this.#agent;
    this.#agent = undefined;
    await agent?.stop();
    await this.#stopManager();
  }

  async #stopManager(): Promise<void> {
    const { manager } = this;
    this.#managerHalf = undefined;
    this.#options.onChange();
    await manager?.stop();
  }
}

/** Who is registered and alive: sessions, heartbeats, and the node states that follow from them. */
import { isIP } from 'node:net';
import type { Metadata } from '@grpc/grpc-js';
import type { Caller } from '../../common/rpc.ts';
import { msOfDuration } from '../../common/time.ts';
import type { Cluster, Node } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import {
  NodeStatus_State as NodeState,
  RaftMemberStatus_Reachability as Reachability,
  type NodeDescription,
} from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { CLUSTER_DEFAULT_PERIOD_MS, heartbeatPeriodMs, withJitter } from './heartbeat-period.ts';
import { Liveness, type LossReason } from './liveness.ts';
import { applyNodeReport, hostOf, laterNodeReport, type NodeReport } from './node-report.ts';
import type { DispatcherOptions } from './options.ts';
import {
  mustDisconnect,
  notRegistered,
  replacedSession,
  staleSession,
  tooManyRegistrations,
  unknownNode,
} from './refusals.ts';
import { RegistrationLimit } from './registration-limit.ts';
import { Registration } from './registration.ts';
import type { DispatcherSettings } from './settings.ts';
import { WriteBatcher } from './write-batcher.ts';

export class Presence {
  readonly #options: DispatcherOptions;
  readonly #settings: DispatcherSettings;
  readonly #registrations = new Map<string, Registration>();
  readonly #limit: RegistrationLimit;
  readonly #liveness: Liveness;
  readonly #reports: WriteBatcher<NodeReport>;
  #clusterPeriodMs: number | undefined;

  /** @param onOrphaned called when a node has been down for the whole orphan time */
  constructor(options: DispatcherOptions, settings: DispatcherSettings, onOrphaned: (nodeId: string) => void) {
    const { store, clock, random, log } = options;
    this.#options = options;
    this.#settings = settings;
    this.#limit = new RegistrationLimit(clock, settings.registrations, settings.registrationWindowMs);
    this.#liveness = new Liveness(clock, settings.orphanAfterMs, {
      onLost: (nodeId, reason) => this.#lose(nodeId, reason),
      onOrphaned,
    });
    this.#reports = new WriteBatcher({
      clock,
      random,
      log,
      gatherMs: settings.nodeGatherMs,
      limit: settings.statusQueueLimit,
      merge: laterNodeReport,
      write: (reports) =>
        store.batch(reports, (tx, report) => {
          const node = applyNodeReport(tx.node.get(report.nodeId), report);
          if (node) tx.node.update(node);
        }),
    });
  }

  /** Nodes registered now. */
  get size(): number {
    return this.#registrations.size;
  }

  get registrations(): Iterable<Registration> {
    return this.#registrations.values();
  }

  /** Stores node states until the signal aborts. */
  run(signal: AbortSignal): Promise<void> {
    return this.#reports.run(signal);
  }

  /** Takes over from the previous leader: nodes it knew are awaited, and unknown until they register here. */
  begin(nodes: readonly Node[]): void {
    for (const node of nodes) {
      if (node.status?.state === NodeState.DOWN) {
        this.#liveness.down(node.id);
        continue;
      }
      this.#liveness.awaited(node.id, this.#graceMsAfterElection(node));
      this.#reports.put(node.id, { kind: 'unknown', nodeId: node.id, message: UNKNOWN_MESSAGE });
    }
  }

  /** Takes note of what else is known of a node. */
  changed(node: Node): void {
    this.#liveness.rethink(node.id, this.#graceMsAfterElection(node));
  }

  /** Takes over the heartbeat period of the cluster. */
  configure(cluster: Cluster | undefined): void {
    const period = cluster?.spec?.dispatcher?.heartbeatPeriod;
    this.#clusterPeriodMs = period && msOfDuration(period);
  }

  /**
   * A new registration, or the present one when its session id is shown.
   * Throws notFound (no such node) and unavailable (too many registrations).
   */
  register(nodeId: string, oldSessionId: string, metadata: Metadata): Registration {
    if (!this.#options.store.read.node.get(nodeId)) throw unknownNode(nodeId);
    const current = this.#registrations.get(nodeId);
    const isPatient = isDockerEngine(metadata);
    const graceMs = this.#periodMs(!isPatient) * this.#settings.gracePeriods;
    if (current && current.sessionId === oldSessionId) {
      this.#liveness.registered(nodeId, graceMs);
      return current;
    }
    if (!this.#limit.admit(nodeId)) {
      // It is not gone, and it may wait as long as its refusals count before it knocks again.
      this.#liveness.refused(nodeId, graceMs + this.#settings.registrationWindowMs);
      throw tooManyRegistrations(nodeId, this.#settings.registrations, this.#settings.registrationWindowMs);
    }
    current?.end(replacedSession(nodeId));
    const registration = new Registration(nodeId, this.#options.newId(), isPatient);
    this.#registrations.set(nodeId, registration);
    this.#liveness.registered(nodeId, graceMs);
    this.#options.log.info({ nodeId, sessionId: registration.sessionId }, 'node registered');
    return registration;
  }

  /** Resolves when the node is stored as ready, with what it says about itself. */
  ready(caller: Caller, description: NodeDescription | undefined): Promise<void> {
    const { nodeId } = caller;
    return this.#reports.stored(nodeId, { kind: 'ready', nodeId, description, addr: this.#addressOf(caller) });
  }

  /** The agent beside this manager may come by way of loopback: others reach it where they reach the manager. */
  #addressOf({ nodeId, address }: Caller): string {
    const { nodeId: own, managers } = this.#options;
    const advertised = own === nodeId && managers.current().find(({ peer }) => peer?.nodeId === nodeId)?.peer?.addr;
    const host = advertised ? hostOf(advertised) : '';
    return isIP(host) === 0 ? hostOf(address) : host;
  }

  /** The caller's registration. Throws notFound (none) and invalidArgument (another session). */
  registered(caller: Caller, sessionId: string): Registration {
    const registration = this.#registrations.get(caller.nodeId);
    if (!registration) throw notRegistered(caller.nodeId);
    if (registration.sessionId !== sessionId) throw staleSession(caller.nodeId);
    return registration;
  }

  /** Takes a sign of life; returns the period in ms after which the next is wanted. */
  beat(registration: Registration): number {
    const periodMs = withJitter(this.#periodMs(!registration.isPatient), this.#options.random);
    this.#alive(registration, periodMs);
    return periodMs;
  }

  /** Whatever an agent says in its session is a sign of life: where much happens at once, heartbeats may come late. */
  heard(registration: Registration): void {
    this.#alive(registration, this.#periodMs(!registration.isPatient));
  }

  /**
   * The agent's end of the session stream is gone: unless it comes back soon, the node is. One that said it would come back
   * has until its heartbeat is due: its tasks go on meanwhile.
   */
  sessionBroke(registration: Registration): void {
    const { nodeId, isPatient } = registration;
    if (isPatient || registration.isEnded || this.#registrations.get(nodeId) !== registration) return;
    this.#liveness.suspected(nodeId, this.#settings.sessionGraceMs);
  }

  /** Has the session of a node, or of all, send its message again. */
  refresh(nodeId?: string): void {
    if (nodeId !== undefined) this.#registrations.get(nodeId)?.refresh();
    else for (const registration of this.#registrations.values()) registration.refresh();
  }

  /** The node is no longer part of the cluster. */
  removed(nodeId: string): void {
    this.#registrations.get(nodeId)?.end(mustDisconnect());
    this.#registrations.delete(nodeId);
    this.#liveness.forget(nodeId);
    this.#limit.forget(nodeId);
  }

  /** Ends every session. */
  close(): void {
    this.#liveness.clear();
    for (const registration of this.#registrations.values()) registration.end(mustDisconnect());
    this.#registrations.clear();
  }

  #alive({ nodeId }: Registration, periodMs: number): void {
    // A call that was under way when the session broke is no sign of life after it.
    if (!this.#liveness.isSuspected(nodeId)) this.#liveness.alive(nodeId, periodMs * this.#settings.gracePeriods);
  }

  #lose(nodeId: string, reason: LossReason): void {
    this.#registrations.get(nodeId)?.end(mustDisconnect());
    this.#registrations.delete(nodeId);
    this.#options.log.warn({ nodeId, reason }, 'node is down');
    this.#reports.put(nodeId, { kind: 'down', nodeId, message: LOSS_MESSAGES[reason] });
  }

  /**
   * Agents that were without a leader for long wait up to 8 s between tries, and a change of leader must move nothing; so
   * the short heartbeat period does not count here. A node whose manager cannot be reached either, such as the previous
   * leader's, is most likely dead and gets less.
   */
  #graceMsAfterElection({ managerStatus }: Node): number {
    const { heartbeatPeriodMs: flagMs, gracePeriods, gracePeriodsAfterElection } = this.#settings;
    if (managerStatus?.reachability === Reachability.UNREACHABLE) return this.#periodMs() * gracePeriods;
    return (flagMs ?? Math.max(this.#periodMs(), CLUSTER_DEFAULT_PERIOD_MS)) * gracePeriodsAfterElection;
  }

  #periodMs(isWatched = false): number {
    return heartbeatPeriodMs({
      isWatched,
      flagMs: this.#settings.heartbeatPeriodMs,
      clusterMs: this.#clusterPeriodMs,
      // Those that have not come yet after an election will beat too.
      nodes: this.#options.store.read.node.size,
    });
  }
}

const UNKNOWN_MESSAGE = 'Node moved to "unknown" state due to leadership change in cluster';

const LOSS_MESSAGES: Readonly<Record<LossReason, string>> = {
  silent: 'heartbeat failure',
  'session lost': 'heartbeat failure: the connection broke and the node did not come back',
  'never came back': 'heartbeat failure for node in "unknown" state',
};

/**
 * A Docker Engine restarts in more time than our grace, keeps its containers running meanwhile, and closes its session
 * to say something new; so after a broken session it has until its heartbeat is due. Its gRPC client tells it from ours.
 */
const isDockerEngine = (metadata: Metadata): boolean =>
  String(metadata.get('user-agent')[0] ?? '').startsWith('grpc-go/');

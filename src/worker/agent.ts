/**
 * The worker half of a node: keeps a session with some manager, runs the tasks it is given, and goes on running them
 * when there is no manager. Ending the agent ends no task; the next run takes them up again.
 */
import { sleep, systemClock, type Clock } from '../common/clock.ts';
import { errorText, isSwarmError, SwarmError } from '../common/errors.ts';
import type { Logger } from '../common/log.ts';
import { systemRandom, type Random } from '../common/random.ts';
import { msOfDuration } from '../common/time.ts';
import type { SessionMessage } from '../proto/generated/docker/swarmkit/v1/dispatcher.ts';
import type { NodeDescription } from '../proto/generated/docker/swarmkit/v1/types.ts';
import { AssignmentStream } from './assignments.ts';
import type { Balancer } from './balancer/balancer.ts';
import { descriptionChanged } from './description-watch.ts';
import type { RuntimeDriver } from './drivers/driver.ts';
import { LogPublisher } from './log-publisher.ts';
import type { ManagerConnection, ManagerConnector } from './manager-connector.ts';
import { ManagerContact } from './manager-contact.ts';
import { readManagerList, writeManagerList } from './manager-list-file.ts';
import { DEFAULT_WEIGHT, ManagerPicker } from './manager-picker.ts';
import {
  attach,
  detach,
  findNameServer,
  type Attachment,
  type AttachmentRequest,
  type AttachmentWay,
} from './network-attachment.ts';
import { Reporter } from './reporter.ts';
import { runSession, type LiveSession } from './session.ts';
import { SessionBackoff } from './session-backoff.ts';
import { lockStateFolder, type StateLock } from './state-lock.ts';
import { MemoryTaskBook, type TaskBook } from './task-book.ts';
import { FileTaskBook } from './task-book-file.ts';
import { TaskPool } from './task-pool.ts';
import { UsageReporter } from './usage-reporter.ts';

/** Without a session for this long, in ms, tasks that end are run again on the spot. */
const DEFAULT_CUT_OFF_MS = 10_000;

export interface AgentOptions {
  /** This node's id, as in its certificate. */
  readonly nodeId: string;
  /** Folder for the task book and the manager list, locked while the agent runs; undefined keeps everything in memory. */
  readonly stateDir: string | undefined;
  readonly driver: RuntimeDriver;
  /** Leads connections to tasks; undefined for nodes that are only pretended. */
  readonly balancer?: Balancer | undefined;
  readonly connector: ManagerConnector;
  /** Manager addresses "host:port" known from joining; those remembered on disk are added. */
  readonly managers: readonly string[];
  readonly log: Logger;
  /** Adds to what the driver says of the node: TLS facts, node name, labels. */
  readonly amendDescription?: (description: NodeDescription) => NodeDescription;
  /** Every session message: the node object (role, certificate state), managers, network keys, root certificate. */
  readonly onSessionMessage?: (message: SessionMessage) => void;
  /** @default 10 s */
  readonly cutOffMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
}

export interface AgentState {
  readonly isConnected: boolean;
  /** Address of the manager in use. */
  readonly manager: string | undefined;
  readonly managers: readonly string[];
  readonly tasks: number;
}

/** A session that is taken away at once, as by a second agent with the same identity, must not reset the back-off. */
const BEATS_OF_A_WORKING_SESSION = 2;

/** Agents sent on to a new leader come within this, in ms, not all at once. */
const SENT_ON_WAIT_MS = 100;

/** How long a new way to the manager may take to open, in ms, before another is tried. */
const WAY_TIMEOUT_MS = 5_000;

export class Agent {
  readonly #options: AgentOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Logger;
  readonly #contact: ManagerContact;
  #picker: ManagerPicker;
  #pool: TaskPool | undefined;
  /** Of the session there is now. */
  #resources: ManagerConnection['resources'] | undefined;
  #manager: string | undefined;
  #endSession: (reason: SwarmError) => void = () => undefined;
  #isLeaving = false;
  /** The way that the next session takes. */
  #nextWay: Way | undefined;
  /** Counts the calls of {@link reconnect}: only the last one counts. */
  #reconnects = 0;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#log = options.log;
    this.#contact = new ManagerContact(this.#clock);
    this.#picker = this.#makePicker();
  }

  /** Whether the agent has a session now. */
  get isConnected(): boolean {
    return this.#contact.isConnected;
  }

  get state(): AgentState {
    return {
      isConnected: this.#contact.isConnected,
      manager: this.#contact.isConnected ? this.#manager : undefined,
      managers: this.#picker.addresses,
      tasks: this.#pool?.runners.length ?? 0,
    };
  }

  /**
   * Runs until the signal aborts; tasks go on after that. Throws {@link StateLockedError} when another agent uses the
   * state folder; failures of managers, drivers and tasks never end it.
   * @param onReady called once the state folder is this agent's and the tasks of the last run are taken up
   */
  async run(signal: AbortSignal, onReady: () => void = () => undefined): Promise<void> {
    const { stateDir, driver, balancer, nodeId } = this.#options;
    const lock: StateLock | undefined = stateDir === undefined ? undefined : lockStateFolder(stateDir);
    let book: TaskBook | undefined;
    try {
      book =
        stateDir === undefined
          ? new MemoryTaskBook()
          : new FileTaskBook({ dir: stateDir, clock: this.#clock, log: this.#log });
      const reporter = new Reporter({ onAccepted: (taskId) => pool.accepted(taskId) });
      const pool = new TaskPool({
        driver,
        balancer,
        book,
        reporter,
        contact: this.#contact,
        clock: this.#clock,
        log: this.#log,
        cutOffMs: this.#options.cutOffMs ?? DEFAULT_CUT_OFF_MS,
      });
      this.#pool = pool;
      pool.resume();
      onReady();
      const publisher = new LogPublisher({ nodeId, pool, log: this.#log });
      const usage = new UsageReporter({ pool, clock: this.#clock, log: this.#log });
      await this.#keepSession({ pool, reporter, publisher, usage }, signal);
      await pool.detach();
    } finally {
      this.#reconnects++;
      this.#takeNextWay()?.connection.close();
      await book?.close();
      await driver.close();
      lock?.release();
    }
  }

  /**
   * Brings a container of this node's engine into an attachable network; it stays there until it ends, or is detached.
   * Throws unavailable without a session, and what {@link attach} throws.
   */
  async attach(request: AttachmentRequest): Promise<Attachment> {
    return attach(this.#attachmentWay(), request);
  }

  /** Takes it out of the network again. Throws unavailable without a session. */
  async detach(request: Pick<AttachmentRequest, 'containerId' | 'network'>): Promise<void> {
    await detach(this.#attachmentWay(), request);
  }

  /** See {@link findNameServer}. Throws unavailable without a session. */
  async findNameServer(network: string): Promise<string | undefined> {
    return findNameServer(this.#attachmentWay(), network);
  }

  #attachmentWay(): AttachmentWay {
    if (!this.#resources || !this.#pool)
      throw new SwarmError('unavailable', 'this node has no session with a manager: try again');
    return { resources: this.#resources, pool: this.#pool };
  }

  /** The next end of the agent is for good: managers need not wait for it to come back. */
  leave(): void {
    this.#isLeaving = true;
  }

  /**
   * Changes to a new session, for example with a renewed certificate. The present one is given up only when the way to the
   * manager is open, so that the node is missed no longer than a call takes.
   */
  reconnect(reason: string): void {
    const turn = ++this.#reconnects;
    const address = this.#contact.isConnected ? this.#manager : undefined;
    if (address === undefined) return this.#endSession(new SwarmError('cancelled', reason));
    const connection = this.#options.connector.open(address);
    connection.dispatcher.waitForReady(Date.now() + WAY_TIMEOUT_MS, (error) => {
      if (turn !== this.#reconnects) return connection.close();
      if (error) {
        connection.close();
        return this.reconnect(reason);
      }
      this.#takeNextWay()?.connection.close();
      this.#nextWay = { address, connection };
      this.#endSession(new SwarmError('cancelled', reason));
    });
  }

  #takeNextWay(): Way | undefined {
    const way = this.#nextWay;
    this.#nextWay = undefined;
    return way;
  }

  async #keepSession(parts: AgentParts, signal: AbortSignal): Promise<void> {
    const backoff = new SessionBackoff(this.#random);
    let sessionId = '';
    while (!signal.aborted) {
      const way = this.#takeNextWay();
      const address = way?.address ?? this.#picker.pick();
      const session = new SessionAttempt(way?.connection);
      const reason = await this.#oneSession(address, sessionId, session, parts, signal);
      if (signal.aborted) return;
      const isOurChoice = isSwarmError(reason, 'cancelled') && session.live !== undefined;
      // The manager told this session id it is nothing to it, or what was registered is out of date.
      const isStale = isOurChoice || isSwarmError(reason, 'invalidArgument') || isSwarmError(reason, 'notFound');
      sessionId = isStale ? '' : (session.live?.id ?? '');
      if (session.beats >= BEATS_OF_A_WORKING_SESSION) backoff.reset();
      if (isOurChoice) continue;
      // A manager that does not lead opens a session only to name the one that does: that is no failure to wait out.
      if (session.sentOnTo !== undefined) this.#picker.sentOn(session.sentOnTo);
      else if (address !== undefined) this.#picker.failed(address);
      const waitMs =
        session.sentOnTo !== undefined
          ? this.#random() * SENT_ON_WAIT_MS
          : backoff.next(isSwarmError(reason, 'notLeader'));
      this.#log.info(
        { manager: address, reason: errorText(reason), waitMs: Math.round(waitMs) },
        'no session; trying again',
      );
      await sleep(this.#clock, waitMs, signal).catch(() => undefined);
    }
  }

  /** Opens a session and stays in it; returns why it ended. Never rejects. */
  async #oneSession(
    address: string | undefined,
    sessionId: string,
    session: SessionAttempt,
    parts: AgentParts,
    signal: AbortSignal,
  ): Promise<unknown> {
    if (address === undefined) return new SwarmError('unavailable', 'no manager is known: join the cluster again');
    const ending = new AbortController();
    const onAbort = (): void => ending.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#endSession = (reason) => ending.abort(reason);
    let connection = session.connection;
    try {
      const description = await this.#describe();
      connection ??= this.#options.connector.open(address);
      const { logBroker, usage, resources } = connection;
      const stream = new AssignmentStream();
      await runSession(
        {
          connection,
          clock: this.#clock,
          description,
          sessionId,
          willReturn: () => !this.#isLeaving,
          wantsPeers: this.#options.driver.meetPeers !== undefined || this.#options.balancer !== undefined,
        },
        {
          onOpen: (live) => {
            session.live = live;
            void descriptionChanged(() => this.#describe(), description, this.#clock, ending.signal).then(
              () => this.reconnect('the node description changed'),
              () => undefined,
            );
          },
          onMessage: (message) => {
            session.sentOnTo = anotherPreferred(message, address) ?? session.sentOnTo;
            this.#heard(message);
            const interval = message.usageInterval;
            parts.usage.wish(interval && msOfDuration(interval), usage, ending.signal);
          },
          onAssignments: (message) => {
            const set = stream.accept(message);
            this.#established(address, session, parts);
            this.#resources = resources;
            parts.pool.apply(set);
          },
          onHeartbeat: () => void session.beats++,
          onSubscription: (message, end) => parts.publisher.handle(message, logBroker, end),
        },
        ending.signal,
      );
    } catch (error) {
      return error;
    } finally {
      signal.removeEventListener('abort', onAbort);
      ending.abort(new SwarmError('cancelled', 'the session ended'));
      this.#endSession = () => undefined;
      this.#resources = undefined;
      parts.reporter.detach();
      this.#contact.lost();
      connection?.close();
    }
  }

  /**
   * A manager that says what is wanted of this node really serves it; one that does not lead opens a session too, only to
   * name the one that does.
   */
  #established(address: string, session: SessionAttempt, { pool, reporter }: AgentParts): void {
    if (this.#contact.isConnected || !session.live) return;
    this.#manager = address;
    this.#picker.succeeded(address);
    this.#log.info({ manager: address, session: session.live.id }, 'session established');
    this.#contact.connected();
    pool.reportAll();
    reporter.attach(session.live.sendStatuses);
  }

  #heard(message: SessionMessage): void {
    this.#picker.replace(message.managers.map(({ peer, weight }) => ({ address: peer?.addr ?? '', weight })));
    this.#options.onSessionMessage?.(message);
  }

  async #describe(): Promise<NodeDescription> {
    const description = await this.#options.driver.describe();
    return this.#options.amendDescription?.(description) ?? description;
  }

  #makePicker(): ManagerPicker {
    const { stateDir, managers } = this.#options;
    const remembered = stateDir === undefined ? [] : readManagerList(stateDir);
    return new ManagerPicker({
      random: this.#random,
      addresses: [...new Set([...managers, ...remembered])],
      onChange: (addresses) => {
        if (stateDir === undefined) return;
        try {
          writeManagerList(stateDir, addresses);
        } catch (error) {
          this.#log.warn({ err: error }, 'the list of managers could not be kept on disk');
        }
      },
    });
  }
}

interface AgentParts {
  readonly pool: TaskPool;
  readonly reporter: Reporter;
  readonly publisher: LogPublisher;
  readonly usage: UsageReporter;
}

/** What became of one try to have a session. */
class SessionAttempt {
  /** Open already; undefined to open one. */
  readonly connection: ManagerConnection | undefined;
  /** Once the manager registered us. */
  live: LiveSession | undefined;
  /** Address of the other one to go to that the manager named. */
  sentOnTo: string | undefined;
  beats = 0;

  constructor(connection: ManagerConnection | undefined) {
    this.connection = connection;
  }
}

interface Way {
  readonly address: string;
  readonly connection: ManagerConnection;
}

const anotherPreferred = ({ managers }: SessionMessage, address: string): string | undefined =>
  managers.find(({ peer, weight }) => weight > DEFAULT_WEIGHT && peer?.addr !== address)?.peer?.addr;

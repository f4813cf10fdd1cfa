/** The worker half of a daemon: an agent with its runtime driver. */
import { mkdir } from 'node:fs/promises';
import { systemClock } from '../common/clock.ts';
import { SwarmError, errorText } from '../common/errors.ts';
import type { Logger } from '../common/log.ts';
import { issuerOf } from '../identity/certificate.ts';
import type { NodeIdentity } from '../identity/node-identity.ts';
import type { SessionMessage } from '../proto/generated/docker/swarmkit/v1/dispatcher.ts';
import type { NodeDescription } from '../proto/generated/docker/swarmkit/v1/types.ts';
import { Agent, type AgentState } from '../worker/agent.ts';
import { Balancer } from '../worker/balancer/balancer.ts';
import type { RuntimeDriver } from '../worker/drivers/driver.ts';
import { createDriver } from '../worker/drivers/registry.ts';
import type { ManagerConnector } from '../worker/manager-connector.ts';
import type { Attachment, AttachmentRequest } from '../worker/network-attachment.ts';
import { tlsConnector } from './manager-connector.ts';
import type { DaemonOptions } from './options.ts';
import type { StateFolder } from './state-folder.ts';

export interface AgentHalfOptions {
  readonly folder: StateFolder;
  readonly settings: DaemonOptions;
  readonly nodeId: string;
  /** Undefined while it is locked away: then the agent looks after its tasks without talking to managers. */
  readonly identity: NodeIdentity | undefined;
  readonly managers: readonly string[];
  /** Where to connect to for the manager at an address. */
  readonly wayTo?: (address: string) => string;
  readonly log: Logger;
  readonly onSessionMessage: (message: SessionMessage) => void;
  /** The agent ended by itself: the daemon must end too, or it would say that it runs. */
  readonly onFatal: (error: Error) => void;
}

const CONNECT_POLL_MS = 20;

export class AgentHalf {
  readonly #options: AgentHalfOptions;
  readonly #agent: Agent;
  readonly #balancer: Balancer | undefined;
  readonly #abort = new AbortController();
  #running: Promise<void> = Promise.resolve();

  private constructor(options: AgentHalfOptions, driver: RuntimeDriver) {
    this.#options = options;
    this.#balancer = balancerOf(options, driver);
    this.#agent = new Agent({
      nodeId: options.nodeId,
      stateDir: options.folder.worker,
      driver,
      balancer: this.#balancer,
      connector: options.identity ? tlsConnector(options.identity, options.wayTo) : lockedConnector,
      managers: options.managers,
      log: options.log,
      amendDescription: (description) => amend(description, options),
      onSessionMessage: options.onSessionMessage,
    });
  }

  /** Throws SwarmError when the runtime cannot be used, or another agent uses the state folder. */
  static async start(options: AgentHalfOptions): Promise<AgentHalf> {
    await mkdir(options.folder.worker, { recursive: true, mode: 0o700 });
    const half = new AgentHalf(options, await openDriver(options));
    await half.#run();
    return half;
  }

  /** Resolves when the agent runs; throws what ended it before. */
  #run(): Promise<void> {
    const { log, onFatal } = this.#options;
    return new Promise((resolve, reject) => {
      let isReady = false;
      this.#running = this.#agent.run(this.#abort.signal, () => {
        isReady = true;
        resolve();
      });
      this.#running.catch((error: unknown) => {
        if (!isReady) return reject(error);
        log.error({ err: error }, 'the agent ended');
        onFatal(error instanceof Error ? error : new Error(errorText(error)));
      });
    });
  }

  get state(): AgentState {
    return this.#agent.state;
  }

  /** Resolves when the agent has a session with a manager. */
  async connected(signal: AbortSignal): Promise<void> {
    while (!this.#agent.state.isConnected) {
      if (signal.aborted) {
        throw new SwarmError(
          'deadlineExceeded',
          'Timeout was reached before node joined. The attempt to join the swarm will continue in the background.',
        );
      }
      await new Promise((resolve) => setTimeout(resolve, CONNECT_POLL_MS));
    }
  }

  /** See {@link Agent.attach}. */
  attach(request: AttachmentRequest): Promise<Attachment> {
    return this.#agent.attach(request);
  }

  detach(request: Pick<AttachmentRequest, 'containerId' | 'network'>): Promise<void> {
    return this.#agent.detach(request);
  }

  findNameServer(network: string): Promise<string | undefined> {
    return this.#agent.findNameServer(network);
  }

  /** Opens a new session, for example with a renewed certificate. */
  reconnect(reason: string): void {
    this.#agent.reconnect(reason);
  }

  /** Ends the agent; its tasks go on. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running.catch(() => undefined);
  }

  /** Ends the agent and every task it ran. */
  async stopAndRemoveTasks(): Promise<void> {
    this.#agent.leave();
    await this.stop();
    await this.#balancer?.remove();
    const driver = await openDriver(this.#options);
    try {
      await Promise.all(
        (await driver.leftovers()).map(async ({ taskId }) => {
          await driver.removeLeftover(taskId).catch((error: unknown) => {
            this.#options.log.warn({ taskId, error: errorText(error) }, 'a task could not be removed');
          });
        }),
      );
    } finally {
      await driver.close();
    }
  }
}

const locked = (): SwarmError =>
  new SwarmError('unavailable', 'this node is locked: unlock it with "docker swarm unlock"');

const lockedConnector: ManagerConnector = {
  open: () => {
    throw locked();
  },
};

const openDriver = ({ settings, folder, log }: AgentHalfOptions): Promise<RuntimeDriver> =>
  createDriver(settings.runtime, { directory: folder.tasks, engine: settings.engine, hostname: settings.name, log });

/** Runtimes that only pretend to run something. */
const PRETENDING: ReadonlySet<string> = new Set(['hollow', 'scripted']);

const balancerOf = ({ nodeId, log }: AgentHalfOptions, driver: RuntimeDriver): Balancer | undefined =>
  PRETENDING.has(driver.name)
    ? undefined
    : new Balancer({ nodeId, clock: systemClock, log, addressOf: async (task) => driver.addressOf?.(task) });

/** Adds what only the daemon knows: the name and labels it was given, which root it trusts and who signed its certificate. */
function amend(description: NodeDescription, { settings, identity }: AgentHalfOptions): NodeDescription {
  if (!identity) throw locked();
  const root = identity.current.rootBundle;
  const issuer = issuerOf(identity.current.certificate, root);
  const labels = Object.fromEntries(
    settings.label.map((label) => {
      const at = label.indexOf('=');
      return at < 0 ? [label, ''] : [label.slice(0, at), label.slice(at + 1)];
    }),
  );
  return {
    ...description,
    hostname: settings.name,
    engine: description.engine && { ...description.engine, labels: { ...description.engine.labels, ...labels } },
    tlsInfo: { trustRoot: Buffer.from(root), certIssuerSubject: issuer.subject, certIssuerPublicKey: issuer.publicKey },
  };
}

/**
 * Docker Engines find one another for their overlay networks by gossip, and take the hosts of the managers as those to ask
 * first. On a host without an engine nothing would answer there, and each engine would stay alone; so a manager passes
 * such connections on, byte for byte, to an engine it knows. What passes is encrypted with keys of the swarm.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { isSwarmError } from '../../common/errors.ts';
import type { Logger } from '../../common/log.ts';
import { NodeStatus_State } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { isDockerEngine } from '../placement/docker-engine.ts';
import type { Store } from '../store/store.ts';

/** Memberlist's port. */
const GOSSIP_PORT = 7946;
const CONNECT_TIMEOUT_MS = 5_000;
/** A port that is taken, for example by an engine on this host, is tried again after this, in ms. */
const RETRY_MS = 30_000;
/** Changes of nodes are gathered for this long, in ms. */
const GATHER_MS = 100;

export interface GossipRelayOptions {
  readonly host: string;
  readonly port?: number;
  readonly store: Store;
  readonly log: Logger;
}

export class GossipRelay {
  readonly #options: GossipRelayOptions;
  readonly #sockets = new Set<Socket>();
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #server: Server | undefined;
  #retry: NodeJS.Timeout | undefined;
  #dueUpdate: NodeJS.Timeout | undefined;
  #next = 0;

  constructor(options: GossipRelayOptions) {
    this.#options = options;
  }

  /** Listens while there are engines and none of them is on this host, until it is stopped. */
  start(): void {
    this.#running = this.#follow(this.#stopping.signal).catch((error: unknown) => {
      this.#options.log.error({ err: error }, 'the relay for the gossip of engines ended');
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { store } = this.#options;
    while (!signal.aborted) {
      const [, watch] = store.readAndWatch(() => this.#update(), { kinds: ['node'], signal });
      try {
        for await (const _ of watch) this.#updateSoon();
      } catch (error) {
        // Too many changes at once: what counts is how things are now.
        if (!isSwarmError(error, 'resourceExhausted')) throw error;
      }
    }
    this.#close();
  }

  /** With thousands of nodes that come and go, looking at all of them at each change would be too much. */
  #updateSoon(): void {
    this.#dueUpdate ??= setTimeout(() => {
      this.#dueUpdate = undefined;
      if (!this.#stopping.signal.aborted) this.#update();
    }, GATHER_MS);
    this.#dueUpdate.unref();
  }

  #update(): void {
    const engines = this.#engines();
    if (engines.length === 0 || engines.includes(this.#options.host)) this.#close();
    else if (!this.#server && !this.#retry) this.#listen();
  }

  /** Addresses of the engines that are up. */
  #engines(): readonly string[] {
    return this.#options.store.read.node
      .all()
      .filter((node) => node.status?.state === NodeStatus_State.READY && isDockerEngine(node))
      .map((node) => node.status?.addr ?? '');
  }

  #close(): void {
    clearTimeout(this.#retry);
    clearTimeout(this.#dueUpdate);
    this.#dueUpdate = undefined;
    this.#retry = undefined;
    this.#server?.close();
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
  }

  #listen(): void {
    const { host, port = GOSSIP_PORT, log } = this.#options;
    const server = createServer((socket) => this.#relay(socket));
    this.#server = server;
    server.once('error', (error) => {
      if (this.#server !== server) return;
      log.debug({ err: error, host, port }, 'no relay for the gossip of engines');
      this.#server = undefined;
      this.#retry = setTimeout(() => {
        this.#retry = undefined;
        this.#update();
      }, RETRY_MS);
      this.#retry.unref();
    });
    server.listen(port, host);
    server.unref();
  }

  #relay(from: Socket): void {
    const engine = this.#engineFor(from.remoteAddress?.replace(/^::ffff:/, ''));
    if (engine === undefined) {
      from.destroy();
      return;
    }
    const to = connect({ host: engine, port: this.#options.port ?? GOSSIP_PORT, timeout: CONNECT_TIMEOUT_MS });
    to.once('connect', () => to.setTimeout(0));
    to.once('timeout', () => to.destroy());
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      this.#sockets.add(one);
      one.on('error', () => other.destroy());
      one.once('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }

  /** Another engine than the one that asks, in turn; its own where there is no other. */
  #engineFor(asking: string | undefined): string | undefined {
    const engines = this.#engines();
    const others = engines.filter((address) => address !== asking);
    const choice = others.length > 0 ? others : engines;
    return choice[this.#next++ % choice.length];
  }
}

/**
 * Docker Engines find one another for their overlay networks by gossip, and take the hosts of the managers as those to ask
 * first. On a host without an engine nothing would answer there, and each engine would stay alone; so a manager passes
 * such connections on, byte for byte, to an engine it knows. What passes is encrypted with keys of the swarm.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { isSwarmError } from '../../common/errors.ts';
import type { Logger } from '../../common/log.ts';
import type { Node } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeStatus_State } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { isDockerEngine } from '../placement/docker-engine.ts';
import type { Change } from '../store/change.ts';
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
        for await (const commits of watch) {
          // Engines that join together ask at once, and would stay alone for a minute.
          if (!this.#server && commits.some(({ changes }) => changes.some(bringsEngine))) this.#update();
          else this.#updateSoon();
        }
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
      .filter(isEngineThatIsUp)
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

  /** Leads a connection to the first engine that answers. */
  #relay(from: Socket): void {
    this.#keep(from);
    const tryNext = ([engine, ...others]: readonly string[]): void => {
      if (engine === undefined || from.destroyed) {
        from.destroy();
        return;
      }
      const to = connect({ host: engine, port: this.#options.port ?? GOSSIP_PORT, timeout: CONNECT_TIMEOUT_MS });
      this.#keep(to);
      const onFailed = (): void => tryNext(others);
      to.once('timeout', () => to.destroy());
      to.once('close', onFailed);
      to.once('connect', () => {
        to.setTimeout(0);
        to.off('close', onFailed);
        join(from, to);
      });
    };
    tryNext(this.#enginesFor(from.remoteAddress?.replace(/^::ffff:/, '')));
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  /** Other engines than the one that asks, beginning with each in turn; at last its own, which is there where no other is. */
  #enginesFor(asking: string | undefined): readonly string[] {
    const engines = this.#engines();
    const others = engines.filter((address) => address !== asking);
    const first = others.length > 0 ? this.#next++ % others.length : 0;
    return [...others.slice(first), ...others.slice(0, first), ...engines.filter((address) => address === asking)];
  }
}

/** Passes on what either says until one of them ends. */
function join(one: Socket, other: Socket): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    if (from.destroyed) to.destroy();
    from.once('close', () => to.destroy());
    from.pipe(to);
  }
}

const bringsEngine = (change: Change): boolean =>
  change.kind === 'node' &&
  change.action !== 'delete' &&
  isEngineThatIsUp(change.object) &&
  !(change.old && isEngineThatIsUp(change.old));

const isEngineThatIsUp = (node: Node): boolean => node.status?.state === NodeStatus_State.READY && isDockerEngine(node);

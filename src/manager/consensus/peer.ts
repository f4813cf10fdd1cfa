/**
 * The way to one other manager: a WebSocket that stays, for ordinary messages; each snapshot goes another way, see
 * {@link sendSnapshot}. Raft copes with lost messages, so whatever cannot be sent soon is dropped.
 */
import type { ConnectionOptions } from 'node:tls';
import type { Message } from 'raft-ts';
import { WebSocket, type ClientOptions } from 'ws';
import { Backoff } from '../../common/backoff.ts';
import type { CancelTimer, Clock } from '../../common/clock.ts';
import { errorText } from '../../common/errors.ts';
import type { Logger } from '../../common/log.ts';
import type { Random } from '../../common/random.ts';
import { memberTls } from '../../identity/client-credentials.ts';
import type { NodeIdentity } from '../../identity/node-identity.ts';
import { HTTP_1 } from '../../identity/tls-listener.ts';
import { Message as MessagePb } from '../../proto/generated/raftpb/raftpb.ts';
import { MEMBER_REMOVED } from './incoming-message.ts';
import { CLOSE_REFUSED, MESSAGES_PATH } from './message-sockets.ts';
import { messageToWire } from './wire.ts';

/** Bytes that may wait for a slow connection. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
const RECONNECT = { baseMs: 50, maxMs: 1_000 };
const CONNECT_TIMEOUT_MS = 2_000;
/** A connection is given up when nothing comes back for so long. TCP would take many minutes. */
const SILENCE_MS = 7_500;

export interface PeerEvents {
  /** {@link Peer.activeSince} changed. */
  reachability(): void;
  /** Messages to this peer are being lost. */
  unreachable(): void;
  /** The connection broke, as it does when the process of the peer ends. */
  disconnected(): void;
  /** The peer says that this manager was removed from the group. */
  removed(): void;
}

export interface PeerOptions {
  readonly raftId: string;
  readonly address: string;
  readonly identity: NodeIdentity;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly events: PeerEvents;
}

export class Peer {
  readonly #options: PeerOptions;
  readonly #backoff: Backoff;
  readonly #stopFollowing: () => void;
  /** Carries messages once it is open. */
  #socket: WebSocket | undefined;
  /** Dialled with a renewed certificate; takes over once it is open. */
  #successor: WebSocket | undefined;
  #cancelRetry: CancelTimer | undefined;
  #cancelWatch: CancelTimer | undefined;
  #cancelChangeOver: CancelTimer | undefined;
  #isClosed = false;
  /** Monotonic ms since when the peer has been reachable; undefined while it is not. */
  #activeSince: number | undefined;

  constructor(options: PeerOptions) {
    this.#options = options;
    this.#backoff = new Backoff(RECONNECT, options.random);
    this.#stopFollowing = options.identity.onChange(() => this.#changeOver());
    this.#connect();
  }

  get address(): string {
    return this.#options.address;
  }

  /** Monotonic ms since when the peer has been reachable; undefined while it is not. */
  get activeSince(): number | undefined {
    return this.#activeSince;
  }

  /** Sends, or drops. */
  send(message: Message): void {
    if (this.#isClosed) return;
    const socket = this.#socket;
    if (!socket || this.#activeSince === undefined || socket.bufferedAmount > MAX_WAITING_BYTES) {
      this.#options.events.unreachable();
      return;
    }
    socket.send(MessagePb.encode(messageToWire(message)).finish());
  }

  close(): void {
    this.#isClosed = true;
    this.#stopFollowing();
    this.#cancelRetry?.();
    this.#cancelWatch?.();
    this.#cancelChangeOver?.();
    this.#socket?.terminate();
    this.#successor?.terminate();
  }

  /** @param settled called once: when the connection is open, and when it is not going to be */
  #dial(settled: (socket: WebSocket, error: Error | undefined) => void): WebSocket {
    const { address, identity } = this.#options;
    const options: ClientOptions & ConnectionOptions = {
      ...memberTls(identity.current),
      ALPNProtocols: [HTTP_1],
      handshakeTimeout: CONNECT_TIMEOUT_MS,
      perMessageDeflate: false,
      generateMask: noMask,
    };
    const socket = new WebSocket(`wss://${address}${MESSAGES_PATH}`, options);
    let failure: Error | undefined;
    socket.on('error', (error) => {
      failure = error;
    });
    socket.once('open', () => settled(socket, undefined));
    socket.once('close', (code, reason) => {
      if (socket === this.#socket && this.#activeSince !== undefined) this.#broke(code, String(reason));
      else if (socket === this.#socket || socket === this.#successor)
        settled(socket, failure ?? new Error(`closed: ${String(reason)}`));
    });
    return socket;
  }

  #connect(): void {
    if (this.#isClosed) return;
    this.#cancelRetry?.();
    this.#socket = this.#dial((socket, error) => {
      if (this.#isClosed || socket !== this.#socket) return;
      if (error) this.#retry(error);
      else this.#opened(socket);
    });
  }

  /**
   * Goes over to a connection with the new certificate without a gap: the old one carries messages until the new one is
   * open. A leader that fell silent for the length of a slow handshake would lose its leadership.
   */
  #changeOver(): void {
    this.#cancelChangeOver?.();
    this.#successor?.terminate();
    this.#successor = this.#dial((successor, error) => {
      if (this.#isClosed || successor !== this.#successor) return;
      this.#successor = undefined;
      if (error) {
        // Without a connection the next try is made with the new certificate anyway.
        this.#cancelChangeOver = this.#options.clock.setTimer(RECONNECT.maxMs, () => {
          if (this.#activeSince !== undefined) this.#changeOver();
        });
        return;
      }
      this.#cancelRetry?.();
      // What was written to the old one still arrives.
      this.#socket?.close();
      this.#socket = successor;
      this.#opened(successor);
    });
  }

  #opened(socket: WebSocket): void {
    const { clock, events } = this.#options;
    this.#backoff.reset();
    this.#cancelWatch?.();
    let hasAnswered = true;
    socket.on('pong', () => {
      hasAnswered = true;
    });
    const watch = (): void => {
      if (!hasAnswered) return socket.terminate();
      hasAnswered = false;
      socket.ping();
      this.#cancelWatch = clock.setTimer(SILENCE_MS, watch);
    };
    watch();
    if (this.#activeSince !== undefined) return;
    this.#activeSince = clock.monotonic();
    events.reachability();
  }

  #broke(code: number, reason: string): void {
    const { events } = this.#options;
    this.#cancelWatch?.();
    this.#activeSince = undefined;
    events.reachability();
    if (code === CLOSE_REFUSED && reason === MEMBER_REMOVED) events.removed();
    events.unreachable();
    if (code !== CLOSE_REFUSED) events.disconnected();
    this.#retry(new Error(reason || 'the connection broke'));
  }

  #retry(error: Error): void {
    if (this.#isClosed) return;
    const wait = this.#backoff.next();
    if (this.#backoff.failures === 1) {
      this.#options.log.info({ peer: this.#options.address, error: errorText(error) }, 'peer is not reachable');
    }
    this.#cancelRetry = this.#options.clock.setTimer(wait, () => this.#connect());
  }
}

/** Masks protect proxies that do not understand WebSockets (RFC 6455 §10.3); there is none inside TLS. A mask of zeros changes nothing. */
function noMask(mask: Buffer): void {
  mask.fill(0);
}

/**
 * The way to one other manager: a long-lived stream for ordinary messages and a stream of its own for each snapshot, so
 * that a large snapshot never delays a heartbeat. Raft copes with lost messages, so whatever cannot be sent soon is dropped.
 */
import { Metadata, type ClientWritableStream } from '@grpc/grpc-js';
import type { Message } from 'raft-ts';
import { Backoff } from '../../common/backoff.ts';
import type { CancelTimer, Clock } from '../../common/clock.ts';
import { errorText, isSwarmError, type SwarmError } from '../../common/errors.ts';
import type { Logger } from '../../common/log.ts';
import type { Random } from '../../common/random.ts';
import { rpcError } from '../../common/rpc-client.ts';
import { managerChannelOptions, memberCredentials } from '../../identity/client-credentials.ts';
import type { NodeIdentity } from '../../identity/node-identity.ts';
import {
  RaftClient,
  type StreamRaftMessageRequest,
  type StreamRaftMessageResponse,
} from '../../proto/generated/docker/swarmkit/v1/raft.ts';
import { messageToWire } from './wire.ts';

/** Marks a stream that carries many messages instead of the pieces of one. */
export const CONTINUOUS_STREAM = 'swarmd-continuous';
/** Messages and bytes that may wait for a slow connection. */
const MAX_QUEUED_MESSAGES = 4096;
const MAX_QUEUED_BYTES = 64 * 1024 * 1024;
const RECONNECT = { baseMs: 50, maxMs: 1_000 };
const CONNECT_TIMEOUT_MS = 2_000;
/** Longest that one piece of a snapshot may take. */
const SNAPSHOT_CHUNK_TIMEOUT_MS = 5_000;

export interface PeerEvents {
  /** Messages to this peer are being lost. */
  unreachable(): void;
  /** The connection broke, as it does when the process of the peer ends. */
  disconnected(): void;
  /** The peer says that this manager was removed from the group. */
  removed(error: SwarmError): void;
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

type MessageStream = ClientWritableStream<StreamRaftMessageRequest>;

export class Peer {
  readonly #options: PeerOptions;
  readonly #backoff: Backoff;
  readonly #stopFollowing: () => void;
  #client: RaftClient;
  /** Dialled with a renewed certificate; takes over once it is ready. */
  #successor: RaftClient | undefined;
  #stream: MessageStream | undefined;
  #isBlocked = false;
  #queue: Message[] = [];
  #queuedBytes = 0;
  #cancelRetry: CancelTimer | undefined;
  #isClosed = false;
  /** Monotonic ms since when the stream has been up; undefined while it is down. */
  #activeSince: number | undefined;

  constructor(options: PeerOptions) {
    this.#options = options;
    this.#backoff = new Backoff(RECONNECT, options.random);
    this.#client = this.#newClient();
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

  /** Sends, queues for a moment, or drops. */
  send(message: Message): void {
    if (this.#isClosed) return;
    if (!this.#stream || this.#activeSince === undefined) {
      this.#options.events.unreachable();
      return;
    }
    if (this.#isBlocked) this.#enqueue(message);
    else this.#write(message);
  }

  /** Sends a snapshot in pieces. Throws SwarmError when the peer did not take it. */
  async sendSnapshot(message: Message, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const wire = messageToWire(message);
    const metadata = wire.snapshot?.metadata;
    let answer: (error?: Error) => void = () => undefined;
    const done = new Promise<void>((resolve, reject) => {
      answer = (error) => (error ? reject(error) : resolve());
    });
    done.catch(() => undefined);
    const stream = this.#client.streamRaftMessage((error: Error | null, _response: StreamRaftMessageResponse) =>
      answer(error ?? undefined),
    );
    stream.on('error', () => undefined);
    try {
      for await (const data of chunks) {
        const piece = {
          ...wire,
          snapshot: { data: Buffer.from(data.buffer, data.byteOffset, data.byteLength), metadata },
        };
        if (!stream.write({ message: piece })) await Promise.race([this.#drained(stream), done]);
      }
      stream.end();
      await done;
    } catch (error) {
      stream.cancel();
      throw rpcError(error);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#stopFollowing();
    this.#cancelRetry?.();
    this.#dropStream();
    this.#successor?.close();
    this.#client.close();
  }

  #newClient(): RaftClient {
    const { address, identity } = this.#options;
    return new RaftClient(address, memberCredentials(identity.current), managerChannelOptions);
  }

  /**
   * Goes over to a connection with the new certificate without a gap: the old one carries messages until the new one is
   * ready. A leader that fell silent for the length of a slow handshake would lose its leadership.
   */
  #changeOver(): void {
    this.#successor?.close();
    const successor = this.#newClient();
    this.#successor = successor;
    successor.waitForReady(Date.now() + CONNECT_TIMEOUT_MS, (error) => {
      if (this.#isClosed || successor !== this.#successor) return;
      if (error && this.#stream) return this.#changeOver();
      this.#successor = undefined;
      this.#cancelRetry?.();
      const old = this.#client;
      this.#client = successor;
      // What was written to the old stream still arrives.
      this.#stream?.end();
      this.#forgetStream();
      old.close();
      if (!error) return this.#open();
      this.#activeSince = undefined;
      this.#retry(error);
    });
  }

  #connect(): void {
    if (this.#isClosed) return;
    this.#cancelRetry?.();
    const client = this.#client;
    client.waitForReady(Date.now() + CONNECT_TIMEOUT_MS, (error) => {
      if (this.#isClosed || client !== this.#client) return;
      if (error) this.#retry(error);
      else this.#open();
    });
  }

  #open(): void {
    const metadata = new Metadata();
    metadata.set(CONTINUOUS_STREAM, '1');
    const stream = this.#client.streamRaftMessage(metadata, (error: Error | null) => this.#onEnd(stream, error));
    stream.on('error', () => undefined);
    stream.on('drain', () => this.#onDrain(stream));
    this.#stream = stream;
    this.#isBlocked = false;
    this.#activeSince ??= this.#options.clock.monotonic();
    this.#backoff.reset();
  }

  #onEnd(stream: MessageStream, thrown: Error | null): void {
    if (stream !== this.#stream) return;
    const error = thrown ? rpcError(thrown) : undefined;
    if (isSwarmError(error) && error.message.includes(MEMBER_REMOVED)) this.#options.events.removed(error);
    this.#dropStream();
    this.#options.events.unreachable();
    if (error?.code === 'unavailable') this.#options.events.disconnected();
    this.#retry(error);
  }

  #retry(error: Error | undefined): void {
    const wait = this.#backoff.next();
    if (this.#backoff.failures === 1) {
      this.#options.log.info(
        { peer: this.#options.address, error: error && errorText(error) },
        'peer is not reachable',
      );
    }
    this.#cancelRetry = this.#options.clock.setTimer(wait, () => this.#connect());
  }

  #dropStream(): void {
    const stream = this.#stream;
    this.#forgetStream();
    this.#activeSince = undefined;
    stream?.cancel();
  }

  #forgetStream(): void {
    this.#stream = undefined;
    this.#queue = [];
    this.#queuedBytes = 0;
  }

  #write(message: Message): void {
    if (this.#stream?.write({ message: messageToWire(message) }) === false) this.#isBlocked = true;
  }

  #enqueue(message: Message): void {
    const bytes = message.entries.reduce((sum, entry) => sum + entry.data.length, 64);
    if (this.#queue.length >= MAX_QUEUED_MESSAGES || this.#queuedBytes + bytes > MAX_QUEUED_BYTES) {
      this.#options.events.unreachable();
      return;
    }
    this.#queue.push(message);
    this.#queuedBytes += bytes;
  }

  #onDrain(stream: MessageStream): void {
    if (stream !== this.#stream) return;
    this.#isBlocked = false;
    const waiting = this.#queue;
    this.#queue = [];
    this.#queuedBytes = 0;
    for (const message of waiting) this.send(message);
  }

  #drained(stream: MessageStream): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.#options.clock.setTimer(SNAPSHOT_CHUNK_TIMEOUT_MS, () =>
        reject(new Error(`a piece of the snapshot was not taken within ${SNAPSHOT_CHUNK_TIMEOUT_MS} ms`)),
      );
      stream.once('drain', () => {
        cancel();
        resolve();
      });
    });
  }
}

/** Text by which a peer says that the sender is no member any more; Docker managers use the same words. */
export const MEMBER_REMOVED = 'raft: member was removed';

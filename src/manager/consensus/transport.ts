/** Sends raft messages to the other managers; one {@link Peer} each. */
import type { Message } from 'raft-ts';
import type { Clock } from '../../common/clock.ts';
import { errorText, SwarmError } from '../../common/errors.ts';
import type { Logger } from '../../common/log.ts';
import type { Random } from '../../common/random.ts';
import type { NodeIdentity } from '../../identity/node-identity.ts';
import type { Member } from './member-list.ts';
import { Peer } from './peer.ts';
import { sendSnapshot } from './snapshot-stream.ts';

export interface TransportOptions {
  readonly identity: NodeIdentity;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Messages to a peer are being lost. */
  readonly onUnreachable: (raftId: string) => void;
  /** Another set of peers can be reached than before. */
  readonly onReachability: () => void;
  /** The connection to a peer broke. */
  readonly onDisconnected: (raftId: string) => void;
  /** A peer says that this manager was removed from the group. */
  readonly onRemoved: () => void;
}

export class Transport {
  readonly #options: TransportOptions;
  readonly #peers = new Map<string, Peer>();

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /** Makes the peers be exactly `members`; a changed address is dialled anew. */
  setPeers(members: readonly Member[]): void {
    const wanted = new Map(members.map((member) => [member.raftId, member.address]));
    for (const [raftId, peer] of this.#peers) {
      if (wanted.get(raftId) === peer.address) continue;
      peer.close();
      this.#peers.delete(raftId);
    }
    for (const [raftId, address] of wanted) {
      if (this.#peers.has(raftId)) continue;
      const { identity, clock, random, log } = this.#options;
      const events = {
        reachability: () => this.#options.onReachability(),
        unreachable: () => this.#options.onUnreachable(raftId),
        disconnected: () => this.#options.onDisconnected(raftId),
        removed: () => this.#options.onRemoved(),
      };
      this.#peers.set(raftId, new Peer({ raftId, address, identity, clock, random, log, events }));
    }
  }

  send(messages: readonly Message[]): void {
    for (const message of messages) {
      const peer = this.#peers.get(message.to);
      if (peer) peer.send(message);
      else this.#options.onUnreachable(message.to);
    }
  }

  /** Throws SwarmError when the peer did not take the snapshot. */
  async sendSnapshot(message: Message, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const peer = this.#peers.get(message.to);
    if (!peer) throw new SwarmError('notFound', `raft member ${message.to} has no known address`);
    const { identity, clock, log } = this.#options;
    const startedMs = clock.monotonic();
    try {
      await sendSnapshot({ address: peer.address, identity, clock }, message, chunks);
      const tookMs = Math.round(clock.monotonic() - startedMs);
      log.info({ peer: peer.address, index: message.snapshot?.metadata.index, tookMs }, 'snapshot sent');
    } catch (error) {
      log.warn({ peer: peer.address, error: errorText(error) }, 'snapshot could not be sent');
      throw error;
    }
  }

  /** Monotonic ms since when a peer has been reachable; undefined while it is not. */
  activeSince(raftId: string): number | undefined {
    return this.#peers.get(raftId)?.activeSince;
  }

  close(): void {
    for (const peer of this.#peers.values()) peer.close();
    this.#peers.clear();
  }
}

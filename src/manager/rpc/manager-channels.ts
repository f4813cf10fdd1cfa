/** Connections to other managers for forwarded calls: one channel per address, shared by all clients of that address. */
import { Channel, type ChannelCredentials, type ChannelOptions } from '@grpc/grpc-js';
import { managerChannelOptions, memberCredentials } from '../../identity/client-credentials.ts';
import type { NodeIdentity } from '../../identity/node-identity.ts';

/** Constructor of a generated client. */
export type ClientConstructor<C> = new (
  address: string,
  credentials: ChannelCredentials,
  options: ChannelOptions & { channelOverride: Channel },
) => C;

export class ManagerChannels {
  readonly #identity: NodeIdentity;
  readonly #channels = new Map<string, Channel>();
  readonly #clients = new Map<string, Map<unknown, unknown>>();
  readonly #stopFollowing: () => void;

  constructor(identity: NodeIdentity) {
    this.#identity = identity;
    // A channel keeps the certificate it was made with, so a new certificate means new channels.
    this.#stopFollowing = identity.onChange(() => this.#closeAll());
  }

  /** A client of a manager; cached, so do not close it. */
  client<C>(address: string, type: ClientConstructor<C>): C {
    const known = this.#clients.get(address)?.get(type) as C | undefined;
    if (known) return known;
    const credentials = memberCredentials(this.#identity.current);
    let channel = this.#channels.get(address);
    if (!channel) {
      channel = new Channel(address, credentials, managerChannelOptions);
      this.#channels.set(address, channel);
      this.#clients.set(address, new Map());
    }
    const client = new type(address, credentials, { ...managerChannelOptions, channelOverride: channel });
    this.#clients.get(address)?.set(type, client);
    return client;
  }

  close(): void {
    this.#stopFollowing();
    this.#closeAll();
  }

  #closeAll(): void {
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
    this.#clients.clear();
  }
}

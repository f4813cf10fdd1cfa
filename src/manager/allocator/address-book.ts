/**
 * Who holds which address in every network: the allocator's private table, rebuilt from the store at the start of each
 * term. Everything that is held is noted before anything is handed out, so no address is ever given twice.
 */
import type {
  Network,
  NetworkAttachment,
  Node,
  Service,
  Task,
} from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { addressKey } from '../store/objects.ts';
import type { Reader } from '../store/transaction.ts';
import { AddressSpace, parseIpv4, parseSubnet } from './address-space.ts';

interface Held {
  readonly networkId: string;
  readonly address: number;
}

export class AddressBook {
  readonly #spaces = new Map<string, AddressSpace>();
  /** What each owner ("task:id", "service:id", "node:id") holds. */
  readonly #held = new Map<string, readonly Held[]>();
  #reader: Reader | undefined;

  /** Makes the addresses of an allocated network available; the gateway and what was reserved are taken. */
  addNetwork(network: Network): void {
    if (this.#spaces.has(network.id)) return;
    for (const config of network.ipam?.configs ?? []) {
      const subnet = parseSubnet(config.subnet);
      if (!subnet) continue;
      const space = new AddressSpace(subnet, config.range === '' ? subnet : (parseSubnet(config.range) ?? subnet));
      for (const text of [config.gateway, ...Object.values(config.reserved)]) {
        const address = parseIpv4(text);
        if (address !== undefined) space.take(address);
      }
      this.#spaces.set(network.id, space);
      return;
    }
  }

  removeNetwork(id: string): void {
    this.#spaces.delete(id);
  }

  /** Whether addresses of this network can be handed out. */
  knows(networkId: string): boolean {
    return this.#spaces.has(networkId);
  }

  /**
   * Takes an address, the wanted one if it is given and free; "ip/prefix", or undefined when there is none. What the
   * transaction it is for shows as held by somebody is never given, whatever the book says.
   */
  take(networkId: string, wanted?: string): string | undefined {
    const space = this.#spaces.get(networkId);
    if (!space) return undefined;
    const asked = wanted === undefined ? undefined : parseIpv4(wanted);
    for (;;) {
      const address = asked === undefined ? space.takeAny() : space.take(asked) ? asked : undefined;
      if (address === undefined) return undefined;
      if (!this.#isHeld(networkId, space.format(address))) return space.format(address);
      if (asked !== undefined) return undefined;
    }
  }

  /** The transaction that addresses are taken for from now on. */
  for(reader: Reader): this {
    this.#reader = reader;
    return this;
  }

  #isHeld(networkId: string, address: string): boolean {
    const key = addressKey(networkId, address);
    const reader = this.#reader;
    return (
      reader !== undefined &&
      (reader.task.by('address', key).length > 0 ||
        reader.service.by('address', key).length > 0 ||
        reader.node.by('address', key).length > 0)
    );
  }

  /** Gives back addresses that were taken but are not held by anybody after all. */
  release(networkId: string, address: string): void {
    const number = parseIpv4(address);
    if (number !== undefined) this.#spaces.get(networkId)?.release(number);
  }

  /** Notes what an owner holds now; whatever it held before and holds no more is free again. Returns whether something became free. */
  hold(owner: string, addresses: Iterable<readonly [networkId: string, address: string]>): boolean {
    const before = this.#held.get(owner) ?? [];
    const now: Held[] = [];
    for (const [networkId, text] of addresses) {
      const address = parseIpv4(text);
      if (address !== undefined) now.push({ networkId, address });
    }
    for (const { networkId, address } of now) this.#spaces.get(networkId)?.take(address);
    const freed = before.filter((old) => !now.some((h) => h.networkId === old.networkId && h.address === old.address));
    for (const { networkId, address } of freed) this.#spaces.get(networkId)?.release(address);
    if (now.length > 0) this.#held.set(owner, now);
    else this.#held.delete(owner);
    return freed.length > 0;
  }
}

export const taskOwner = (task: Pick<Task, 'id'>): string => `task:${task.id}`;
export const serviceOwner = (service: Pick<Service, 'id'>): string => `service:${service.id}`;
export const nodeOwner = (node: Pick<Node, 'id'>): string => `node:${node.id}`;

/** Addresses of a task that may still use them. */
export const taskAddresses = (task: Task): readonly (readonly [string, string])[] =>
  (task.status?.state ?? TaskState.NEW) > TaskState.RUNNING ? [] : attachmentAddresses(task.networks);

/** Virtual addresses of a service; in networks that end at each node it has none. */
export const serviceAddresses = (service: Service): readonly (readonly [string, string])[] =>
  (service.endpoint?.virtualIps ?? [])
    .filter(({ addr }) => addr !== '')
    .map(({ networkId, addr }) => [networkId, addr]);

/** Load-balancer addresses of a node. */
export const nodeAddresses = (node: Node): readonly (readonly [string, string])[] =>
  attachmentAddresses(node.attachments);

const attachmentAddresses = (attachments: readonly NetworkAttachment[]): readonly (readonly [string, string])[] =>
  attachments.flatMap(({ network, addresses }) => addresses.map((address) => [network?.id ?? '', address] as const));

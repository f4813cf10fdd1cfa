/**
 * The load-balancer addresses of a node that is a Docker Engine: one in the ingress network and one in each network its
 * tasks are on. An engine makes a network only when it was told its address there, and removes it when it has none.
 */
import type { Network, NetworkAttachment, Node, Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { isDockerEngine } from '../placement/docker-engine.ts';
import { isNodeLocal } from '../placement/node-local-network.ts';
import type { AddressBook } from './address-book.ts';

export interface NodeSurroundings {
  readonly addresses: AddressBook;
  readonly network: (id: string) => Network | undefined;
  readonly ingressNetworkId: string | undefined;
  /** Networks that tasks on the node are on. */
  readonly used: Iterable<string>;
}

/** What the node should have, with the networks it could get no address in; undefined when nothing changes. */
export interface NodePlan {
  readonly node: Node | undefined;
  readonly lacking: readonly string[];
}

export function planNode(node: Node, { addresses, network, ingressNetworkId, used }: NodeSurroundings): NodePlan {
  const held = new Map(node.attachments.map((attachment) => [attachment.network?.id ?? '', attachment]));
  const attachments: NetworkAttachment[] = [];
  const lacking: string[] = [];
  for (const id of isDockerEngine(node) ? new Set([...(ingressNetworkId ? [ingressNetworkId] : []), ...used]) : []) {
    const target = network(id);
    if (!target || isNodeLocal(target)) continue;
    const present = held.get(id);
    const address = present?.addresses[0] ?? addresses.take(id);
    if (address === undefined) lacking.push(id);
    else attachments.push(present ?? { network: target, addresses: [address], aliases: [], driverAttachmentOpts: {} });
  }
  const isSame =
    attachments.length === node.attachments.length &&
    attachments.every((attachment, i) => attachment === node.attachments[i]);
  return { node: isSame ? undefined : { ...node, attachments }, lacking };
}

/** Which networks the tasks on each node are on. */
export class NetworksInUse {
  /** Per node and network, how many tasks. */
  readonly #counts = new Map<string, Map<string, number>>();
  readonly #places = new Map<string, { readonly nodeId: string; readonly networkIds: readonly string[] }>();

  /** Takes note of a task; returns the node whose networks may have changed by it. */
  note(task: Task, isGone = false): string | undefined {
    const state = task.status?.state ?? TaskState.NEW;
    const isThere = !isGone && task.nodeId !== '' && state >= TaskState.ASSIGNED && state <= TaskState.RUNNING;
    const before = this.#places.get(task.id);
    if (isThere === (before !== undefined)) return undefined;
    if (before) {
      for (const id of before.networkIds) this.#count(before.nodeId, id, -1);
      this.#places.delete(task.id);
      return before.nodeId;
    }
    const networkIds = task.networks.flatMap(({ network }) => (network ? [network.id] : []));
    if (networkIds.length === 0) return undefined;
    for (const id of networkIds) this.#count(task.nodeId, id, 1);
    this.#places.set(task.id, { nodeId: task.nodeId, networkIds });
    return task.nodeId;
  }

  of(nodeId: string): Iterable<string> {
    return this.#counts.get(nodeId)?.keys() ?? [];
  }

  #count(nodeId: string, networkId: string, by: number): void {
    const counts = this.#counts.get(nodeId) ?? new Map<string, number>();
    const count = (counts.get(networkId) ?? 0) + by;
    if (count > 0) counts.set(networkId, count);
    else counts.delete(networkId);
    if (counts.size > 0) this.#counts.set(nodeId, counts);
    else this.#counts.delete(nodeId);
  }
}

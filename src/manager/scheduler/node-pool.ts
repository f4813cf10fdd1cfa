/** Nodes a group may choose from (all, or those of one branch of a placement preference), in the orders strategies ask for. */
import type { NodeInfo } from './node-info.ts';
import { NodeOrder } from './node-order.ts';

export class NodePool {
  readonly #nodes = new Set<NodeInfo>();
  /** Orders in use, by what they order by. */
  readonly #orders = new Map<(node: NodeInfo) => number, NodeOrder>();
  #byId: readonly NodeInfo[] | undefined;

  get size(): number {
    return this.#nodes.size;
  }

  add(node: NodeInfo): void {
    this.#nodes.add(node);
    this.#byId = undefined;
    this.mark(node);
  }

  remove(node: NodeInfo): void {
    this.#nodes.delete(node);
    this.#byId = undefined;
    this.mark(node);
  }

  /** Tells that a node changed. */
  mark(node: NodeInfo): void {
    for (const order of this.#orders.values()) order.mark(node);
  }

  /** The nodes in the order of a rank that does not depend on the group. */
  orderBy(baseRank: (node: NodeInfo) => number): NodeOrder {
    const known = this.#orders.get(baseRank);
    if (known) return known;
    const order = new NodeOrder(this.#nodes, baseRank);
    this.#orders.set(baseRank, order);
    return order;
  }

  /** The nodes in order of id; sorted again only after some came or went. */
  byId(): readonly NodeInfo[] {
    return (this.#byId ??= [...this.#nodes].sort((a, b) => (a.id < b.id ? -1 : 1)));
  }
}

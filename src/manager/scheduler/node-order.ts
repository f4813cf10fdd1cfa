/**
 * The nodes of a pool in the order in which a strategy would use them, so that placing a few tasks looks at a few nodes.
 * Nodes that changed are kept aside and sorted in together, once there are enough of them to be worth it.
 */
import type { NodeInfo } from './node-info.ts';

export class NodeOrder {
  /** The pool's, which changes. */
  readonly #nodes: ReadonlySet<NodeInfo>;
  readonly #rank: (node: NodeInfo) => number;
  #sorted: readonly NodeInfo[] = [];
  #ranks: readonly number[] = [];
  readonly #changed = new Set<NodeInfo>();

  /** @param rank lower comes first; equal ranks in order of node id */
  constructor(nodes: ReadonlySet<NodeInfo>, rank: (node: NodeInfo) => number) {
    this.#nodes = nodes;
    this.#rank = rank;
    for (const node of nodes) this.#changed.add(node);
    this.#merge();
  }

  has(node: NodeInfo): boolean {
    return this.#nodes.has(node);
  }

  /** Tells that a node changed, came to the pool or left it. */
  mark(node: NodeInfo): void {
    this.#changed.add(node);
  }

  /**
   * The order at this moment: `changed` nodes have no place in it, all others are in `sorted` with their `ranks`
   * (which may name some of the changed ones at a place they no longer have).
   * It stays as it is until the next call, but for nodes that change meanwhile, which are then among the changed.
   */
  settle(): {
    readonly sorted: readonly NodeInfo[];
    readonly ranks: readonly number[];
    readonly changed: ReadonlySet<NodeInfo>;
  } {
    // With about √n nodes aside, looking at them costs as much as sorting them in costs per change.
    if (this.#changed.size > Math.sqrt(this.#sorted.length)) this.#merge();
    return { sorted: this.#sorted, ranks: this.#ranks, changed: this.#changed };
  }

  /** Made for speed: a cluster with many small groups does little else than this when it starts. */
  #merge(): void {
    const fresh = [...this.#changed]
      .filter((node) => this.#nodes.has(node))
      .map((node) => ({ node, rank: this.#rank(node) }))
      .sort((a, b) => (precedes(a.rank, a.node, b.rank, b.node) ? -1 : 1));
    const sorted: NodeInfo[] = [];
    const ranks: number[] = [];
    let next = 0;
    for (let i = 0; i < this.#sorted.length; i++) {
      const node = this.#sorted[i] as NodeInfo;
      if (this.#changed.has(node)) continue;
      const rank = this.#ranks[i] as number;
      for (let item = fresh[next]; item && precedes(item.rank, item.node, rank, node); item = fresh[++next]) {
        sorted.push(item.node);
        ranks.push(item.rank);
      }
      sorted.push(node);
      ranks.push(rank);
    }
    for (const { node, rank } of fresh.slice(next)) {
      sorted.push(node);
      ranks.push(rank);
    }
    this.#sorted = sorted;
    this.#ranks = ranks;
    this.#changed.clear();
  }
}

/** The one order of nodes: by rank, then by id. */
export const precedes = (rankA: number, a: NodeInfo, rankB: number, b: NodeInfo): boolean =>
  rankA < rankB || (rankA === rankB && a.id < b.id);

/**
 * Picks the best-ranked node of the whole cluster while looking at few: most nodes have nothing to do with the group,
 * rank as in the general order and are met there one after the other; the rest is ranked one by one.
 */
import { precedes, type NodeOrder } from '../node-order.ts';
import type { NodeInfo } from '../node-info.ts';
import { TopHeap } from '../top-heap.ts';
import type { NodePicker } from './strategy.ts';

export interface OrderedPickerOptions {
  readonly order: NodeOrder;
  /** Nodes with tasks or failures of the group, whose rank is not that of the order. */
  readonly history: Iterable<NodeInfo>;
  readonly rank: (node: NodeInfo) => number;
  /** Whether a node not used yet fits. */
  readonly passes: (node: NodeInfo) => boolean;
  /** Whether a node that fitted still does after tasks of the group were placed on it. */
  readonly fits: (node: NodeInfo) => boolean;
}

export class OrderedPicker implements NodePicker {
  readonly #options: OrderedPickerOptions;
  readonly #sorted: readonly NodeInfo[];
  readonly #ranks: readonly number[];
  /** Nodes not to be taken from the order. */
  readonly #apart: ReadonlySet<NodeInfo>;
  /** Nodes apart, and those taken from the order so far. */
  readonly #heap: TopHeap<NodeInfo>;
  #next = -1;
  #isTopStale = false;

  constructor(options: OrderedPickerOptions) {
    const { sorted, ranks, changed } = options.order.settle();
    this.#options = options;
    this.#sorted = sorted;
    this.#ranks = ranks;
    this.#apart = new Set([...changed, ...options.history]);
    const fitting = [...this.#apart].filter((node) => node.node !== undefined && options.passes(node));
    this.#heap = new TopHeap(fitting, options.rank, (a, b) => a.id < b.id);
    this.#advance();
  }

  pick(): NodeInfo | undefined {
    const used = this.#heap.top;
    if (used && this.#isTopStale) this.#heap.reorderTop(this.#options.rank(used));
    this.#isTopStale = true;
    for (;;) {
      const top = this.#heap.top;
      const next = this.#sorted[this.#next];
      if (next && (!top || precedes(this.#ranks[this.#next] as number, next, this.#heap.topRank as number, top))) {
        this.#heap.push(next, this.#ranks[this.#next] as number);
        this.#advance();
        return next;
      }
      if (!top) return undefined;
      if (this.#options.fits(top)) return top;
      this.#heap.removeTop();
    }
  }

  /** To the next node in the order that fits. */
  #advance(): void {
    do this.#next++;
    while (this.#next < this.#sorted.length && !this.#isEligible(this.#sorted[this.#next] as NodeInfo));
  }

  #isEligible(node: NodeInfo): boolean {
    return !this.#apart.has(node) && this.#options.passes(node);
  }
}

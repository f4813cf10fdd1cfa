/**
 * Picks the best-ranked node of the whole cluster while looking at few: most nodes have nothing to do with the group,
 * rank as in the general order and are met there one after the other; the rest is ranked one by one.
 */
import { precedes, type NodeOrder } from '../node-order.ts';
import type { NodeInfo } from '../node-info.ts';
import type { NodePool } from '../node-pool.ts';
import { TopHeap } from '../top-heap.ts';
import type { Choice, NodePicker, RankingContext } from './strategy.ts';

/**
 * The picker of a strategy with an order.
 * @param baseRank rank of a node that has neither tasks nor recent failures of the group, the same for every group
 * @param rank of any node; equals `baseRank` where the group left no trace
 */
export const orderedPicker =
  (baseRank: (node: NodeInfo) => number, rank: (node: NodeInfo, context: RankingContext) => number) =>
  (pool: NodePool, choice: Choice): NodePicker =>
    new OrderedPicker(pool.orderBy(baseRank), (node) => rank(node, choice.context), choice);

class OrderedPicker implements NodePicker {
  readonly #rank: (node: NodeInfo) => number;
  readonly #choice: Choice;
  readonly #sorted: readonly NodeInfo[];
  readonly #ranks: readonly number[];
  /** Nodes not to be taken from the order; nodes of the first kind that come later were picked here. */
  readonly #changed: ReadonlySet<NodeInfo>;
  readonly #history: ReadonlySet<NodeInfo>;
  /** Nodes apart, and those taken from the order so far. */
  readonly #heap: TopHeap<NodeInfo>;
  #next = -1;
  #isTopStale = false;

  constructor(order: NodeOrder, rank: (node: NodeInfo) => number, choice: Choice) {
    const { sorted, ranks, changed } = order.settle();
    this.#rank = rank;
    this.#choice = choice;
    this.#sorted = sorted;
    this.#ranks = ranks;
    this.#changed = changed;
    this.#history = new Set(choice.history);
    const isFitting = (node: NodeInfo): boolean => order.has(node) && choice.passes(node);
    const fitting = [...changed].filter(isFitting);
    for (const node of this.#history) if (!changed.has(node) && isFitting(node)) fitting.push(node);
    this.#heap = new TopHeap(fitting, rank, (a, b) => a.id < b.id);
    this.#advance();
  }

  pick(): NodeInfo | undefined {
    const used = this.#heap.top;
    if (used && this.#isTopStale) this.#heap.reorderTop(this.#rank(used));
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
      if (this.#choice.fits(top)) return top;
      this.#heap.removeTop();
    }
  }

  /** To the next node in the order that fits. */
  #advance(): void {
    do this.#next++;
    while (this.#next < this.#sorted.length && !this.#isEligible(this.#sorted[this.#next] as NodeInfo));
  }

  #isEligible(node: NodeInfo): boolean {
    return !this.#changed.has(node) && !this.#history.has(node) && this.#choice.passes(node);
  }
}

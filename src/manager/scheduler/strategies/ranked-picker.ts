/** Picks the best-ranked node each time. Between two picks only the node picked last can have changed. */
import type { NodeInfo } from '../node-info.ts';
import { TopHeap } from '../top-heap.ts';
import type { NodePicker } from './strategy.ts';

export class RankedPicker implements NodePicker {
  readonly #heap: TopHeap<NodeInfo>;
  readonly #rank: (node: NodeInfo) => number;
  readonly #fits: (node: NodeInfo) => boolean;
  #isTopStale = false;

  constructor(nodes: readonly NodeInfo[], rank: (node: NodeInfo) => number, fits: (node: NodeInfo) => boolean) {
    this.#heap = new TopHeap(nodes, rank, byId);
    this.#rank = rank;
    this.#fits = fits;
  }

  pick(): NodeInfo | undefined {
    const used = this.#heap.top;
    if (used && this.#isTopStale) this.#heap.reorderTop(this.#rank(used));
    for (let top = this.#heap.top; top; top = this.#heap.top) {
      this.#isTopStale = this.#fits(top);
      if (this.#isTopStale) return top;
      this.#heap.removeTop();
    }
    return undefined;
  }
}

const byId = (a: NodeInfo, b: NodeInfo): boolean => a.id < b.id;

/** Any node that fits, each as likely as the others. */
import type { NodeInfo } from '../node-info.ts';
import { demotion } from './recent-failures.ts';
import type { NodePicker, RankingContext, Strategy } from './strategy.ts';

export const random: Strategy = {
  name: 'random',
  picker: (nodes, context, fits) => new RandomPicker(nodes, context, fits),
  baseRank: undefined,
  rank: demotion,
  terms: (node, context) => ({ recentFailures: node.recentFailures(context.group.key, context.nowMs) }),
};

class RandomPicker implements NodePicker {
  /** Nodes in good standing; the others serve when none of these is left, those with fewest failures first. */
  #nodes: NodeInfo[];
  readonly #demoted: NodeInfo[];
  readonly #context: RankingContext;
  readonly #fits: (node: NodeInfo) => boolean;

  constructor(nodes: readonly NodeInfo[], context: RankingContext, fits: (node: NodeInfo) => boolean) {
    // A fixed order, so that the same seed gives the same choice.
    const ordered = [...nodes].sort((a, b) => (a.id < b.id ? -1 : 1));
    this.#nodes = ordered.filter((node) => demotion(node, context) === 0);
    this.#demoted = ordered
      .filter((node) => demotion(node, context) > 0)
      .sort((a, b) => demotion(b, context) - demotion(a, context));
    this.#context = context;
    this.#fits = fits;
  }

  pick(): NodeInfo | undefined {
    for (;;) {
      if (this.#nodes.length === 0) {
        const next = this.#demoted.pop();
        if (!next) return undefined;
        this.#nodes = [next];
      }
      const index = Math.floor(this.#context.random() * this.#nodes.length);
      const node = this.#nodes[index] as NodeInfo;
      if (this.#fits(node)) return node;
      this.#nodes[index] = this.#nodes.at(-1) as NodeInfo;
      this.#nodes.pop();
    }
  }
}

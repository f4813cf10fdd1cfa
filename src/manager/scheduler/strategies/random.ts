/** Any node that fits, each as likely as the others. */
import type { NodeInfo } from '../node-info.ts';
import type { NodePool } from '../node-pool.ts';
import { demotion } from './recent-failures.ts';
import type { Choice, NodePicker, Strategy } from './strategy.ts';

export const random: Strategy = {
  name: 'random',
  picker: (pool, choice) => new RandomPicker(pool, choice),
  rank: demotion,
  terms: (node, context) => ({ recentFailures: node.recentFailures(context.group.key, context.nowMs) }),
};

/**
 * Draws among all nodes and draws again when one does not fit, which leaves every node that fits as likely as the others
 * and looks at no more nodes than it has to. Drawn nodes that are out change places with the last ones still in, as in
 * the shuffle of Fisher and Yates; the list itself is shared with other groups and stays as it is.
 */
class RandomPicker implements NodePicker {
  readonly #nodes: readonly NodeInfo[];
  readonly #choice: Choice;
  /** Nodes that stand at another place than in the list, by place. */
  readonly #moved = new Map<number, NodeInfo>();
  /** Places before this are still in. */
  #size: number;
  /** Where the group fails again and again; they serve when nothing else is left, those with most failures last. */
  readonly #demoted: NodeInfo[] = [];
  #isDemotedSorted = false;

  constructor(pool: NodePool, choice: Choice) {
    // In a fixed order, so that the same seed gives the same choice.
    this.#nodes = pool.byId();
    this.#size = this.#nodes.length;
    this.#choice = choice;
  }

  pick(): NodeInfo | undefined {
    const { context, passes } = this.#choice;
    while (this.#size > 0) {
      const place = Math.floor(context.random() * this.#size);
      const node = this.#at(place);
      const fits = passes(node);
      if (fits && demotion(node, context) === 0) return node;
      if (fits) this.#demoted.push(node);
      this.#moved.set(place, this.#at(--this.#size));
      this.#moved.delete(this.#size);
    }
    return this.#pickDemoted();
  }

  #pickDemoted(): NodeInfo | undefined {
    const { context, passes } = this.#choice;
    if (!this.#isDemotedSorted) {
      this.#demoted.sort((a, b) => demotion(b, context) - demotion(a, context) || (a.id < b.id ? 1 : -1));
      this.#isDemotedSorted = true;
    }
    for (let node = this.#demoted.at(-1); node; node = this.#demoted.at(-1)) {
      if (passes(node)) return node;
      this.#demoted.pop();
    }
    return undefined;
  }

  #at(place: number): NodeInfo {
    return this.#moved.get(place) ?? (this.#nodes[place] as NodeInfo);
  }
}

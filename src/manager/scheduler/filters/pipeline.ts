/** All filters made ready for one group, in the order in which a refused node is charged. */
import type { NodeInfo } from '../node-info.ts';
import type { TaskGroup } from '../task-group.ts';
import { constraintsFilter } from './constraints.ts';
import type { Filter, Gain, NodeCheck } from './filter.ts';
import { hostPortsFilter } from './host-ports.ts';
import { maxReplicasFilter } from './max-replicas.ts';
import { platformFilter } from './platform.ts';
import { pluginsFilter } from './plugins.ts';
import { readyFilter } from './ready.ts';
import { resourcesFilter } from './resources.ts';
import { runtimeFilter } from './runtime.ts';

/** Docker's order, with the runtime beside the plugins it is one of. */
const FILTERS: readonly Filter[] = [
  readyFilter,
  resourcesFilter,
  pluginsFilter,
  runtimeFilter,
  constraintsFilter,
  platformFilter,
  hostPortsFilter,
  maxReplicasFilter,
];

interface Stage {
  readonly filter: Filter;
  readonly check: NodeCheck;
}

/** A node's refusal by one filter. */
export interface Refusal {
  readonly filter: string;
  readonly reason: string;
}

/** Nodes charged to each filter. */
export type RefusalTally = ReadonlyMap<Filter, number>;

export class Pipeline {
  readonly #stages: readonly Stage[];
  readonly #consumed: readonly NodeCheck[];

  constructor(group: TaskGroup, filters: readonly Filter[] = FILTERS) {
    this.#stages = filters.flatMap((filter) => {
      const check = filter.applies(group);
      return check ? [{ filter, check }] : [];
    });
    this.#consumed = this.#stages.filter(({ filter }) => filter.isConsumed).map(({ check }) => check);
  }

  passes(node: NodeInfo): boolean {
    for (const { check } of this.#stages) if (!check.passes(node)) return false;
    return true;
  }

  /** Whether a node that passed still does after tasks of the group were placed on it. */
  stillPasses(node: NodeInfo): boolean {
    for (const check of this.#consumed) if (!check.passes(node)) return false;
    return true;
  }

  /** All reasons against a node, the one it is charged to first. */
  refusals(node: NodeInfo): readonly Refusal[] {
    return this.#stages
      .filter(({ check }) => !check.passes(node))
      .map(({ filter, check }) => ({ filter: filter.name, reason: check.why(node) }));
  }

  /** Charges every node that does not pass to the first filter that refuses it. */
  tally(nodes: Iterable<NodeInfo>): RefusalTally {
    const counts = new Map<Filter, number>();
    for (const node of nodes) {
      const charged = this.#stages.find(({ check }) => !check.passes(node))?.filter;
      if (charged) counts.set(charged, (counts.get(charged) ?? 0) + 1);
    }
    return counts;
  }
}

/** "2 nodes not available for new tasks; insufficient resources on 1 node": most nodes first, then by text. */
export function explainTally(tally: RefusalTally): string {
  return [...tally]
    .map(([filter, count]) => ({ count, text: filter.explain(count) }))
    .sort((a, b) => b.count - a.count || (a.text < b.text ? -1 : 1))
    .map(({ text }) => text)
    .join('; ');
}

/** Docker's text on a task for which there is no node. */
export function noSuitableNode(tally: RefusalTally): string {
  const explanation = explainTally(tally);
  return explanation === '' ? 'no suitable node' : `no suitable node (${explanation})`;
}

/** What may make one of the refused nodes fit; a new node always may. */
export const gainsAwaited = (tally: RefusalTally): ReadonlySet<Gain> =>
  new Set<Gain>(['node', ...[...tally.keys()].map((filter) => filter.helpedBy)]);

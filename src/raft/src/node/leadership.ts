import type { RawNode } from '../raw-node.ts';
import type { PeerId } from '../types.ts';
import { NO_PEER } from '../types.ts';

/**
 * Decides when this node counts as leader for the rest of the program: from the moment it has applied an entry of its own term, which
 * comes after all of earlier terms (the empty entry of Raft paper §8), until it leads no more.
 */
export class Leadership {
  readonly #gained: (term: number) => void;
  readonly #lost: (term: number) => void;
  /** Term in which leadership was announced; 0 while it is not. */
  #term = 0;

  constructor(options: { readonly gained: (term: number) => void; readonly lost: (term: number) => void }) {
    this.#gained = options.gained;
    this.#lost = options.lost;
  }

  /** Term in which this node counts as leader, or 0. */
  get term(): number {
    return this.#term;
  }

  /** @param appliedTerm Term of the last entry applied. */
  observe(raw: RawNode, appliedTerm: number): void {
    const leads = raw.role === 'leader';
    if (this.#term !== 0 && (!leads || raw.term !== this.#term)) this.end();
    if (leads && this.#term === 0 && appliedTerm === raw.term) {
      this.#term = raw.term;
      this.#gained(raw.term);
    }
  }

  end(): void {
    const term = this.#term;
    this.#term = 0;
    if (term !== 0) this.#lost(term);
  }
}

/** The voter best suited to take over from this leader: reachable and furthest along; NO_PEER if there is none. */
export function bestSuccessor(raw: RawNode): PeerId {
  const { voters } = raw.confState;
  let best = NO_PEER;
  let bestMatch = -1;
  for (const { id, recentActive, match } of raw.status().peers) {
    if (id === raw.id || !recentActive || !voters.includes(id) || match <= bestMatch) continue;
    best = id;
    bestMatch = match;
  }
  return best;
}

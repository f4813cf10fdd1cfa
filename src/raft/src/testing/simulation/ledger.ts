/** What all nodes together have applied, and the running state after each index: any two nodes must agree on it (paper §5.4.3). */
import type { Entry } from '../../types.ts';

/** A property of Raft does not hold. */
export class SafetyViolation extends Error {
  override readonly name = 'SafetyViolation';
}

export class Ledger {
  readonly #terms: number[] = [];
  readonly #states: number[] = [];

  /** Highest index applied anywhere. */
  get lastIndex(): number {
    return this.#terms.length - 1;
  }

  /** Starts at an index that all nodes already have. */
  constructor(index: number, term: number) {
    for (let i = 0; i <= index; i++) {
      this.#terms.push(term);
      this.#states.push(0);
    }
  }

  term(index: number): number {
    return this.#terms[index] ?? 0;
  }

  state(index: number): number {
    return this.#states[index] ?? 0;
  }

  /** Records that a node in the given state applied an entry; returns its next state. */
  apply(node: string, state: number, entry: Entry): number {
    const next = nextState(state, entry);
    if (entry.index === this.#terms.length) {
      this.#terms.push(entry.term);
      this.#states.push(next);
    } else if (entry.index > this.#terms.length) {
      throw new SafetyViolation(`node ${node} applied ${entry.index} with a gap after ${this.lastIndex}`);
    } else if (this.#terms[entry.index] !== entry.term || this.#states[entry.index] !== next) {
      throw new SafetyViolation(
        `node ${node} applied another entry at ${entry.index}: term ${entry.term}, others have term ${this.term(entry.index)}`,
      );
    }
    return next;
  }
}

/** A hash of everything applied so far. */
function nextState(state: number, entry: Entry): number {
  let hash = Math.imul(state ^ entry.index, 0x01000193) ^ Math.imul(entry.term, 0x85ebca6b) ^ entry.type;
  for (const byte of entry.data) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash | 0;
}

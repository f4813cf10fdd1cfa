/** What all nodes together have applied, and the running state after each index: any two nodes must agree on it (paper §5.4.3). */
import type { ConfState, Entry } from '../../types.ts';
import { describeConfiguration } from '../../membership/draft.ts';

/** A property of Raft does not hold. */
export class SafetyViolation extends Error {
  override readonly name = 'SafetyViolation';
}

export class Ledger {
  readonly #terms: number[] = [];
  readonly #states: number[] = [];
  /** For each index a term that the one it was committed in does not exceed. */
  readonly #committedBy: number[] = [];
  /** Configuration after each index at which it changed. */
  readonly #configurations: { readonly index: number; readonly text: string }[] = [];

  /** Highest index applied anywhere. */
  get lastIndex(): number {
    return this.#terms.length - 1;
  }

  /** Starts at an index that all nodes already have. */
  constructor(index: number, term: number, confState: ConfState) {
    for (let i = 0; i <= index; i++) {
      this.#terms.push(term);
      this.#states.push(0);
      this.#committedBy.push(term);
    }
    this.#configurations.push({ index, text: describeConfiguration(confState) });
  }

  term(index: number): number {
    return this.#terms[index] ?? 0;
  }

  state(index: number): number {
    return this.#states[index] ?? 0;
  }

  /** The highest index that was certainly committed before a term began. */
  lastCommittedBefore(term: number): number {
    let index = this.lastIndex;
    while (index > 0 && (this.#committedBy[index] ?? 0) >= term) index--;
    return index;
  }

  /** Records that a node in the given state, in a term, applied an entry; returns its next state. */
  apply(node: string, term: number, state: number, entry: Entry): number {
    const next = nextState(state, entry);
    if (entry.index === this.#terms.length) {
      this.#terms.push(entry.term);
      this.#states.push(next);
      this.#committedBy.push(term);
    } else if (entry.index > this.#terms.length) {
      throw new SafetyViolation(`node ${node} applied ${entry.index} with a gap after ${this.lastIndex}`);
    } else if (this.#terms[entry.index] !== entry.term || this.#states[entry.index] !== next) {
      throw new SafetyViolation(
        `node ${node} applied another entry at ${entry.index}: term ${entry.term}, others have term ${this.term(entry.index)}`,
      );
    }
    return next;
  }

  /** Records the configuration a node has after applying the change at an index. */
  configure(node: string, index: number, confState: ConfState): void {
    const text = describeConfiguration(confState);
    const last = this.#configurations.at(-1);
    if (last !== undefined && index > last.index) this.#configurations.push({ index, text });
    else this.checkConfiguration(node, index, confState);
  }

  /** A snapshot at an index must hold the configuration of that index. */
  checkConfiguration(node: string, index: number, confState: ConfState): void {
    const known = this.#configurations.findLast((each) => each.index <= index)?.text;
    const text = describeConfiguration(confState);
    if (known !== undefined && known !== text)
      throw new SafetyViolation(`node ${node} has configuration ${text} at ${index}, others have ${known}`);
  }
}

/** A hash of everything applied so far. */
function nextState(state: number, entry: Entry): number {
  let hash = Math.imul(state ^ entry.index, 0x01000193) ^ Math.imul(entry.term, 0x85ebca6b) ^ entry.type;
  for (const byte of entry.data) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash | 0;
}

/**
 * Chooses the manager to talk to: the one the last one sent us on to, else one at random, weighted by how well each one served this
 * agent lately; never the one that failed just now, unless it is the only one. The managers name one another in every session
 * message; that list replaces what was known before, so removed managers are forgotten.
 */
import type { Random } from '../common/random.ts';

export interface WeightedAddress {
  readonly address: string;
  readonly weight: number;
}

/** What a manager newly heard of starts with, and what a good or bad experience counts. */
export const DEFAULT_WEIGHT = 10;
/** Share of the newest experience in the moving average. */
const SMOOTHING = 0.5;
const MAX_WEIGHT = 256;

export interface ManagerPickerOptions {
  readonly random: Random;
  /** Known at the start, for example the address given to join. */
  readonly addresses: readonly string[];
  /** Called with all addresses when the managers first name them and at each change, so that they can be kept on disk. */
  readonly onChange?: (addresses: readonly string[]) => void;
}

export class ManagerPicker {
  readonly #random: Random;
  readonly #onChange: (addresses: readonly string[]) => void;
  #weights: ReadonlyMap<string, number>;
  /** Whether the managers themselves named the list. */
  #isConfirmed = false;
  /** Who comes next in any case. */
  #next: string | undefined;
  #failedLast: string | undefined;

  constructor(options: ManagerPickerOptions) {
    this.#random = options.random;
    this.#onChange = options.onChange ?? (() => undefined);
    this.#weights = new Map(options.addresses.map((address) => [address, DEFAULT_WEIGHT]));
  }

  get addresses(): readonly string[] {
    return [...this.#weights.keys()];
  }

  weightOf(address: string): number | undefined {
    return this.#weights.get(address);
  }

  /** One address, or undefined when none is known. */
  pick(): string | undefined {
    const next = this.#next;
    this.#next = undefined;
    if (next !== undefined && this.#weights.has(next)) return next;
    const others = [...this.#weights].filter(([address]) => address !== this.#failedLast);
    const among = others.length > 0 ? others : [...this.#weights];
    const lowest = Math.min(0, ...among.map(([, weight]) => weight));
    // Shifted so that the worst one still has a chance: it may be the only one alive.
    const shares = among.map(([address, weight]) => ({ address, share: weight - lowest + 1 }));
    const total = shares.reduce((sum, { share }) => sum + share, 0);
    let point = this.#random() * total;
    for (const { address, share } of shares) {
      point -= share;
      if (point < 0) return address;
    }
    return shares.at(-1)?.address;
  }

  /**
   * The managers' own list replaces ours; experience with those that stay is kept, unless one is given more than the usual
   * weight. An empty list is ignored.
   */
  replace(list: readonly WeightedAddress[]): void {
    const named = list.filter(({ address }) => address !== '');
    if (named.length === 0) return;
    const before = this.#weights;
    if (named.some(({ address, weight }) => address === this.#failedLast && weight > DEFAULT_WEIGHT))
      this.#failedLast = undefined;
    this.#weights = new Map(
      named.map(({ address, weight }) => {
        const known = before.get(address);
        // More than the usual weight is a hint: this one leads.
        return [address, known === undefined || weight > DEFAULT_WEIGHT ? clamp(weight || DEFAULT_WEIGHT) : known];
      }),
    );
    const hasChanged =
      !this.#isConfirmed || before.size !== this.#weights.size || named.some(({ address }) => !before.has(address));
    this.#isConfirmed = true;
    if (hasChanged) this.#onChange(this.addresses);
  }

  /** A manager that serves nobody itself named the one that does: no failure of either. */
  sentOn(address: string): void {
    this.#next = address;
  }

  succeeded(address: string): void {
    this.#failedLast = undefined;
    this.#observe(address, DEFAULT_WEIGHT);
  }

  /** Whatever spoke for the manager before, such as that it leads, does so no more. */
  failed(address: string): void {
    this.#failedLast = address;
    this.#observe(address, -DEFAULT_WEIGHT, DEFAULT_WEIGHT);
  }

  #observe(address: string, experience: number, most = MAX_WEIGHT): void {
    const before = this.#weights.get(address);
    if (before === undefined) return;
    const after = clamp(SMOOTHING * experience + (1 - SMOOTHING) * Math.min(before, most));
    this.#weights = new Map(this.#weights).set(address, after);
  }
}

const clamp = (weight: number): number => Math.max(-MAX_WEIGHT, Math.min(MAX_WEIGHT, weight));

/** Messages in flight: delivered in any order, lost, repeated, or held back by a cut between two nodes. */
import type { Message, PeerId } from '../../types.ts';
import type { SeededRandom } from '../random.ts';

/** More messages than this in flight, and random ones are lost. */
const CAPACITY = 256;

export class SimulatedNetwork {
  readonly #random: SeededRandom;
  readonly #loss: number;
  readonly #duplication: number;
  readonly #inFlight: Message[] = [];
  readonly #onLost: (message: Message) => void;
  /** Directed links that are cut, as `from>to`. */
  readonly #cut = new Set<string>();

  /** `onLost` hears of every message that will never arrive (or not once more). */
  constructor(random: SeededRandom, loss: number, duplication: number, onLost: (message: Message) => void) {
    this.#random = random;
    this.#onLost = onLost;
    this.#loss = loss;
    this.#duplication = duplication;
  }

  get inFlight(): number {
    return this.#inFlight.length;
  }

  send(message: Message): void {
    if (this.#random.chance(this.#loss) || this.#isCut(message)) {
      this.#onLost(message);
      return;
    }
    this.#inFlight.push(message);
    if (this.#random.chance(this.#duplication)) this.#inFlight.push(message);
    if (this.#inFlight.length > CAPACITY) this.#lose(this.#takeAt(this.#random.below(this.#inFlight.length)));
  }

  /** Any message that can be delivered now. */
  take(): Message | undefined {
    if (this.#inFlight.length === 0) return undefined;
    // Mostly in order, as real links do; sometimes anything.
    const at = this.#random.chance(0.8) ? 0 : this.#random.below(this.#inFlight.length);
    const message = this.#takeAt(at);
    if (message === undefined || !this.#isCut(message)) return message;
    this.#lose(message);
    return undefined;
  }

  /** Cuts every link between the two groups, or only those from the first to the second. */
  cut(group: readonly PeerId[], others: readonly PeerId[], isOneWay: boolean): void {
    for (const a of group) {
      for (const b of others) {
        this.#cut.add(`${a}>${b}`);
        if (!isOneWay) this.#cut.add(`${b}>${a}`);
      }
    }
  }

  heal(): void {
    this.#cut.clear();
  }

  #isCut({ from, to }: Message): boolean {
    return this.#cut.size > 0 && this.#cut.has(`${from}>${to}`);
  }

  #lose(message: Message | undefined): void {
    if (message !== undefined) this.#onLost(message);
  }

  #takeAt(at: number): Message | undefined {
    if (at === 0) return this.#inFlight.shift();
    const message = this.#inFlight[at];
    const last = this.#inFlight.pop();
    if (last !== undefined && at < this.#inFlight.length) this.#inFlight[at] = last;
    return message;
  }
}

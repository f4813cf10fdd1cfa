/** Links with a direction: late, lossy, cut. */
import type { Random } from '../../src/common/random.ts';
import type { Timeline } from './timeline.ts';

export class Network {
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #cut = new Set<string>();
  /** Chance that a message is lost. */
  loss = 0;

  constructor(timeline: Timeline, random: Random) {
    this.#timeline = timeline;
    this.#random = random;
  }

  isCut(from: string, to: string): boolean {
    return this.#cut.has(`${from} ${to}`);
  }

  cut(from: string, to: string): void {
    this.#cut.add(`${from} ${to}`);
  }

  mend(): void {
    this.#cut.clear();
  }

  /** Delivers later, or never. */
  carry(from: string, to: string, deliver: () => void, lost: () => void = () => undefined): void {
    const isLost = this.#random() < this.loss;
    this.#timeline.setTimer(0.2 + 2 * this.#random() ** 4, () => {
      if (isLost || this.isCut(from, to)) lost();
      else deliver();
    });
  }
}

import type { RawNode } from '../raw-node.ts';
import { NO_PEER } from '../types.ts';
import { bestSuccessor } from './leadership.ts';

/** A leader that can not write hands over to the voter that is furthest along; if that fails, it tries again after an election timeout. */
export class FullDiskHandOver {
  readonly #retryTicks: number;
  #ticksFull = 0;

  constructor(retryTicks: number) {
    this.#retryTicks = retryTicks;
  }

  tick(raw: RawNode, isDiskFull: boolean): void {
    if (!isDiskFull || raw.role !== 'leader') {
      this.#ticksFull = 0;
      return;
    }
    if (this.#ticksFull++ % this.#retryTicks !== 0 || raw.leadTransferee !== NO_PEER) return;
    const successor = bestSuccessor(raw);
    if (successor !== NO_PEER) raw.transferLeader(successor);
  }
}

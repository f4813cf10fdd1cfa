import { NO_PEER } from '../types.ts';
import type { PeerId } from '../types.ts';
import { RaftRefusedError } from './refusal.ts';
import type { NodeRefusal } from './refusal.ts';

/** What decides about a transfer of leadership. */
export interface LeadershipFacts {
  readonly isLeader: boolean;
  readonly leader: PeerId;
  readonly leadTransferee: PeerId;
}

/**
 * The promise for the one transfer of leadership that can be under way. A leader gives a transfer up after an election timeout; one
 * that stepped down for a successor which then died would never hear of any leader, so that the wait ends after two.
 */
export class TransferWaiter {
  readonly #patienceTicks: number;
  #ticks = 0;
  #pending: { readonly to: PeerId; readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;

  constructor(electionTicks: number) {
    this.#patienceTicks = 2 * electionTicks;
  }

  begin(to: PeerId): Promise<void> {
    this.fail('transfer-failed');
    this.#ticks = 0;
    return new Promise((resolve, reject) => {
      this.#pending = { to, resolve, reject };
    });
  }

  /** To be called whenever something may have changed. */
  observe({ isLeader, leader, leadTransferee }: LeadershipFacts): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    if (isLeader && leadTransferee === pending.to) return;
    if (!isLeader && leader === NO_PEER) return;
    if (leader !== pending.to) {
      this.fail('transfer-failed', leader);
      return;
    }
    this.#pending = undefined;
    pending.resolve();
  }

  tick(): void {
    if (this.#pending !== undefined && ++this.#ticks > this.#patienceTicks) this.fail('transfer-failed');
  }

  fail(reason: NodeRefusal, leader: PeerId = NO_PEER): void {
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.reject(new RaftRefusedError(`transfer of leadership to ${pending.to}`, reason, leader));
  }
}

import type { ConfState } from '../types.ts';
import { RaftRefusedError } from './refusal.ts';
import type { NodeRefusal } from './refusal.ts';

interface Waiter {
  readonly term: number;
  readonly resolve: (state: ConfState) => void;
  readonly reject: (error: Error) => void;
}

const REQUEST = 'configuration change';

/** Promises for configuration changes that were proposed here. */
export class ConfChangeWaiters {
  readonly #waiting = new Map<number, Waiter>();
  /** Applied, waiting for the joint configuration to be left. */
  #inJoint: Waiter[] = [];

  /** Resolves with the configuration once the change at this index is applied; if it leaves a joint one by itself, with the final one. */
  add(index: number, term: number): Promise<ConfState> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(index, { term, resolve, reject });
    });
  }

  /** An entry was applied that is no configuration change. */
  voided(index: number): void {
    const waiter = this.#waiting.get(index);
    if (waiter === undefined) return;
    this.#waiting.delete(index);
    waiter.reject(new RaftRefusedError(REQUEST, 'superseded'));
  }

  get isIdle(): boolean {
    return this.#waiting.size === 0;
  }

  applied(index: number, term: number, state: ConfState): void {
    const waiter = this.#waiting.get(index);
    this.#waiting.delete(index);
    if (waiter !== undefined && waiter.term !== term) waiter.reject(new RaftRefusedError(REQUEST, 'superseded'));
    else if (waiter !== undefined) this.#inJoint.push(waiter);
    if (state.votersOutgoing.length > 0 && state.autoLeave) return;
    const finished = this.#inJoint;
    this.#inJoint = [];
    for (const { resolve } of finished) resolve(state);
  }

  rejectAll(reason: NodeRefusal): void {
    const waiters = [...this.#waiting.values(), ...this.#inJoint];
    this.#waiting.clear();
    this.#inJoint = [];
    for (const { reject } of waiters) reject(new RaftRefusedError(REQUEST, reason));
  }
}

/**
 * Which nodes are alive, which are awaited after an election, which are down and for how long.
 * Only remembers and times; what follows from it is decided by the callbacks' owner.
 */
import type { Clock } from '../../common/clock.ts';
import { HeartbeatDeadline } from './heartbeat-deadline.ts';

/** Why a node counts as down. */
export type LossReason = 'silent' | 'session lost' | 'never came back';

export interface LivenessEvents {
  readonly onLost: (nodeId: string, reason: LossReason) => void;
  /** The node has been down for the whole orphan time. */
  readonly onOrphaned: (nodeId: string) => void;
}

interface Watched {
  readonly deadline: HeartbeatDeadline;
  phase: 'awaited' | 'alive' | 'suspected' | 'down' | 'orphaned';
  /** What it was given when its phase began. */
  graceMs: number;
}

const REASON = { awaited: 'never came back', alive: 'silent', suspected: 'session lost' } as const;

export class Liveness {
  readonly #clock: Clock;
  readonly #orphanAfterMs: number;
  readonly #events: LivenessEvents;
  readonly #nodes = new Map<string, Watched>();

  constructor(clock: Clock, orphanAfterMs: number, events: LivenessEvents) {
    this.#clock = clock;
    this.#orphanAfterMs = orphanAfterMs;
    this.#events = events;
  }

  /** A node the previous leader knew; it has `graceMs` to register here. */
  awaited(nodeId: string, graceMs: number): void {
    this.#enter(nodeId, 'awaited', graceMs);
  }

  /** Gives an awaited node `graceMs` from now, less than before or again more; does nothing to others. */
  rethink(nodeId: string, graceMs: number): void {
    const node = this.#nodes.get(nodeId);
    if (node?.phase === 'awaited' && node.graceMs !== graceMs) this.#enter(nodeId, 'awaited', graceMs);
  }

  /**
   * It registered. One that was awaited stays so until its first heartbeat: after an election all agents come at once, and one
   * whose call is not answered in time gives up, with its tasks running, to come again.
   */
  registered(nodeId: string, graceMs: number): void {
    const node = this.#nodes.get(nodeId);
    if (node?.phase === 'awaited') this.#enter(nodeId, 'awaited', node.graceMs);
    else this.alive(nodeId, graceMs);
  }

  /** A sign of life; the next must come within `graceMs`. */
  alive(nodeId: string, graceMs: number): void {
    this.#enter(nodeId, 'alive', graceMs);
  }

  /** It came and was not let in: from now it has `graceMs`, unless it is awaited or down. */
  refused(nodeId: string, graceMs: number): void {
    const phase = this.#nodes.get(nodeId)?.phase;
    if (phase === 'alive' || phase === 'suspected') this.alive(nodeId, graceMs);
  }

  /** Its session broke: from now it has only `graceMs`, unless it is still awaited. */
  suspected(nodeId: string, graceMs: number): void {
    if (this.#nodes.get(nodeId)?.phase !== 'awaited') this.#enter(nodeId, 'suspected', graceMs);
  }

  isSuspected(nodeId: string): boolean {
    return this.#nodes.get(nodeId)?.phase === 'suspected';
  }

  /** The node is down; after the orphan time its tasks are given up. */
  down(nodeId: string): void {
    this.#enter(nodeId, 'down', this.#orphanAfterMs);
  }

  forget(nodeId: string): void {
    this.#nodes.get(nodeId)?.deadline.clear();
    this.#nodes.delete(nodeId);
  }

  clear(): void {
    for (const nodeId of this.#nodes.keys()) this.forget(nodeId);
  }

  #enter(nodeId: string, phase: Watched['phase'], delayMs: number): void {
    let node = this.#nodes.get(nodeId);
    if (!node) {
      node = { phase, graceMs: delayMs, deadline: new HeartbeatDeadline(this.#clock, () => this.#expired(nodeId)) };
      this.#nodes.set(nodeId, node);
    }
    node.phase = phase;
    node.graceMs = delayMs;
    node.deadline.set(delayMs);
  }

  #expired(nodeId: string): void {
    const node = this.#nodes.get(nodeId);
    if (!node || node.phase === 'orphaned') return;
    if (node.phase === 'down') {
      node.phase = 'orphaned';
      this.#events.onOrphaned(nodeId);
      return;
    }
    const reason = REASON[node.phase];
    this.down(nodeId);
    this.#events.onLost(nodeId, reason);
  }
}

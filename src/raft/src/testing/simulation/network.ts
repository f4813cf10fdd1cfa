/** Messages on their way: late, lost, repeated, out of order, or held back by cut links. Every link has a direction. */
import { MessageType } from '../../types.ts';
import type { Message, PeerId } from '../../types.ts';
import type { SeededRandom } from '../random.ts';
import type { EventQueue, Micros } from './event-queue.ts';
import type { Plan } from './plan.ts';

interface Link {
  isCut: boolean;
  /** Added to every message. */
  lag: Micros;
  /** Arrival of the last message, for those that keep their order. */
  lastArrival: Micros;
}

export interface NetworkEvents {
  readonly arrived: (message: Message) => void;
  /** The message will never arrive (or not once more). */
  readonly lost: (message: Message) => void;
}

export class SimulatedNetwork {
  readonly #queue: EventQueue;
  readonly #random: SeededRandom;
  readonly #plan: Plan;
  readonly #events: NetworkEvents;
  readonly #links = new Map<string, Link>();
  /** No message is lost, repeated, overtaken or very late by itself any more. */
  isCalm = false;

  constructor(queue: EventQueue, random: SeededRandom, plan: Plan, events: NetworkEvents) {
    this.#queue = queue;
    this.#random = random;
    this.#plan = plan;
    this.#events = events;
  }

  send(message: Message): void {
    const random = this.#random;
    const { faults, drop, duplicate } = this.#plan;
    // Drawn whether or not the fault exists, so that taking a fault away leaves the rest as it was.
    const isDropped = random.chance(drop) && faults.has('drop') && !this.isCalm;
    const isRepeated = random.chance(duplicate) && faults.has('duplicate') && !this.isCalm;
    this.#carry(message, isDropped);
    if (isRepeated) this.#carry(message, false);
  }

  setCut(from: PeerId, to: PeerId, isCut: boolean): void {
    this.#link(from, to).isCut = isCut;
  }

  setLag(from: PeerId, to: PeerId, lag: Micros): void {
    this.#link(from, to).lag = lag;
  }

  heal(): void {
    for (const link of this.#links.values()) {
      link.isCut = false;
      link.lag = 0;
    }
  }

  #carry(message: Message, isDropped: boolean): void {
    const random = this.#random;
    const { faults, latency, reorder } = this.#plan;
    const link = this.#link(message.from, message.to);
    const { now } = this.#queue;
    // Most take about the usual time, a few very long.
    const spread = random.next();
    const tail = spread > 0.98 && !this.isCalm ? 20 * (spread - 0.98) * 50 : 0;
    let delay = link.lag + latency * (0.5 + random.next() + tail) * (message.type === MessageType.MsgSnap ? 3 : 1);
    const mayOvertake = random.chance(reorder) && faults.has('reorder') && !this.isCalm;
    if (mayOvertake) delay *= 1 + 4 * random.next();
    else delay = Math.max(delay, link.lastArrival - now);
    if (!mayOvertake) link.lastArrival = now + delay;
    this.#queue.after(delay, () => {
      if (isDropped || link.isCut) this.#events.lost(message);
      else this.#events.arrived(message);
    });
  }

  #link(from: PeerId, to: PeerId): Link {
    const name = `${from}>${to}`;
    let link = this.#links.get(name);
    if (link === undefined) {
      link = { isCut: false, lag: 0, lastArrival: 0 };
      this.#links.set(name, link);
    }
    return link;
  }
}

/** Clients of the group: each writes and reads registers, one operation after the other, repeats what was not answered, and remembers it all. */
import type { PeerId } from '../../types.ts';
import type { ReadState } from '../../read-only.ts';
import type { SeededRandom } from '../random.ts';
import { CLIENTS, encodeCommand, REGISTERS } from './application.ts';
import type { Command } from './application.ts';
import type { EventQueue } from './event-queue.ts';
import { SafetyViolation } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { whyNotLinearizable } from './linearizability.ts';
import type { Operation } from './linearizability.ts';
import type { SimulatedNode } from './node.ts';
import { ELECTION } from './plan.ts';
import type { Plan } from './plan.ts';

/** Chance that a copy of a write comes late. */
const LATE_COPY = 0.05;

interface Current {
  readonly client: number;
  readonly number: number;
  readonly kind: 'read' | 'write';
  readonly register: number;
  readonly value: number;
  readonly begin: number;
  target: PeerId | undefined;
  attempt: number;
  /** A read must see everything that was applied anywhere before it began. */
  readonly leastIndex: number;
}

export class Clients {
  readonly #queue: EventQueue;
  readonly #random: SeededRandom;
  readonly #plan: Plan;
  readonly #ledger: Ledger;
  readonly #nodes: () => readonly SimulatedNode[];
  readonly #history: Operation[] = [];
  readonly #current: (Current | undefined)[] = [];
  readonly #numbers = new Int32Array(CLIENTS);
  #values = 0;
  /** Gives every begin and end a different moment. */
  #moment = 0;
  /** Moment at which the last write ended that began latest. */
  #latestWrite = 0;
  readonly counts = { writes: 0, reads: 0, retries: 0 };

  constructor(
    queue: EventQueue,
    random: SeededRandom,
    plan: Plan,
    ledger: Ledger,
    nodes: () => readonly SimulatedNode[],
  ) {
    this.#queue = queue;
    this.#random = random;
    this.#plan = plan;
    this.#ledger = ledger;
    this.#nodes = nodes;
  }

  start(): void {
    for (let client = 0; client < CLIENTS; client++) this.#think(client);
  }

  /** Now, on the clients' clock. */
  get moment(): number {
    return this.#moment;
  }

  /** The latest begin of a write that has ended. */
  get latestWrite(): number {
    return this.#latestWrite;
  }

  /** A node applied a command: the answer, if the command was sent there. */
  applied(node: SimulatedNode, { client, number }: Command): void {
    const current = this.#current[client];
    if (current?.kind !== 'write' || current.number !== number || current.target !== node.id) return;
    this.counts.writes++;
    this.#latestWrite = Math.max(this.#latestWrite, current.begin);
    this.#end(current, current.value);
  }

  readable(node: SimulatedNode, { index, context }: ReadState): void {
    const view = new DataView(context.buffer, context.byteOffset);
    const current = this.#current[view.getUint32(0)];
    if (current?.kind !== 'read' || current.number !== view.getUint32(4)) return;
    if (index < current.leastIndex)
      throw new SafetyViolation(
        `node ${node.id}: a read at ${index} misses entries up to ${current.leastIndex}, which were applied before it`,
      );
    this.counts.reads++;
    this.#end(current, node.application.read(current.register));
  }

  /** Throws if what the clients saw could not have happened. */
  check(): void {
    const pending = this.#current.filter((each) => each?.kind === 'write').map((each) => operation(each as Current));
    const reason = whyNotLinearizable([...this.#history, ...pending]);
    if (reason !== undefined) throw new SafetyViolation(`the history of the clients is not linearizable: ${reason}`);
  }

  #think(client: number): void {
    this.#queue.after(this.#plan.thinking * 2 * this.#random.next(), () => this.#begin(client));
  }

  #begin(client: number): void {
    const random = this.#random;
    const kind = random.chance(0.6) ? 'write' : 'read';
    const number = (this.#numbers[client] ?? 0) + 1;
    this.#numbers[client] = number;
    const current: Current = {
      client,
      number,
      kind,
      register: random.below(REGISTERS),
      value: kind === 'write' ? ++this.#values : 0,
      begin: ++this.#moment,
      target: undefined,
      attempt: 0,
      leastIndex: this.#ledger.lastIndex,
    };
    this.#current[client] = current;
    this.#try(current);
  }

  #try(current: Current): void {
    const random = this.#random;
    const attempt = ++current.attempt;
    const isLeaderWanted = random.chance(0.8);
    const chosen = random.next();
    const isAccepted = this.#send(current, this.#target(isLeaderWanted, chosen));
    if (current.kind === 'write' && random.chance(LATE_COPY)) this.#sendLateCopy(current);
    const patience = isAccepted ? ELECTION * (2 + 3 * random.next()) : 60_000 * random.next();
    const isRepeated = random.chance(0.7) || !isAccepted;
    this.#queue.after(patience, () => {
      if (this.#current[current.client] !== current || current.attempt !== attempt) return;
      if (current.kind === 'write' && isRepeated) {
        this.counts.retries++;
        this.#try(current);
        return;
      }
      // Given up: a write may still happen, at any later time; an unanswered read says nothing.
      if (current.kind === 'write') this.#history.push(operation(current));
      this.#current[current.client] = undefined;
      this.#think(current.client);
    });
  }

  #send(current: Current, target: SimulatedNode | undefined): boolean {
    if (target === undefined || target.isDiskFull) return false;
    current.target = target.id;
    let isAccepted = false;
    target.act((core) => {
      if (current.kind === 'write') isAccepted = core.propose([encodeCommand(current)]).ok;
      else isAccepted = core.readIndex(readContext(current)) === undefined;
    });
    return isAccepted;
  }

  /** A request may be delivered once more, long after it was answered: whoever proposes it then takes nothing back. */
  #sendLateCopy(command: Command): void {
    this.#queue.after(2 * ELECTION * this.#random.next(), () => {
      const leader = this.#target(true, this.#random.next());
      if (leader === undefined || leader.isDiskFull) return;
      leader.act((core) => void core.propose([encodeCommand(command)]));
    });
  }

  #target(isLeaderWanted: boolean, chosen: number): SimulatedNode | undefined {
    const running = this.#nodes().filter((node) => node.isRunning);
    const leaders = running.filter((node) => node.core?.role === 'leader');
    const from = isLeaderWanted && leaders.length > 0 ? leaders : running;
    return from[Math.floor(chosen * from.length)];
  }

  #end(current: Current, value: number): void {
    const { kind, register, begin, client } = current;
    this.#history.push({ kind, register, value, begin, end: ++this.#moment });
    this.#current[client] = undefined;
    this.#think(client);
  }
}

/** A write without an end. */
function operation({ kind, register, value, begin }: Current): Operation {
  return { kind, register, value, begin, end: Infinity };
}

function readContext({ client, number }: Current): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, client);
  view.setUint32(4, number);
  return bytes;
}

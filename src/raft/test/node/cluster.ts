import type { LogStore } from '../../src/log/log-store.ts';
import { RaftNode } from '../../src/node/raft-node.ts';
import type { ConfigurationChanged, RaftNodeOptions } from '../../src/node/options.ts';
import type { StateMachine } from '../../src/node/state-machine.ts';
import type { SnapshotContent } from '../../src/log/snapshot-reader.ts';
import { EntryType } from '../../src/types.ts';
import type { Entry, Message, PeerId } from '../../src/types.ts';

/** A state machine that remembers the texts applied to it, and complains about gaps and repetitions. */
export class TextMachine implements StateMachine {
  texts: string[] = [];
  applied = 0;

  apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.index !== this.applied + 1)
        throw new Error(`entry ${String(entry.index)} applied after ${String(this.applied)}`);
      this.applied = entry.index;
      if (entry.type === EntryType.Normal && entry.data.length > 0) this.texts.push(Buffer.from(entry.data).toString());
    }
  }

  async restore(snapshot: SnapshotContent): Promise<void> {
    const parts: Uint8Array[] = [];
    for await (const chunk of snapshot.chunks()) parts.push(chunk);
    const state = JSON.parse(Buffer.concat(parts).toString()) as { applied: number; texts: string[] };
    this.applied = state.applied;
    this.texts = state.texts;
  }

  *snapshot(): Iterable<Uint8Array> {
    yield Buffer.from(JSON.stringify({ applied: this.applied, texts: this.texts }));
  }
}

export interface Member {
  readonly id: PeerId;
  readonly node: RaftNode;
  readonly log: LogStore;
  readonly machine: TextMachine;
  readonly leaderships: boolean[];
  readonly changes: ConfigurationChanged[];
  readonly removed: PeerId[];
  readonly errors: Error[];
}

/** How a snapshot's content reaches another member's log. */
export type CopySnapshot = (message: Message, from: Member, to: Member) => Promise<void>;

/** Members in one process, connected by a network in memory that can be cut. */
export class Cluster {
  readonly members = new Map<PeerId, Member>();
  readonly #copySnapshot: CopySnapshot;
  readonly #cut = new Set<PeerId>();
  #seed = 1;
  snapshotsSent = 0;

  constructor(copySnapshot: CopySnapshot) {
    this.#copySnapshot = copySnapshot;
  }

  async start(id: PeerId, log: LogStore, options: Partial<RaftNodeOptions> = {}): Promise<Member> {
    const machine = new TextMachine();
    const leaderships: boolean[] = [];
    const changes: ConfigurationChanged[] = [];
    const removed: PeerId[] = [];
    const errors: Error[] = [];
    const node: RaftNode = new RaftNode({
      id,
      log,
      stateMachine: machine,
      random: () => this.#random(),
      send: (messages) => {
        for (const message of messages) this.#carry(node, message);
      },
      sendSnapshot: (message) => void this.#carrySnapshot(node, message),
      events: {
        leadership: (isLeader) => leaderships.push(isLeader),
        configuration: (changed) => changes.push(changed),
        memberRemoved: (peer) => removed.push(peer),
        fatal: (error) => errors.push(error),
      },
      ...options,
    });
    const member = { id, node, log, machine, leaderships, changes, removed, errors };
    this.members.set(id, member);
    await node.start();
    return member;
  }

  /** Takes a member out without a word, as a crash would. */
  crash(id: PeerId): Member {
    const member = this.get(id);
    this.members.delete(id);
    member.node.stop();
    return member;
  }

  get(id: PeerId): Member {
    const member = this.members.get(id);
    if (member === undefined) throw new Error(`no member ${id}`);
    return member;
  }

  isolate(id: PeerId): void {
    this.#cut.add(id);
  }

  heal(): void {
    this.#cut.clear();
  }

  /** Ticks all members until a condition holds. */
  async until(what: string, condition: () => boolean, maxTicks = 5000): Promise<void> {
    for (let tick = 0; tick < maxTicks; tick++) {
      if (condition()) return;
      for (const member of this.members.values()) {
        if (member.errors[0] !== undefined) throw member.errors[0];
        member.node.tick();
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const states = [...this.members.values()].map((member) => JSON.stringify(member.node.status()));
    throw new Error(`not reached: ${what}\n${states.join('\n')}`);
  }

  /** Runs ticks until a promise settles. */
  async settle<Value>(what: string, promise: Promise<Value>): Promise<Value> {
    let isSettled = false;
    const settled = promise.finally(() => {
      isSettled = true;
    });
    settled.catch(() => undefined);
    await this.until(what, () => isSettled);
    return settled;
  }

  async leader(): Promise<Member> {
    const leading = (): Member | undefined =>
      [...this.members.values()].find((member) => member.node.isLeader && !this.#cut.has(member.id));
    await this.until('a leader', () => leading() !== undefined);
    return leading() as Member;
  }

  /** Waits until every member has applied what the leader has. */
  async converge(): Promise<void> {
    // Proposals of this turn get into the log in the next one.
    await new Promise((resolve) => setImmediate(resolve));
    const leader = await this.leader();
    await this.until('all members are up to date', () =>
      [...this.members.values()].every(
        (member) => member.node.appliedIndex >= (leader.node.status()?.lastIndex ?? Infinity),
      ),
    );
  }

  stop(): void {
    for (const id of this.members.keys()) this.crash(id);
  }

  #carry(from: RaftNode, message: Message): void {
    const to = this.members.get(message.to);
    const sender = this.members.get(message.from === '0' ? message.to : message.from);
    if (to === undefined || this.#cut.has(message.to) || (sender !== undefined && this.#cut.has(sender.id))) {
      from.reportUnreachable(message.to);
      return;
    }
    setImmediate(() => to.node.step(message));
  }

  async #carrySnapshot(from: RaftNode, message: Message): Promise<void> {
    const to = this.members.get(message.to);
    const sender = this.members.get(message.from);
    if (to === undefined || sender === undefined || this.#cut.has(message.to) || this.#cut.has(message.from)) {
      from.reportSnapshot(message.to, false);
      return;
    }
    this.snapshotsSent++;
    try {
      await this.#copySnapshot(message, sender, to);
      to.node.step(message);
      from.reportSnapshot(message.to, true);
    } catch {
      from.reportSnapshot(message.to, false);
    }
  }

  #random(): number {
    this.#seed = (this.#seed * 1664525 + 1013904223) % 2 ** 32;
    return this.#seed / 2 ** 32;
  }
}

export function proposeText(member: Member, text: string): { readonly index: number; readonly term: number } {
  const result = member.node.propose(Buffer.from(text));
  if (!result.ok) throw new Error(`refused: ${result.reason}`);
  return result;
}

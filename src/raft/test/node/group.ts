/** Nodes in one process whose disks, clocks and messages the test moves step by step. */
import { MemoryLog } from '../../src/log/memory-log.ts';
import type { LogBatch } from '../../src/log/log-store.ts';
import { RaftNode } from '../../src/node/raft-node.ts';
import type { RaftNodeOptions } from '../../src/node/options.ts';
import { ConfChangeTransition } from '../../src/types.ts';
import type { ConfChangeType, ConfChangeSingle, ConfChangeV2, Message, PeerId } from '../../src/types.ts';
import { TextMachine } from './cluster.ts';

/** A log whose writes become durable when the test says so. */
export class HeldLog extends MemoryLog {
  readonly held: (() => void)[] = [];
  readonly batches: LogBatch[] = [];
  isHolding = false;
  /** A wait of the node finds everything durable. */
  isQuick = false;
  waits = 0;

  constructor(defer: (task: () => void) => void) {
    super((task) => {
      if (this.isHolding) this.held.push(task);
      else defer(task);
    });
  }

  override append(batch: LogBatch, done: () => void): void {
    this.batches.push(batch);
    super.append(batch, done);
  }

  override writeNow(): void {
    this.waits++;
    if (this.isQuick) for (const task of this.held.splice(0)) task();
  }

  release(): void {
    this.isHolding = false;
    for (const task of this.held.splice(0)) task();
  }
}

export interface Peer {
  readonly node: RaftNode;
  readonly log: HeldLog;
  readonly machine: TextMachine;
  readonly events: string[];
  readonly errors: Error[];
}

/** Nodes driven by hand: nothing happens but in `run` and `tick`. */
export class Group {
  readonly peers = new Map<PeerId, Peer>();
  readonly sent: Message[] = [];
  /** Messages it returns false for are lost. */
  delivers: (message: Message) => boolean = () => true;
  #tasks: (() => void)[] = [];
  #seed = 7;

  readonly defer = (task: () => void): void => void this.#tasks.push(task);

  async add(
    id: PeerId,
    options: Omit<Partial<RaftNodeOptions>, 'log'> & { readonly log?: HeldLog } = {},
  ): Promise<Peer> {
    const events: string[] = [];
    const errors: Error[] = [];
    const log = options.log ?? new HeldLog(this.defer);
    const machine = new TextMachine();
    const node = new RaftNode({
      id,
      stateMachine: machine,
      random: () => (this.#seed = (this.#seed * 16807) % 2147483647) / 2147483647,
      defer: this.defer,
      send: (messages) => {
        for (const message of messages) this.#carry(message);
      },
      sendSnapshot: (message) => void this.#carrySnapshot(log, message),
      events: {
        leadership: (isLeader, term) => events.push(`${isLeader ? 'leads' : 'leads no more'} in ${String(term)}`),
        configuration: ({ confState }) =>
          events.push(`voters ${confState.voters.join()}${confState.votersOutgoing.length > 0 ? ' joint' : ''}`),
        memberRemoved: (peer) => events.push(`${peer} removed`),
        restored: (index) => events.push(`restored ${String(index)}`),
        fatal: (error) => errors.push(error),
      },
      ...options,
      log,
    });
    const peer = { node, log, machine, events, errors };
    this.peers.set(id, peer);
    const starting = node.start();
    await this.run();
    await starting;
    await this.run();
    return peer;
  }

  /** Runs everything there is to run, including promises that are ready. */
  async run(): Promise<void> {
    for (let idle = 0; idle < 3;) {
      const tasks = this.#tasks;
      this.#tasks = [];
      for (const task of tasks) task();
      await new Promise((resolve) => setImmediate(resolve));
      idle = tasks.length === 0 && this.#tasks.length === 0 ? idle + 1 : 0;
    }
  }

  async tick(times = 1): Promise<void> {
    for (let i = 0; i < times; i++) {
      for (const peer of this.peers.values()) peer.node.tick();
      await this.run();
    }
  }

  get(id: PeerId): Peer {
    return this.peers.get(id) as Peer;
  }

  async leader(): Promise<[PeerId, Peer]> {
    for (let i = 0; i < 200; i++) {
      const found = [...this.peers].find(([, peer]) => peer.node.isLeader);
      if (found !== undefined) return found;
      await this.tick();
    }
    throw new Error('no leader');
  }

  #carry(message: Message): void {
    this.sent.push(message);
    if (this.delivers(message)) this.defer(() => this.peers.get(message.to)?.node.step(message));
  }

  async #carrySnapshot(from: HeldLog, message: Message): Promise<void> {
    this.sent.push(message);
    const metadata = message.snapshot?.metadata;
    const to = this.peers.get(message.to);
    const sender = this.peers.get(message.from);
    if (metadata === undefined || to === undefined || !this.delivers(message)) {
      sender?.node.reportSnapshot(message.to, false);
      return;
    }
    const parts: Uint8Array[] = [];
    for await (const part of (await from.openSnapshot(metadata)).chunks()) parts.push(part);
    to.log.receive(metadata, Buffer.concat(parts));
    to.node.step(message);
    sender?.node.reportSnapshot(message.to, true);
  }
}

export const BOOTSTRAP = ['1', '2', '3'].map((id) => ({ id }));

export async function threeNodes(options: Omit<Partial<RaftNodeOptions>, 'log'> = {}): Promise<Group> {
  const group = new Group();
  for (const { id } of BOOTSTRAP) await group.add(id, { bootstrap: BOOTSTRAP, ...options });
  return group;
}

export async function oneNode(options: Omit<Partial<RaftNodeOptions>, 'log'> = {}): Promise<[Group, Peer]> {
  const group = new Group();
  return [group, await group.add('1', { bootstrap: [{ id: '1' }], ...options })];
}

export function text(value: string): Uint8Array {
  return Buffer.from(value);
}

export function change(...changes: [ConfChangeType, PeerId][]): ConfChangeV2 {
  const singles = changes.map(([type, nodeId]): ConfChangeSingle => ({ type, nodeId }));
  return { transition: ConfChangeTransition.Auto, changes: singles, context: new Uint8Array(0) };
}

export function settled<Value>(promise: Promise<Value>): { result: Value | string | undefined } {
  const box: { result: Value | string | undefined } = { result: undefined };
  promise.then(
    (value) => {
      box.result = value;
    },
    (error: unknown) => {
      box.result = (error as Error).message;
    },
  );
  return box;
}

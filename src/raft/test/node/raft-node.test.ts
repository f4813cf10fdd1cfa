import { describe, expect, it } from 'vitest';
import { MemoryLog } from '../../src/log/memory-log.ts';
import type { LogBatch } from '../../src/log/log-store.ts';
import { RaftNode } from '../../src/node/raft-node.ts';
import type { RaftNodeOptions } from '../../src/node/options.ts';
import { ConfChangeTransition, ConfChangeType, EntryType, MessageType } from '../../src/types.ts';
import type { ConfChangeSingle, ConfChangeV2, ConfState, Message, PeerId } from '../../src/types.ts';
import { newMessage } from '../../src/messages.ts';
import { TextMachine } from './cluster.ts';

/** A log whose writes become durable when the test says so. */
class HeldLog extends MemoryLog {
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

  override waitBriefly(): void {
    this.waits++;
    if (this.isQuick) for (const task of this.held.splice(0)) task();
  }

  release(): void {
    this.isHolding = false;
    for (const task of this.held.splice(0)) task();
  }
}

interface Peer {
  readonly node: RaftNode;
  readonly log: HeldLog;
  readonly machine: TextMachine;
  readonly events: string[];
  readonly errors: Error[];
}

/** Nodes driven by hand: nothing happens but in `run` and `tick`. */
class Group {
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

const BOOTSTRAP = ['1', '2', '3'].map((id) => ({ id }));

async function threeNodes(options: Omit<Partial<RaftNodeOptions>, 'log'> = {}): Promise<Group> {
  const group = new Group();
  for (const { id } of BOOTSTRAP) await group.add(id, { bootstrap: BOOTSTRAP, ...options });
  return group;
}

async function oneNode(options: Omit<Partial<RaftNodeOptions>, 'log'> = {}): Promise<[Group, Peer]> {
  const group = new Group();
  return [group, await group.add('1', { bootstrap: [{ id: '1' }], ...options })];
}

function text(value: string): Uint8Array {
  return Buffer.from(value);
}

function change(...changes: [ConfChangeType, PeerId][]): ConfChangeV2 {
  const singles = changes.map(([type, nodeId]): ConfChangeSingle => ({ type, nodeId }));
  return { transition: ConfChangeTransition.Auto, changes: singles, context: new Uint8Array(0) };
}

function settled<Value>(promise: Promise<Value>): { result: Value | string | undefined } {
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

describe('a node alone', () => {
  it('leads at once, without waiting for an election timeout', async () => {
    const [group, { node, events }] = await oneNode();
    expect(node.isLeader).toBe(true);
    expect(events).toEqual(['voters 1', 'leads in 2']);
    expect(group.sent).toEqual([]);
  });

  it('tells index and term of a proposal before it is written, and applies in order', async () => {
    const [group, { node, machine, log }] = await oneNode();
    const results = ['a', 'b', 'c'].map((value) => node.propose(text(value)));
    expect(results).toEqual([3, 4, 5].map((index) => ({ ok: true, index, term: 2 })));
    expect(machine.texts).toEqual([]);
    await group.run();
    expect(machine.texts).toEqual(['a', 'b', 'c']);
    // All of one turn in one write.
    expect(log.batches.filter((batch) => (batch.entries?.length ?? 0) === 3)).toHaveLength(1);
  });

  it('does not apply what is not durable', async () => {
    const [group, { node, machine, log }] = await oneNode();
    log.isHolding = true;
    node.propose(text('a'));
    await group.run();
    expect(machine.texts).toEqual([]);
    log.release();
    await group.run();
    expect(machine.texts).toEqual(['a']);
  });

  it('waits for a lone write and applies it in the same turn, if the disk is quick', async () => {
    const [group, { node, machine, log }] = await oneNode();
    log.isHolding = true;
    log.isQuick = true;
    log.waits = 0;
    node.propose(text('a'));
    await group.run();
    expect([log.waits, machine.texts]).toEqual([1, ['a']]);
    log.release();
    await group.run();
    log.isHolding = true;
    log.isQuick = false;
    node.propose(text('b'));
    await group.run();
    expect([log.waits, machine.texts]).toEqual([2, ['a']]);
    log.release();
    await group.run();
    expect(machine.texts).toEqual(['a', 'b']);
  });

  it('goes on with other work while several writes are under way', async () => {
    const [group, { node, log }] = await oneNode();
    log.isHolding = true;
    log.waits = 0;
    for (const value of ['a', 'b']) node.propose(text(value));
    await group.run();
    node.propose(text('c'));
    await group.run();
    expect(log.waits).toBe(0);
  });

  it('asks to try again when too many bytes wait', async () => {
    const [group, { node, log }] = await oneNode({ maxUncommittedBytes: 100 });
    log.isHolding = true;
    expect(node.propose(new Uint8Array(1000)).ok).toBe(true);
    expect(node.propose(new Uint8Array(1))).toEqual({ ok: false, reason: 'uncommitted-limit', leader: '1' });
    expect(node.propose(new Uint8Array(0)).ok).toBe(true);
    await group.run();
    expect(node.propose(new Uint8Array(1)).ok).toBe(false);
    log.release();
    await group.run();
    expect(node.propose(new Uint8Array(60)).ok).toBe(true);
    expect(node.propose(new Uint8Array(60)).ok).toBe(false);
  });

  it('starts again from its snapshot and the log behind it', async () => {
    const [group, first] = await oneNode({ snapshotEntries: 10, trailingEntries: 3 });
    for (let i = 0; i < 25; i++) {
      first.node.propose(text(`text ${String(i)}`));
      await group.run();
    }
    const snapshotIndex = first.log.snapshot().metadata.index;
    expect(snapshotIndex).toBeGreaterThan(15);
    expect(first.log.firstIndex()).toBe(snapshotIndex - 2);
    first.node.stop();
    const again = await group.add('1', { log: first.log });
    await group.leader();
    expect(again.machine.texts).toEqual(first.machine.texts);
    expect(again.events).toEqual(['leads in 3']);
  });

  it('makes snapshots as often as it is told while it runs', async () => {
    const [group, { node, log }] = await oneNode({ snapshotEntries: 1_000, trailingEntries: 500 });
    const write = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        node.propose(text(`text ${String(i)}`));
        await group.run();
      }
    };
    await write(20);
    expect(log.snapshot().metadata.index).toBe(0);
    node.setSnapshotPolicy({ snapshotEntries: 5 });
    await write(1);
    const first = log.snapshot().metadata.index;
    expect(first).toBeGreaterThan(20);
    expect(log.firstIndex()).toBe(1);
    node.setSnapshotPolicy({ trailingEntries: 2 });
    await write(5);
    expect(log.snapshot().metadata.index).toBe(first + 5);
    expect(log.firstIndex()).toBe(first + 5 - 1);
  });

  it('makes a snapshot on request', async () => {
    const [group, { node, log }] = await oneNode();
    node.propose(text('a'));
    node.requestSnapshot();
    await group.run();
    await group.tick();
    expect(log.snapshot().metadata.index).toBeGreaterThan(0);
  });

  it('takes the view of a snapshot before anything more is applied', async () => {
    const [group, { node, log, machine }] = await oneNode({ snapshotEntries: 3 });
    for (let i = 0; i < 10; i++) node.propose(text(`text ${String(i)}`));
    await group.run();
    const { metadata } = log.snapshot();
    for await (const chunk of (await log.openSnapshot(metadata)).chunks()) {
      expect(JSON.parse(Buffer.from(chunk).toString())).toMatchObject({ applied: metadata.index });
    }
    expect(machine.texts).toHaveLength(10);
  });

  it('refuses proposals while the disk is full', async () => {
    const [group, { node, log }] = await oneNode();
    log.isDiskFull = true;
    await group.tick(30);
    expect(node.propose(text('a'))).toEqual({ ok: false, reason: 'disk-full', leader: '1' });
    log.isDiskFull = false;
    expect(node.propose(text('a')).ok).toBe(true);
  });

  it('stops when the state machine fails', async () => {
    const [group, { node, machine, errors, events }] = await oneNode();
    machine.apply = () => {
      throw new Error('defect');
    };
    const read = settled(node.readIndex());
    node.propose(text('a'));
    await group.run();
    expect(errors.map((error) => error.message)).toEqual(['defect']);
    expect(node.propose(text('b'))).toMatchObject({ ok: false, reason: 'stopped' });
    expect(events.at(-1)).toBe('leads no more in 2');
    expect(read.result).toBe(2);
  });

  it('refuses what waits when it is stopped', async () => {
    const [group, { node, log }] = await oneNode();
    log.isHolding = true;
    const changed = settled(node.proposeConfChange(change([ConfChangeType.AddLearnerNode, '2'])));
    await group.run();
    node.stop();
    const read = settled(node.readIndex());
    await group.run();
    expect(changed.result).toContain('stopped');
    expect(read.result).toContain('stopped');
  });

  it('makes a commit index durable before it applies a configuration change', async () => {
    const [group, { node, log }] = await oneNode();
    log.isHolding = true;
    const changed = settled(node.proposeConfChange(change([ConfChangeType.AddLearnerNode, '2'])));
    await group.run();
    // The entry becomes durable, and so committed; the commit index does not become durable yet.
    for (const task of log.held.splice(0)) task();
    await group.run();
    expect(node.status()?.hardState.commit).toBe(3);
    expect(log.durableCommit).toBe(2);
    expect(node.confState?.learners).toEqual([]);
    log.release();
    await group.run();
    expect(log.durableCommit).toBe(3);
    expect((changed.result as ConfState).learners).toEqual(['2']);
  });

  it('makes no snapshot while part of a page is applied, which raft may still have to read', async () => {
    const [group, { node, log }] = await oneNode({ snapshotEntries: 2, trailingEntries: 0 });
    await group.run();
    const before = log.snapshot().metadata.index;
    log.isHolding = true;
    for (const value of ['a', 'b', 'c']) node.propose(text(value));
    void node.proposeConfChange(change([ConfChangeType.AddLearnerNode, '2']));
    await group.run();
    for (const task of log.held.splice(0)) task();
    await group.run();
    expect(node.appliedIndex).toBe(5);
    expect(log.snapshot().metadata.index).toBe(before);
    log.release();
    await group.run();
    expect(log.snapshot().metadata.index).toBe(6);
  });

  it('refuses to remove the last voter', async () => {
    const [group, { node }] = await oneNode();
    const changed = settled(node.proposeConfChange(change([ConfChangeType.RemoveNode, '1'])));
    await group.run();
    expect(changed.result).toContain('invalid-change');
  });
});

describe('three nodes', () => {
  it('elect one leader, who sends the proposals of one turn in one message', async () => {
    const group = await threeNodes();
    const [id, leader] = await group.leader();
    expect([...group.peers.values()].filter((peer) => peer.node.isLeader)).toHaveLength(1);
    await group.tick(2);
    group.sent.length = 0;
    for (let i = 0; i < 50; i++) leader.node.propose(text(`text ${String(i)}`));
    await group.run();
    const appends = group.sent.filter((message) => message.type === MessageType.MsgApp && message.entries.length > 0);
    expect(appends.map((message) => message.entries.length)).toEqual([50, 50]);
    await group.tick();
    for (const peer of group.peers.values()) {
      expect(peer.machine.texts).toHaveLength(50);
      expect(peer.node.leader).toBe(id);
      expect(peer.log.initialState().hardState).toMatchObject({ term: leader.node.status()?.hardState.term });
    }
    const votes = [...group.peers.values()].filter((peer) => peer.log.initialState().hardState.vote === id);
    expect(votes.length).toBeGreaterThanOrEqual(2);
    for (const peer of group.peers.values()) {
      expect(peer.log.lastIndex()).toBe(leader.log.lastIndex());
    }
  });

  it('do not let the leader wait for its own disk, but those that have nothing else to do', async () => {
    const group = await threeNodes();
    const [id, { node, log }] = await group.leader();
    const logs = [...group.peers].map(([peer, { log: own }]) => ({ peer, own }));
    for (const { own } of logs) own.waits = 0;
    node.propose(text('a'));
    await group.run();
    expect(log.waits).toBe(0);
    for (const { peer, own } of logs.filter((other) => other.peer !== id)) expect([peer, own.waits]).toEqual([peer, 1]);
  });

  it('refuse proposals where they do not lead, and name the leader', async () => {
    const group = await threeNodes();
    expect(group.get('1').node.propose(text('a'))).toEqual({ ok: false, reason: 'no-leader', leader: '0' });
    const [id] = await group.leader();
    await group.tick();
    const follower = [...group.peers].find(([peer]) => peer !== id)?.[1] as Peer;
    expect(follower.node.propose(text('a'))).toEqual({ ok: false, reason: 'not-leader', leader: id });
    const changed = settled(follower.node.proposeConfChange(change([ConfChangeType.RemoveNode, '3'])));
    await group.run();
    expect(changed.result).toContain('not-leader');
  });

  it('announce leadership only when entries of earlier terms are applied', async () => {
    const group = await threeNodes();
    const [id, leader] = await group.leader();
    leader.node.propose(text('old'));
    await group.run();
    const next = [...group.peers].find(([peer]) => peer !== id) as [PeerId, Peer];
    // The old leader disappears; the next one must first commit in its own term.
    group.delivers = (message) => message.from !== id && message.to !== id && message.type !== MessageType.MsgApp;
    for (
      let i = 0;
      i < 100 && [...group.peers].every(([peer, { node }]) => peer === id || node.status()?.role !== 'leader');
      i++
    )
      await group.tick();
    const [, elected] = [...group.peers].find(
      ([peer, { node }]) => peer !== id && node.status()?.role === 'leader',
    ) as [PeerId, Peer];
    expect(elected.node.isLeader).toBe(false);
    expect(elected.node.propose(text('new'))).toMatchObject({ ok: false, reason: 'leader-not-ready' });
    group.delivers = (message) => message.from !== id && message.to !== id;
    await group.leader();
    for (let i = 0; i < 30 && !elected.node.isLeader; i++) await group.tick();
    expect([...group.peers].filter(([peer, { node }]) => peer !== id && node.isLeader)).toHaveLength(1);
    expect(elected.machine.texts).toEqual(['old']);
    expect(next).toBeDefined();
    expect(leader.events.at(-1)).toMatch(/^leads no more/);
  });

  it('confirm all reads that wait with one round of heartbeats', async () => {
    const group = await threeNodes();
    const [, leader] = await group.leader();
    leader.node.propose(text('a'));
    await group.run();
    await group.tick();
    group.sent.length = 0;
    const reads = Array.from({ length: 20 }, () => settled(leader.node.readIndex()));
    await group.run();
    expect(reads.every((read) => read.result === leader.node.appliedIndex)).toBe(true);
    expect(group.sent.filter((message) => message.type === MessageType.MsgHeartbeat)).toHaveLength(2);
  });

  it('serve reads of a follower, which waits until it has applied them', async () => {
    const group = await threeNodes();
    const [id, leader] = await group.leader();
    await group.tick();
    const [otherId, follower] = [...group.peers].find(([peer]) => peer !== id) as [PeerId, Peer];
    group.delivers = (message) => !(message.to === otherId && message.type === MessageType.MsgApp);
    leader.node.propose(text('a'));
    await group.run();
    const read = settled(follower.node.readIndex());
    await group.run();
    expect(read.result).toBeUndefined();
    group.delivers = () => true;
    await group.tick(3);
    expect(read.result).toBe(leader.node.appliedIndex);
    expect(follower.machine.texts).toEqual(['a']);
  });

  it('refuse reads when no leader answers', async () => {
    const group = await threeNodes();
    const [, leader] = await group.leader();
    group.delivers = () => false;
    const read = settled(leader.node.readIndex());
    await group.tick(5);
    expect(read.result).toBeUndefined();
    await group.tick(30);
    expect(read.result).toContain('no-leader');
  });

  it('refuse what waits for a leadership that was lost', async () => {
    const group = await threeNodes();
    const [, leader] = await group.leader();
    group.delivers = () => false;
    const changed = settled(leader.node.proposeConfChange(change([ConfChangeType.AddLearnerNode, '4'])));
    await group.tick(40);
    expect(changed.result).toContain('leadership-lost');
    expect(leader.events.at(-1)).toMatch(/^leads no more/);
  });

  it('take one configuration change at a time', async () => {
    const group = await threeNodes();
    const [, leader] = await group.leader();
    await group.tick();
    const first = settled(leader.node.proposeConfChange(change([ConfChangeType.AddLearnerNode, '4'])));
    const second = settled(leader.node.proposeConfChange(change([ConfChangeType.AddLearnerNode, '5'])));
    await group.tick(3);
    expect((first.result as ConfState).learners).toEqual(['4']);
    expect(second.result).toContain('change-not-now');
  });

  it('resolve a joint change when the joint configuration is left', async () => {
    const group = await threeNodes();
    const [id, leader] = await group.leader();
    await group.tick();
    const gone = [...group.peers.keys()].find((peer) => peer !== id) as PeerId;
    await group.add('4');
    const changed = settled(
      leader.node.proposeConfChange(change([ConfChangeType.AddNode, '4'], [ConfChangeType.RemoveNode, gone])),
    );
    await group.tick(5);
    const expected = ['1', '2', '3', '4'].filter((peer) => peer !== gone);
    expect(changed.result).toMatchObject({ voters: expected, votersOutgoing: [] });
    expect(leader.events).toContain(`voters ${expected.join()} joint`);
    expect(leader.events.at(-1)).toBe(`${gone} removed`);
    leader.node.propose(text('a'));
    await group.tick(3);
    expect(group.get('4').machine.texts).toEqual(['a']);
  });

  it('let a leader that is removed step down', async () => {
    const group = await threeNodes();
    const [id, leader] = await group.leader();
    await group.tick();
    const changed = settled(leader.node.proposeConfChange(change([ConfChangeType.RemoveNode, id])));
    await group.tick(3);
    expect((changed.result as ConfState).voters).not.toContain(id);
    expect(leader.events).toContain(`${id} removed`);
    expect(leader.node.isLeader).toBe(false);
    group.peers.delete(id);
    leader.node.stop();
    const [next] = await group.leader();
    expect(next).not.toBe(id);
  });

  it('hand leadership over, and say so when it fails', async () => {
    const group = await threeNodes();
    const [id, leader] = await group.leader();
    await group.tick();
    const to = [...group.peers.keys()].find((peer) => peer !== id) as PeerId;
    const unknown = settled(leader.node.transferLeadership('9'));
    group.delivers = (message) => message.to !== to;
    const lost = settled(leader.node.transferLeadership(to));
    expect(leader.node.propose(text('a'))).toMatchObject({ ok: false, reason: 'transferring' });
    await group.tick(15);
    expect(unknown.result).toContain('transfer-failed');
    expect(lost.result).toContain('transfer-failed');
    group.delivers = () => true;
    const [now, again] = await group.leader();
    await group.tick(3);
    const target = [...group.peers.keys()].find((peer) => peer !== now) as PeerId;
    let isDone = false;
    void again.node.transferLeadership(target).then(() => {
      isDone = true;
    });
    await group.tick(3);
    expect(isDone).toBe(true);
    expect(group.get(target).node.isLeader).toBe(true);
  });

  it('say that a transfer failed when the leader stepped down for a successor that then fell silent', async () => {
    const group = await threeNodes();
    const [id, leader] = await group.leader();
    await group.tick();
    const to = [...group.peers.keys()].find((peer) => peer !== id) as PeerId;
    const isVote = (type: MessageType): boolean =>
      type === MessageType.MsgVoteResp || type === MessageType.MsgPreVoteResp;
    group.delivers = (message) =>
      [id, to].includes(message.to) && [id, to].includes(message.from) && !isVote(message.type);
    const lost = settled(leader.node.transferLeadership(to));
    await group.tick(5);
    expect(leader.node.isLeader).toBe(false);
    expect(lost.result).toBeUndefined();
    await group.tick(20);
    expect(lost.result).toContain('transfer-failed');
  });

  it('give leadership away when the leader has no room on its disk', async () => {
    const group = await threeNodes();
    const [id, leader] = await group.leader();
    await group.tick(2);
    leader.log.isDiskFull = true;
    await group.tick(5);
    expect(leader.node.isLeader).toBe(false);
    expect((await group.leader())[0]).not.toBe(id);
  });

  it('discard entries that wait to be applied when a snapshot overtakes them', async () => {
    const group = await threeNodes({ snapshotEntries: 5, trailingEntries: 0 });
    const [id, leader] = await group.leader();
    await group.tick();
    const [behindId, behind] = [...group.peers].find(([peer]) => peer !== id) as [PeerId, Peer];
    // Its disk is slow: the change is durable there and committed, but has to wait for the commit index to be durable.
    behind.log.isHolding = true;
    const changed = settled(leader.node.proposeConfChange(change([ConfChangeType.AddLearnerNode, '7'])));
    await group.tick(2);
    expect((changed.result as ConfState).learners).toEqual(['7']);
    behind.log.held.shift()?.();
    await group.run();
    expect(behind.log.batches.some((batch) => batch.sync === true && batch.entries === undefined)).toBe(true);
    expect(behind.node.confState?.learners).toEqual([]);
    group.delivers = (message) => message.to !== behindId;
    for (let i = 0; i < 20; i++) {
      leader.node.propose(text(`text ${String(i)}`));
      await group.run();
    }
    leader.node.reportUnreachable(behindId);
    group.delivers = () => true;
    await group.tick(3);
    expect(behind.log.batches.some((batch) => batch.snapshot !== undefined)).toBe(true);
    behind.log.release();
    await group.tick(10);
    expect(behind.errors).toEqual([]);
    expect(behind.events.some((event) => event.startsWith('restored'))).toBe(true);
    expect(behind.machine.texts).toEqual(leader.machine.texts);
    expect(behind.node.confState?.learners).toEqual(['7']);
  });

  it('ignore the message of a snapshot whose content did not arrive', async () => {
    const group = await threeNodes();
    const [id] = await group.leader();
    const [to, follower] = [...group.peers].find(([peer]) => peer !== id) as [PeerId, Peer];
    const confState = follower.node.confState as ConfState;
    const snapshot = { data: new Uint8Array(0), metadata: { index: 500, term: 2, confState } };
    follower.node.step(
      newMessage({
        type: MessageType.MsgSnap,
        from: id,
        to,
        term: follower.node.status()?.hardState.term ?? 0,
        snapshot,
      }),
    );
    await group.run();
    expect(follower.errors).toEqual([]);
    expect(follower.log.snapshot().metadata.index).toBe(0);
  });

  it('pass over a configuration change that nobody can read', async () => {
    const group = new Group();
    const log = new HeldLog(group.defer);
    const entry = { type: EntryType.ConfChange, term: 1, index: 2, data: new Uint8Array([255, 255]) };
    const first = await group.add('1', { bootstrap: [{ id: '1' }], log });
    first.node.stop();
    log.append(
      {
        entries: [{ ...entry, index: log.lastIndex() + 1, term: 2 }],
        hardState: { term: 2, vote: '1', commit: log.lastIndex() + 1 },
      },
      () => undefined,
    );
    const again = await group.add('1', { log });
    expect(again.errors).toEqual([]);
    expect(again.node.isLeader).toBe(true);
  });
});

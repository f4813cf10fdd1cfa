/** How fast a leader sends to each follower: probing, pipelining, snapshots. */
import { describe, expect, it } from 'vitest';
import { MessageType } from '../src/types.ts';
import type { Message } from '../src/types.ts';
import { SNAPSHOT_TEMPORARILY_UNAVAILABLE } from '../src/storage.ts';
import { Inflights } from '../src/tracker/inflights.ts';
import { Progress, ProgressState } from '../src/tracker/progress.ts';
import { aLeader, bytes, config, places } from './kit/node.ts';
import type { NodeSettings, TestNode } from './kit/node.ts';

const { MsgApp, MsgAppResp, MsgHeartbeatResp, MsgSnap } = MessageType;

function peer(leader: TestNode, id = '2') {
  const found = leader.status().peers.find((each) => each.id === id);
  if (found === undefined) throw new Error(`no peer ${id}`);
  return found;
}

function appends(messages: readonly Message[], to = '2'): readonly Message[] {
  return messages.filter((message) => message.type === MsgApp && message.to === to);
}

/** A leader whose follower 2 is in state Replicate at index 1. */
function replicating(settings: NodeSettings = {}): TestNode {
  const leader = aLeader(settings);
  leader.receive(MsgAppResp, '2', { index: 1 });
  expect(peer(leader).state).toBe(ProgressState.Replicate);
  return leader;
}

function progress(fields: Partial<Progress> = {}): Progress {
  const made = new Progress({ next: 1, isLearner: false, recentActive: true, inflights: new Inflights(256, 0) });
  return Object.assign(made, fields);
}

describe('probing', () => {
  it('sends one append and then waits', () => {
    const leader = aLeader();
    expect(peer(leader)).toMatchObject({ state: ProgressState.Probe, isPaused: true });
    for (let i = 0; i < 3; i++) {
      leader.propose([bytes('x')]);
      expect(appends(leader.send())).toEqual([]);
    }
  });

  it('sends one more per heartbeat answer', () => {
    const leader = aLeader();
    leader.propose([bytes('x')]);
    leader.send();
    for (let i = 0; i < 3; i++) {
      leader.ticks(1);
      leader.send();
      const sent = appends(leader.receive(MsgHeartbeatResp, '2'));
      expect(sent.map((message) => places(message.entries))).toEqual([['1/1', '1/2']]);
      expect(peer(leader).isPaused).toBe(true);
    }
  });

  it('turns into replicating with the first acknowledgement, even one that is no news', () => {
    const leader = replicating();
    leader.reportUnreachable('2');
    expect(peer(leader).state).toBe(ProgressState.Probe);
    leader.receive(MsgAppResp, '2', { index: 1 });
    expect(peer(leader).state).toBe(ProgressState.Replicate);
  });

  it('asks a caught-up follower with an empty append after a heartbeat answer', () => {
    const leader = replicating();
    leader.receive(MsgAppResp, '3', { index: 1 });
    leader.reportUnreachable('2');
    const sent = appends(leader.receive(MsgHeartbeatResp, '2'));
    expect(sent.map((message) => message.entries.length)).toEqual([0]);
  });
});

describe('replicating', () => {
  it('pipelines appends without waiting', () => {
    const leader = replicating();
    for (let i = 0; i < 5; i++) {
      leader.propose([bytes('x')]);
      expect(appends(leader.send())).toHaveLength(1);
    }
    expect(peer(leader)).toMatchObject({ match: 1, next: 7, inflightMessages: 5, inflightBytes: 5 });
  });

  it('stops at the limit of messages and goes on when they are acknowledged', () => {
    const leader = replicating({ maxInflightMessages: 3 });
    for (let i = 0; i < 5; i++) leader.propose([bytes('x')]);
    expect(appends(leader.send())).toHaveLength(3);
    expect(peer(leader)).toMatchObject({ isPaused: true, inflightMessages: 3 });
    // An old acknowledgement frees nothing.
    expect(appends(leader.receive(MsgAppResp, '2', { index: 1 }))).toEqual([]);
    // A cumulative one frees all it covers; the rest goes in one append. Another one tells what it commits.
    const sent = appends(leader.receive(MsgAppResp, '2', { index: 3 }));
    expect(sent.flatMap((message) => places(message.entries))).toEqual(['1/5', '1/6']);
    expect(peer(leader).inflightMessages).toBe(2);
  });

  it('stops at the limit of bytes, which one message may overshoot', () => {
    const leader = replicating({ maxMessageBytes: 100, maxInflightBytes: 150 });
    for (let i = 0; i < 4; i++) leader.propose([new Uint8Array(80)]);
    expect(appends(leader.send())).toHaveLength(2);
    expect(peer(leader)).toMatchObject({ isPaused: true, inflightBytes: 160 });
    leader.receive(MsgAppResp, '2', { index: 2 });
    expect(peer(leader)).toMatchObject({ inflightMessages: 2, inflightBytes: 160 });
  });

  it('splits what it sends into messages of the allowed size, one entry at least', () => {
    const leader = aLeader({ maxMessageBytes: 100 });
    leader.propose([
      new Uint8Array(80),
      new Uint8Array(80),
      new Uint8Array(500),
      new Uint8Array(10),
      new Uint8Array(10),
    ]);
    leader.send();
    const sent = appends(leader.receive(MsgAppResp, '2', { index: 1 }));
    const withEntries = sent.filter((message) => message.entries.length > 0);
    expect(withEntries.map((message) => places(message.entries))).toEqual([['1/2'], ['1/3'], ['1/4'], ['1/5', '1/6']]);
  });

  it('sends only an empty append per heartbeat answer while the window is full', () => {
    const leader = replicating({ maxInflightMessages: 1 });
    leader.propose([bytes('x')]);
    leader.propose([bytes('y')]);
    leader.send();
    for (let i = 0; i < 3; i++) {
      const sent = appends(leader.receive(MsgHeartbeatResp, '2'));
      expect(sent.map((message) => [message.index, message.entries.length])).toEqual([[2, 0]]);
    }
    // The follower never saw the append in flight, so it refuses, and probing starts over.
    const again = appends(leader.receive(MsgAppResp, '2', { index: 2, reject: true, rejectHint: 1, logTerm: 1 }));
    expect(again.map((message) => places(message.entries))).toEqual([['1/2', '1/3']]);
    expect(peer(leader)).toMatchObject({ state: ProgressState.Probe, next: 2 });
  });

  it('goes back to probing after a rejection or when the follower cannot be reached', () => {
    const leader = replicating();
    leader.propose([bytes('x'), bytes('y')]);
    leader.send();
    leader.reportUnreachable('2');
    expect(peer(leader)).toMatchObject({ state: ProgressState.Probe, next: 2, inflightMessages: 0 });
  });

  it('tells a follower about a new commit index at once, but not twice', () => {
    const leader = replicating();
    leader.propose([bytes('x')]);
    leader.send();
    leader.receive(MsgAppResp, '2', { index: 2 });
    const sent = leader.receive(MsgAppResp, '3', { index: 2 });
    expect(appends(sent, '3').map((message) => message.commit)).toEqual([2]);
    expect(appends(leader.receive(MsgAppResp, '3', { index: 2 }), '3')).toEqual([]);
  });
});

describe('snapshots', () => {
  const members = config({ voters: ['1', '2', '3'] });

  /** A leader whose log starts after index 5. */
  function compacted(settings: NodeSettings = {}): TestNode {
    const data = bytes('state');
    const prepare: NodeSettings['prepare'] = (storage) => {
      storage.applySnapshot({ data, metadata: { index: 5, term: 1, confState: members } });
      storage.setHardState({ term: 1, vote: '0', commit: 5 });
    };
    const leader = aLeader({ ...settings, prepare });
    leader.receive(MsgAppResp, '3', { index: 6 });
    leader.receive(MsgAppResp, '2', { index: 5, reject: true, rejectHint: 0 });
    return leader;
  }

  it('are sent when the entries a follower needs are gone, and then nothing else is', () => {
    const leader = compacted();
    expect(peer(leader)).toMatchObject({ state: ProgressState.Snapshot, pendingSnapshot: 5, next: 6, isPaused: true });
    leader.propose([bytes('x')]);
    expect(appends(leader.send())).toEqual([]);
    expect(appends(leader.receive(MsgHeartbeatResp, '2'))).toEqual([]);
  });

  it('end with an acknowledgement that connects the follower to the log', () => {
    const leader = compacted();
    leader.receive(MsgAppResp, '2', { index: 3 });
    expect(peer(leader).state).toBe(ProgressState.Snapshot);
    // Another snapshot than the one sent, as long as the log can take over.
    const sent = appends(leader.receive(MsgAppResp, '2', { index: 5 }));
    expect(peer(leader)).toMatchObject({ state: ProgressState.Replicate, match: 5 });
    expect(sent.flatMap((message) => places(message.entries))).toEqual(['2/6']);
  });

  it('are followed by one probe after the next heartbeat answer when they were delivered', () => {
    const leader = compacted();
    leader.reportSnapshot('2', true);
    expect(peer(leader)).toMatchObject({ state: ProgressState.Probe, next: 6, isPaused: true });
    expect(appends(leader.send())).toEqual([]);
    expect(appends(leader.receive(MsgHeartbeatResp, '2')).map((message) => message.index)).toEqual([5]);
  });

  it('are tried again after the next heartbeat answer when they failed', () => {
    const leader = compacted();
    leader.reportSnapshot('2', false);
    expect(peer(leader)).toMatchObject({ state: ProgressState.Probe, next: 1, isPaused: true });
    expect(leader.receive(MsgHeartbeatResp, '2').map((message) => message.type)).toEqual([MsgSnap]);
  });

  it('are not sent to a follower that seems dead', () => {
    const leader = compacted({ checkQuorum: true });
    leader.reportSnapshot('2', false);
    leader.receive(MsgHeartbeatResp, '3');
    leader.ticks(10);
    expect(peer(leader).recentActive).toBe(false);
    expect(leader.send().filter((message) => message.type === MsgSnap)).toEqual([]);
  });

  it('that are not there yet, or cannot serve this follower, are asked for', () => {
    const without = aLeader({
      prepare: (storage) => {
        storage.applySnapshot({ data: bytes(''), metadata: { index: 5, term: 1, confState: members } });
        storage.setHardState({ term: 1, vote: '0', commit: 5 });
        storage.snapshot = () => SNAPSHOT_TEMPORARILY_UNAVAILABLE as never;
      },
    });
    expect(without.wantsSnapshot).toBe(false);
    without.receive(MsgAppResp, '2', { index: 5, reject: true, rejectHint: 0 });
    expect([without.wantsSnapshot, peer(without).state]).toEqual([true, ProgressState.Probe]);
    // The follower became a member after the snapshot was taken and would refuse it.
    const old = aLeader({
      voters: ['1', '2', '3', '4'],
      prepare: (storage) => {
        storage.applySnapshot({
          data: bytes(''),
          metadata: { index: 5, term: 1, confState: config({ voters: ['1', '3'] }) },
        });
        storage.setHardState({ term: 1, vote: '0', commit: 5 });
        const confState = config({ voters: ['1', '2', '3'] });
        storage.initialState = () => ({ hardState: { term: 1, vote: '0', commit: 5 }, confState });
      },
    });
    old.receive(MsgAppResp, '2', { index: 5, reject: true, rejectHint: 0 });
    expect(old.wantsSnapshot).toBe(true);
    old.storage.createSnapshot(6, members, bytes(''));
    expect(old.receive(MsgHeartbeatResp, '2').map((message) => message.type)).toContain(MsgSnap);
    expect(old.wantsSnapshot).toBe(false);
  });

  it('are restored by a follower with their configuration, and acknowledged', () => {
    const leader = compacted();
    leader.reportSnapshot('2', false);
    const [message] = leader.receive(MsgHeartbeatResp, '2').filter((each) => each.type === MsgSnap);
    const follower = aFollower();
    const answers = follower.receive(MsgSnap, '1', { ...message, term: 2, from: '1', to: '2' });
    expect(answers.map(({ type, index }) => [type, index])).toEqual([[MsgAppResp, 5]]);
    expect([follower.commitIndex, follower.appliedIndex, follower.confState.voters]).toEqual([5, 5, ['1', '2', '3']]);
    expect(follower.storage.snapshot().metadata.index).toBe(5);
  });

  function aFollower(): TestNode {
    const node = aLeader({ id: '2', voters: ['2'] });
    node.inside.role = 'follower';
    return node;
  }
});

describe('progress', () => {
  it('never lowers match and keeps next above it', () => {
    const made = progress({ match: 3, next: 5 });
    for (const [index, isNews, match, next] of [
      [2, false, 3, 5],
      [3, false, 3, 5],
      [4, true, 4, 5],
      [6, true, 6, 7],
    ] as const) {
      expect(made.maybeUpdate(index)).toBe(isNews);
      expect([made.match, made.next]).toEqual([match, next]);
    }
  });

  const decreases: readonly (readonly [ProgressState, number, number, number, number, boolean, number])[] = [
    // state, match, next, rejected, hint, taken, next afterwards
    [ProgressState.Replicate, 5, 10, 5, 5, false, 10],
    [ProgressState.Replicate, 5, 10, 4, 4, false, 10],
    [ProgressState.Replicate, 5, 10, 9, 9, true, 6],
    [ProgressState.Probe, 0, 0, 0, 0, false, 0],
    [ProgressState.Probe, 0, 10, 5, 5, false, 10],
    [ProgressState.Probe, 0, 10, 9, 9, true, 9],
    [ProgressState.Probe, 0, 2, 1, 1, true, 1],
    [ProgressState.Probe, 0, 1, 0, 0, true, 1],
    [ProgressState.Probe, 0, 10, 9, 2, true, 3],
    [ProgressState.Probe, 0, 10, 9, 0, true, 1],
    [ProgressState.Probe, 4, 10, 9, 0, true, 5],
  ];
  for (const [state, match, next, rejected, hint, isTaken, after] of decreases) {
    it(`in ${state} at ${match}/${next} ${isTaken ? 'takes' : 'ignores'} a rejection of ${rejected} hinting at ${hint}`, () => {
      const made = progress({ state, match, next });
      expect(made.maybeDecreaseTo(rejected, hint)).toBe(isTaken);
      expect(made.next).toBe(after);
    });
  }

  it('probes after a snapshot from where it ends, or from match if that is further', () => {
    const made = progress({ match: 1 });
    made.becomeSnapshot(10);
    expect(made.isPaused()).toBe(true);
    made.becomeProbe();
    expect([made.next, made.isPaused()]).toEqual([11, false]);
    const further = progress({ match: 20 });
    further.becomeSnapshot(10);
    further.becomeProbe();
    expect(further.next).toBe(21);
  });

  it('sends no appends while a snapshot is on its way', () => {
    const made = progress();
    made.becomeSnapshot(3);
    expect(() => made.sentEntries(1, 1)).toThrow(/StateSnapshot/);
  });
});

import { describe, expect, it } from 'vitest';
import { ProposalBuffer } from '../../src/node/proposal-buffer.ts';
import { ReadRequests } from '../../src/node/read-requests.ts';
import { compactionIndex, isSnapshotDue } from '../../src/node/snapshot-policy.ts';
import { startedStream } from '../../src/node/started-stream.ts';

describe('read requests', () => {
  function requests(): { reads: ReadRequests; asked: Uint8Array[]; leader: { isKnown: boolean } } {
    const asked: Uint8Array[] = [];
    const leader = { isKnown: true };
    const ask = (context: Uint8Array): boolean => {
      if (leader.isKnown) asked.push(context);
      return leader.isKnown;
    };
    return { reads: new ReadRequests({ ask, random: () => 0.5, retryTicks: 3, timeoutTicks: 10 }), asked, leader };
  }

  it('that come during a round share the next one', async () => {
    const { reads, asked } = requests();
    const first = [reads.add(), reads.add()];
    reads.pump();
    const second = [reads.add(), reads.add()];
    reads.pump();
    expect(asked).toHaveLength(1);
    reads.applied(7);
    reads.confirmed([{ index: 5, context: asked[0] as Uint8Array }]);
    expect(await Promise.all(first)).toEqual([5, 5]);
    reads.pump();
    expect(asked).toHaveLength(2);
    reads.confirmed([{ index: 6, context: asked[1] as Uint8Array }]);
    expect(await Promise.all(second)).toEqual([6, 6]);
  });

  it('are asked again when no answer comes, and an answer to the first question counts no more', async () => {
    const { reads, asked } = requests();
    let result: number | undefined;
    void reads.add().then((index) => {
      result = index;
    });
    reads.applied(100);
    reads.pump();
    for (let i = 0; i < 3; i++) reads.tick();
    reads.pump();
    expect(asked).toHaveLength(2);
    reads.confirmed([{ index: 5, context: asked[0] as Uint8Array }]);
    await Promise.resolve();
    expect(result).toBeUndefined();
    reads.confirmed([{ index: 9, context: asked[1] as Uint8Array }]);
    await Promise.resolve();
    expect(result).toBe(9);
  });

  it('are given up when no leader is known for long', async () => {
    const { reads, leader } = requests();
    leader.isKnown = false;
    const read = reads.add();
    for (let i = 0; i < 10; i++) {
      reads.pump();
      reads.tick();
    }
    await expect(read).rejects.toThrow('no-leader');
  });
});

describe('the buffer of proposals', () => {
  it('counts bytes until they are applied', () => {
    const buffer = new ProposalBuffer(100);
    buffer.add(5, new Uint8Array(60));
    expect([buffer.fits(40), buffer.fits(41), buffer.fits(0)]).toEqual([true, false, true]);
    expect(buffer.take()).toHaveLength(1);
    expect(buffer.count).toBe(0);
    expect(buffer.fits(41)).toBe(false);
    buffer.applied(4);
    expect(buffer.fits(41)).toBe(false);
    buffer.applied(5);
    expect(buffer.fits(1000)).toBe(true);
  });
});

describe('the snapshot policy', () => {
  const policy = { snapshotEntries: 100, trailingEntries: 10, minSnapshotLogBytes: 1000 };
  const quiet = { appliedIndex: 150, snapshotIndex: 100, bytesSinceSnapshot: 10, snapshotBytes: 10 };

  it('asks for a snapshot after enough entries, or when the log outgrows the last one', () => {
    expect(isSnapshotDue(policy, quiet)).toBe(false);
    expect(isSnapshotDue(policy, { ...quiet, appliedIndex: 200 })).toBe(true);
    expect(isSnapshotDue(policy, { ...quiet, bytesSinceSnapshot: 1001 })).toBe(true);
    expect(isSnapshotDue(policy, { ...quiet, bytesSinceSnapshot: 1001, snapshotBytes: 500 })).toBe(false);
    expect(isSnapshotDue(policy, { ...quiet, bytesSinceSnapshot: 2001, snapshotBytes: 500 })).toBe(true);
    expect(isSnapshotDue(policy, { ...quiet, appliedIndex: 100, bytesSinceSnapshot: 5000 })).toBe(false);
  });

  it('lets a large state wait until twice as much log has come as it is long', () => {
    const many = { ...quiet, appliedIndex: 500, snapshotBytes: 50_000 };
    expect(isSnapshotDue(policy, { ...many, bytesSinceSnapshot: 98_999 })).toBe(false);
    expect(isSnapshotDue(policy, { ...many, bytesSinceSnapshot: 99_000 })).toBe(true);
    expect(isSnapshotDue(policy, { ...many, appliedIndex: 199, bytesSinceSnapshot: 99_000 })).toBe(false);
  });

  it('keeps some entries for slow followers', () => {
    expect(compactionIndex(policy, 100)).toBe(90);
    expect(compactionIndex(policy, 5)).toBe(0);
  });
});

describe('a started stream', () => {
  it('looks at the state at once, not when it is read', async () => {
    let state = 'then';
    async function* view(): AsyncGenerator<string> {
      yield state;
      yield 'more';
    }
    const stream = startedStream(view());
    state = 'later';
    await Promise.resolve();
    const items: string[] = [];
    for await (const item of stream) items.push(item);
    expect(items).toEqual(['then', 'more']);
  });

  it('hands errors to its reader', async () => {
    async function* failing(): AsyncGenerator<string> {
      yield await Promise.reject(new Error('no view'));
    }
    const stream = startedStream(failing());
    await new Promise((resolve) => setImmediate(resolve));
    await expect(
      (async () => {
        for await (const item of stream) expect(item).toBeUndefined();
      })(),
    ).rejects.toThrow('no view');
  });

  it('takes any iterable', async () => {
    const items: number[] = [];
    for await (const item of startedStream([1, 2, 3])) items.push(item);
    expect(items).toEqual([1, 2, 3]);
  });
});

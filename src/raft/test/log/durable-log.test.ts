import { describe, expect, it } from 'vitest';
import { LogIdentityError, LogLockedError } from '../../src/log/errors.ts';
import {
  aDirectory,
  anEntry,
  append,
  confState,
  contents,
  entriesFrom,
  hardState,
  openLog,
  segmentFiles,
} from './support.ts';

describe('a durable log', () => {
  it('starts empty', async () => {
    const log = await openLog(aDirectory());
    expect(log.isEmpty).toBe(true);
    expect([log.firstIndex(), log.lastIndex(), log.term(0), log.term(1)]).toEqual([1, 0, 0, 'unavailable']);
    expect(log.initialState().hardState).toEqual({ term: 0, vote: '0', commit: 0 });
    await log.close();
  });

  it('finds entries and hard state again after a restart', async () => {
    const directory = aDirectory();
    const log = await openLog(directory);
    await append(log, { entries: entriesFrom(1, 3), hardState: hardState(1, 0) });
    await append(log, { entries: entriesFrom(4, 2, 2), hardState: hardState(2, 3) });
    const before = contents(log);
    await log.close();
    const again = await openLog(directory);
    expect(again.isEmpty).toBe(false);
    expect(contents(again)).toEqual(before);
    expect(before).toMatchObject({ first: 1, last: 5, hardState: { term: 2, vote: '1', commit: 3 } });
    expect(again.term(4)).toBe(2);
  });

  it('can be read before a batch is durable, and calls back in order', async () => {
    const log = await openLog(aDirectory());
    const order: number[] = [];
    log.append({ entries: [anEntry(1)], hardState: hardState(1) }, () => order.push(1));
    log.append({ hardState: hardState(1, 1) }, () => order.push(2));
    expect(log.lastIndex()).toBe(1);
    expect(order).toEqual([]);
    await append(log, { entries: [anEntry(2)] });
    expect(order).toEqual([1, 2]);
  });

  it('writes at once for a caller that waits, and keeps the order of the callbacks', async () => {
    const directory = aDirectory();
    const log = await openLog(directory);
    const order: number[] = [];
    let atOnce = 0;
    // How quick the disk is depends on the machine, so this goes on until it was quick some times.
    for (let index = 1; atOnce < 5; index++) {
      const done = new Promise<void>((resolve) => {
        log.append({ entries: [anEntry(index)], hardState: hardState(1), isAwaited: true }, () => {
          order.push(index);
          resolve();
        });
      });
      expect(order).toHaveLength(index - 1);
      log.writeNow();
      if (order.length === index) atOnce++;
      await done;
    }
    expect(order).toEqual(order.map((_, i) => i + 1));
    log.writeNow();
    const before = contents(log);
    await log.close();
    log.writeNow();
    expect(contents(await openLog(directory))).toEqual(before);
  });

  it('loses nothing if it was told that a caller waits who does not', async () => {
    const directory = aDirectory();
    const log = await openLog(directory);
    for (let index = 1; index <= 20; index++) await append(log, { entries: [anEntry(index)], isAwaited: true });
    log.append({ entries: [anEntry(21)], isAwaited: true }, () => undefined);
    log.append({ entries: [anEntry(22)], isAwaited: true }, () => undefined);
    await log.close();
    expect((await openLog(directory)).lastIndex()).toBe(22);
  });

  it('replaces a conflicting suffix', async () => {
    const directory = aDirectory();
    const log = await openLog(directory);
    await append(log, { entries: entriesFrom(1, 5), hardState: hardState(1) });
    await append(log, { entries: [anEntry(3, 2, 'new')], hardState: hardState(2) });
    expect(contents(log).texts).toEqual(['1/1:entry 1', '2/1:entry 2', '3/2:new']);
    await log.close();
    expect(contents(await openLog(directory)).texts).toEqual(['1/1:entry 1', '2/1:entry 2', '3/2:new']);
  });

  it('drops a suffix on request', async () => {
    const directory = aDirectory();
    const log = await openLog(directory);
    await append(log, { entries: entriesFrom(1, 5), hardState: hardState(1, 2) });
    await append(log, { truncateFrom: 3, confState: confState('1') });
    await log.close();
    const again = await openLog(directory);
    expect(again.lastIndex()).toBe(2);
    expect(again.initialState().confState).toEqual(confState('1'));
  });

  it('writes a change of the commit index alone without a sync of its own', async () => {
    const directory = aDirectory();
    const log = await openLog(directory);
    await append(log, { entries: entriesFrom(1, 5), hardState: hardState(1) });
    const before = log.stats().groups;
    for (let commit = 1; commit <= 5; commit++) await append(log, { hardState: hardState(1, commit) });
    expect(log.stats().groups).toBe(before);
    await log.close();
    expect((await openLog(directory)).initialState().hardState.commit).toBe(5);
  });

  it('makes many batches durable with few syncs', async () => {
    const log = await openLog(aDirectory(), { segmentBytes: 4 * 1024 * 1024 });
    await append(log, { entries: [anEntry(1)], hardState: hardState(1) });
    const before = log.stats();
    await Promise.all(Array.from({ length: 500 }, (_, i) => append(log, { entries: [anEntry(2 + i)] })));
    const after = log.stats();
    expect(after.batches - before.batches).toBe(500);
    expect(after.fsyncs - before.fsyncs).toBeLessThan(50);
  });

  it('reads entries that left memory back from the segments', async () => {
    const directory = aDirectory();
    const log = await openLog(directory, { cacheBytes: 1000 });
    for (let i = 0; i < 60; i++) {
      await append(log, {
        entries: [anEntry(i * 50 + 1, 1, 'x'.repeat(3000)), ...entriesFrom(i * 50 + 2, 49)],
        hardState: hardState(1),
      });
      if (i % 7 === 3) await append(log, { entries: entriesFrom(i * 50 + 20, 31) });
    }
    expect(segmentFiles(directory).length).toBeGreaterThan(3);
    expect(log.stats().cacheBytes).toBeLessThan(10_000);
    for (const restart of [false, true]) {
      if (restart) await log.close();
      const reader = restart ? await openLog(directory, { cacheBytes: 1000 }) : log;
      const all = reader.entries(1, 3001, Infinity);
      if (typeof all === 'string') throw new Error(all);
      expect(all.map((entry) => entry.index)).toEqual(Array.from({ length: 3000 }, (_, i) => i + 1));
      expect(reader.entries(1234, 1300, 0)).toMatchObject([{ index: 1234 }]);
      expect(reader.entries(2, 3, Infinity)).toEqual([anEntry(2)]);
    }
  });

  it('reads on where more was written since it read last', async () => {
    const directory = aDirectory();
    const log = await openLog(directory, { cacheBytes: 100 });
    for (let i = 0; i < 20; i++) {
      await append(log, { entries: entriesFrom(i * 10 + 1, 10), hardState: hardState(1) });
      expect(log.entries(1, (i + 1) * 10 + 1, Infinity)).toEqual(entriesFrom(1, (i + 1) * 10));
    }
  });

  it('accepts a batch larger than a segment', async () => {
    const directory = aDirectory();
    const log = await openLog(directory);
    const big = new Uint8Array(300_000).fill(7);
    await append(log, { entries: [anEntry(1), anEntry(2, 1, big), anEntry(3)], hardState: hardState(1) });
    await append(log, { entries: entriesFrom(4, 10) });
    await log.close();
    const again = await openLog(directory);
    expect(again.lastIndex()).toBe(13);
    expect(again.entries(2, 3, Infinity)).toEqual([anEntry(2, 1, big)]);
  }, 60_000);

  it('refuses the directory of another cluster or node', async () => {
    const directory = aDirectory();
    const log = await openLog(directory);
    await append(log, { entries: [anEntry(1)] });
    await log.close();
    await expect(openLog(directory, { clusterId: 'other' })).rejects.toThrow(LogIdentityError);
    await expect(openLog(directory, { nodeId: '2' })).rejects.toThrow(LogIdentityError);
    expect((await openLog(directory)).lastIndex()).toBe(1);
  });

  it('keeps a second opener out and names the first', async () => {
    const directory = aDirectory();
    const log = await openLog(directory);
    await expect(openLog(directory)).rejects.toThrow(LogLockedError);
    await expect(openLog(directory)).rejects.toThrow(`process ${String(process.pid)}`);
    await log.close();
    await openLog(directory);
  });
});

/** The log: its unstable part, what is handed out to be applied, and storage. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EntryType } from '../src/types.ts';
import type { Entry } from '../src/types.ts';
import { entriesBytes, entryBytes, limitBytes } from '../src/entry-size.ts';
import { silentLogger } from '../src/logger.ts';
import { MemoryStorage } from '../src/memory-storage.ts';
import { RaftLog } from '../src/raft-log.ts';
import { Unstable } from '../src/unstable.ts';
import { bytes, config, entries, places, snapshotAt } from './kit/node.ts';

/** A log whose storage holds the first entries and whose unstable part the others. */
function aLog(stored: readonly number[], fresh: readonly number[], maxApplyingBytes = Infinity): RaftLog {
  const storage = new MemoryStorage();
  storage.append(entries(stored));
  const log = new RaftLog(storage, silentLogger, maxApplyingBytes);
  log.append(entries(fresh, stored.length + 1));
  return log;
}

describe('unstable part', () => {
  function unstable(offset: number, terms: readonly number[], snapshotIndex?: number): Unstable {
    const made = new Unstable(offset, silentLogger);
    if (snapshotIndex !== undefined) made.restore(snapshotAt(snapshotIndex));
    if (terms.length > 0) made.truncateAndAppend(entries(terms, offset));
    return made;
  }

  it('knows the terms of its entries and of its snapshot, and nothing else', () => {
    const made = unstable(5, [2, 2, 3], 4);
    expect([3, 4, 5, 7, 8].map((i) => made.term(i))).toEqual([undefined, 1, 2, 3, undefined]);
    expect([made.firstIndex(), made.lastIndex()]).toEqual([5, 7]);
    const empty = unstable(5, []);
    expect([empty.firstIndex(), empty.lastIndex(), empty.term(4)]).toEqual([undefined, undefined, undefined]);
    expect(unstable(5, [], 4).lastIndex()).toBe(4);
  });

  const stable: readonly (readonly [string, number, number, number, number])[] = [
    // what, acknowledged index and term, offset and length afterwards; from entries 5..7 with terms 1 1 2
    ['the first entry', 5, 1, 6, 2],
    ['all entries', 7, 2, 8, 0],
    ['an entry that has another term by now', 6, 2, 5, 3],
    ['an entry beyond the end', 9, 2, 5, 3],
    ['an entry from before', 4, 1, 5, 3],
  ];
  for (const [what, index, term, offset, length] of stable) {
    it(`is at ${offset} with ${length} entries after ${what} became durable`, () => {
      const made = unstable(5, [1, 1, 2]);
      made.stableTo(index, term);
      expect([made.offset, made.entries.length]).toEqual([offset, length]);
    });
  }

  it('does not take the acknowledgement of its snapshot for one of an entry', () => {
    const made = unstable(5, [1], 4);
    made.stableTo(4, 1);
    expect([made.offset, made.entries.length, made.snapshot?.metadata.index]).toEqual([5, 1, 4]);
    made.stableSnapshotTo(3);
    expect(made.snapshot).toBeDefined();
    made.stableSnapshotTo(4);
    expect(made.snapshot).toBeUndefined();
  });

  const cuts: readonly (readonly [number, readonly number[], number, number, readonly string[]])[] = [
    // appended at, terms, offset, offset in progress, entries; from 5..7 with term 1, of which 5..6 are in progress
    [8, [1], 5, 7, ['1/5', '1/6', '1/7', '1/8']],
    [7, [2, 2], 5, 7, ['1/5', '1/6', '2/7', '2/8']],
    [6, [2], 5, 6, ['1/5', '2/6']],
    [5, [2], 5, 5, ['2/5']],
    [3, [2, 2], 3, 3, ['2/3', '2/4']],
  ];
  for (const [at, terms, offset, inProgress, after] of cuts) {
    it(`holds ${after.join(' ')} after an append at ${at}`, () => {
      const made = unstable(5, [1, 1]);
      made.acceptInProgress();
      made.truncateAndAppend(entries([1], 7));
      const before = made.nextEntries();
      made.truncateAndAppend(entries(terms, at));
      expect([made.offset, made.offsetInProgress, places(made.entries)]).toEqual([offset, inProgress, after]);
      // What was handed out earlier does not change under the writer's hands.
      expect(places(before)).toEqual(['1/7']);
    });
  }

  it('hands everything out once', () => {
    const made = unstable(5, [1, 1], 4);
    expect([places(made.nextEntries()), made.nextSnapshot()?.metadata.index]).toEqual([['1/5', '1/6'], 4]);
    made.acceptInProgress();
    expect([places(made.nextEntries()), made.nextSnapshot(), made.hasNextEntries()]).toEqual([[], undefined, false]);
    made.truncateAndAppend(entries([1], 7));
    expect(places(made.nextEntries())).toEqual(['1/7']);
    made.stableTo(6, 1);
    expect(places(made.nextEntries())).toEqual(['1/7']);
  });

  it('refuses gaps and slices out of bounds', () => {
    const made = unstable(5, [1]);
    expect(() => made.truncateAndAppend(entries([1], 7))).toThrow(/gap/);
    expect(() => made.slice(4, 6)).toThrow(/out of bounds/);
  });
});

describe('log', () => {
  it('reads across the boundary of storage, within a limit of bytes', () => {
    const log = aLog([1, 1, 1], [1, 1, 1]);
    const size = entryBytes(entries([1])[0] as Entry);
    const read = (lo: number, hi: number, max: number) => {
      const slice = log.slice(lo, hi, max);
      return typeof slice === 'string' ? slice : slice.map(({ index }) => index);
    };
    expect(read(1, 7, Infinity)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(read(2, 2, Infinity)).toEqual([]);
    expect(read(1, 7, 0)).toEqual([1]);
    expect(read(5, 7, 0)).toEqual([5]);
    for (let count = 1; count <= 6; count++) {
      expect(read(1, 7, count * size)).toHaveLength(count);
      expect(read(1, 7, count * size + size - 1)).toHaveLength(count);
    }
    expect(() => read(1, 8, Infinity)).toThrow(/out of bounds/);
  });

  it('says when entries are gone or not there yet', () => {
    const storage = new MemoryStorage();
    storage.applySnapshot(snapshotAt(5));
    const log = new RaftLog(storage, silentLogger, Infinity);
    log.append(entries([2], 6));
    expect([4, 5, 6, 7].map((i) => log.term(i))).toEqual(['compacted', 1, 2, 'unavailable']);
    expect([log.firstIndex(), log.lastIndex(), log.committed]).toEqual([6, 6, 5]);
    expect(log.slice(5, 7, Infinity)).toBe('compacted');
  });

  it('agrees with another log at most at the last entry whose term is not larger', () => {
    const log = aLog(
      [0, 2, 2].map((term) => term || 1),
      [5, 5, 5],
    );
    const at = (index: number, term: number) => log.findConflictByTerm(index, term);
    expect(at(6, 5)).toEqual({ index: 6, term: 5 });
    expect(at(6, 4)).toEqual({ index: 3, term: 2 });
    expect(at(3, 1)).toEqual({ index: 1, term: 1 });
    expect(at(3, 0)).toEqual({ index: 0, term: 0 });
    expect(at(9, 5)).toEqual({ index: 9, term: 0 });
  });

  it('keeps applied, applying, committed and last in order', () => {
    const log = aLog([1, 1, 1], []);
    expect(() => log.appliedTo(1, 0)).toThrow(/out of range/);
    log.commitTo(2);
    expect(() => log.acceptApplying(3, 0, true)).toThrow(/out of range/);
    log.acceptApplying(2, 0, true);
    log.appliedTo(2, 0);
    expect(() => log.appliedTo(1, 0)).toThrow(/out of range/);
    expect(() => log.commitTo(9)).toThrow(/beyond the last index/);
    log.commitTo(1);
    expect(log.committed).toBe(2);
    expect(() => log.append(entries([2], 2))).toThrow(/committed/);
  });

  it('commits by counting only what has the given term', () => {
    const log = aLog([1, 2], []);
    expect([log.maybeCommit(1, 2), log.maybeCommit(0, 0), log.maybeCommit(2, 2), log.maybeCommit(2, 2)]).toEqual([
      false,
      false,
      true,
      false,
    ]);
  });

  it('hands out every committed entry once, in pages, whatever the limit and the pace of applying', () => {
    const sizes = fc.array(fc.nat(40), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(
        sizes,
        fc.nat(30),
        fc.integer({ min: 1, max: 120 }),
        fc.boolean(),
        fc.array(fc.boolean()),
        (data, split, limit, allow, paces) => {
          const all = data.map((size, i): Entry => ({ type: 0, term: 1, index: i + 1, data: new Uint8Array(size) }));
          const storage = new MemoryStorage();
          // A storage that ignores the limit must not make entries be skipped.
          storage.entries = (lo, hi) => all.slice(lo - 1, hi - 1);
          storage.append(all.slice(0, split));
          const log = new RaftLog(storage, silentLogger, limit);
          if (split < all.length) log.append(all.slice(split));
          log.commitTo(all.length);
          const seen: number[] = [];
          const waiting: (readonly Entry[])[] = [];
          let turn = 0;
          for (let rounds = 0; rounds < 200; rounds++) {
            const page = log.nextCommittedEntries(allow);
            if (page.length > 0) {
              seen.push(...page.map(({ index }) => index));
              expect(entriesBytes(page) <= limit || page.length === 1).toBe(true);
              log.acceptApplying(page.at(-1)?.index ?? 0, entriesBytes(page), allow);
              waiting.push(page);
            }
            if (page.length === 0 || paces[turn++ % Math.max(paces.length, 1)] === true) {
              const done = waiting.shift();
              if (done !== undefined) log.appliedTo(done.at(-1)?.index ?? 0, entriesBytes(done));
            }
            if (waiting.length === 0 && !log.hasNextCommittedEntries(allow)) break;
          }
          const last = allow ? all.length : Math.min(split, all.length);
          expect(seen).toEqual(all.slice(0, last).map(({ index }) => index));
        },
      ),
    );
  });

  it('hands nothing out before a snapshot that waits is applied', () => {
    const log = aLog([1], [1]);
    log.restore(snapshotAt(9));
    expect([log.hasNextCommittedEntries(true), log.committed, log.lastIndex()]).toEqual([false, 9, 9]);
    log.unstable.stableSnapshotTo(9);
    log.appliedTo(9, 0);
    expect(log.hasNextCommittedEntries(true)).toBe(false);
  });
});

describe('sizes', () => {
  it('grow with term, index and payload as on the wire', () => {
    const entry = (index: number, size: number): Entry => ({ type: 0, term: 1, index, data: new Uint8Array(size) });
    expect(entryBytes(entry(1, 0))).toBe(6);
    expect(entryBytes(entry(300, 0))).toBe(7);
    expect(entryBytes(entry(2 ** 40, 0))).toBe(11);
    expect(entryBytes(entry(1, 200))).toBe(6 + 3 + 200);
    expect(limitBytes([], 0)).toEqual([]);
  });
});

describe('memory storage', () => {
  const members = config({ voters: ['1', '2', '3'] });

  it('overwrites from the first entry given, and ignores what is compacted', () => {
    const storage = new MemoryStorage();
    storage.append(entries([1, 1, 1, 1]));
    storage.append(entries([2], 3));
    expect([storage.lastIndex(), storage.term(3)]).toEqual([3, 2]);
    storage.compact(2);
    storage.append(entries([3, 3, 3], 2));
    expect([storage.firstIndex(), storage.lastIndex(), storage.term(2), storage.term(3)]).toEqual([3, 4, 1, 3]);
    expect(() => storage.append(entries([3], 9))).toThrow(/gap/);
    storage.append([]);
    expect(storage.lastIndex()).toBe(4);
  });

  it('takes snapshots that are newer only, and keeps its log when it makes one itself', () => {
    const storage = new MemoryStorage();
    storage.append(entries([1, 1, 2]));
    expect(storage.createSnapshot(2, members, bytes('s'))).toMatchObject({ metadata: { index: 2, term: 1 } });
    expect(storage.createSnapshot(2, members, bytes('s'))).toBe('snapshot-out-of-date');
    expect(storage.applySnapshot(snapshotAt(2))).toBe('snapshot-out-of-date');
    expect(storage.lastIndex()).toBe(3);
    expect(storage.applySnapshot(snapshotAt(9, 2))).toBeUndefined();
    expect([storage.firstIndex(), storage.lastIndex(), storage.term(9), storage.term(8), storage.term(10)]).toEqual([
      10,
      9,
      2,
      'compacted',
      'unavailable',
    ]);
    expect([storage.entries(9, 10, 1), storage.compact(9)]).toEqual(['compacted', 'compacted']);
    expect(() => storage.createSnapshot(11, members, bytes(''))).toThrow();
    expect(() => storage.compact(11)).toThrow();
    expect(() => storage.entries(10, 12, 1)).toThrow();
  });
});

describe('entry types', () => {
  it('are those of etcd', () => {
    expect(EntryType).toEqual({ Normal: 0, ConfChange: 1, ConfChangeV2: 2 });
  });
});

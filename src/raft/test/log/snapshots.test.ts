import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DurableLog } from '../../src/log/durable-log.ts';
import { LogCorruptError } from '../../src/log/errors.ts';
import type { SnapshotMetadata } from '../../src/types.ts';
import {
  aDirectory,
  anEntry,
  append,
  confState,
  copyOf,
  entriesFrom,
  hardState,
  openLog,
  segmentFiles,
} from './support.ts';

function metadataAt(index: number, term = 1): SnapshotMetadata {
  return { index, term, confState: confState('1', '2') };
}

async function* chunksOf(text: string, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size));
}

async function contentOf(log: DurableLog, metadata: SnapshotMetadata): Promise<string> {
  const snapshot = await log.openSnapshot(metadata);
  const parts: Uint8Array[] = [];
  for await (const chunk of snapshot.chunks()) parts.push(chunk);
  await snapshot.close();
  return Buffer.concat(parts).toString();
}

function snapshotFiles(directory: string): string[] {
  return readdirSync(directory).filter((file) => file.includes('.snap'));
}

const TEXT = 'state of the world '.repeat(50_000);

describe('snapshots of a log', () => {
  it('are found again after a restart, with their configuration and a commit index that covers them', async () => {
    const directory = aDirectory();
    const log = await openLog(directory);
    await append(log, { entries: entriesFrom(1, 10), hardState: hardState(1, 2) });
    expect(await log.createSnapshot(metadataAt(8), chunksOf(TEXT))).toBe(true);
    expect(log.snapshot().metadata).toEqual(metadataAt(8));
    // A write that knew an older commit index must not lower it.
    await append(log, { entries: entriesFrom(11, 1), hardState: hardState(1, 3) });
    await log.close();
    const again = await openLog(directory);
    expect(again.snapshot().metadata).toEqual(metadataAt(8));
    expect(again.initialState()).toEqual({ hardState: hardState(1, 8), confState: confState('1', '2') });
    expect(again.snapshotBytes).toBe(TEXT.length);
    expect(await contentOf(again, metadataAt(8))).toBe(TEXT);
    expect([again.firstIndex(), again.lastIndex()]).toEqual([1, 11]);
  });

  it('let whole segments go', async () => {
    const directory = aDirectory();
    const log = await openLog(directory);
    for (let i = 0; i < 20; i++) {
      await append(log, {
        entries: [...entriesFrom(i * 400 + 1, 399), anEntry(i * 400 + 400, 1, 'x'.repeat(20_000))],
        hardState: hardState(1 + i, i * 400, '2'),
      });
    }
    const before = segmentFiles(directory).length;
    await log.createSnapshot(metadataAt(7000, 1), chunksOf('x'));
    log.compact(6500);
    expect(log.firstIndex()).toBe(6501);
    expect(log.entries(6500, 6600, Infinity)).toBe('compacted');
    expect(log.term(6500)).toBe(1);
    expect(log.term(6499)).toBe('compacted');
    await append(log, { entries: [anEntry(8001, 30)], hardState: hardState(30) });
    await log.close();
    expect(segmentFiles(directory).length).toBeLessThan(before / 2);
    const again = await openLog(directory);
    expect(again.lastIndex()).toBe(8001);
    expect(again.firstIndex()).toBeGreaterThan(1);
    expect(again.firstIndex()).toBeLessThanOrEqual(6501);
    expect(again.initialState()).toEqual({ hardState: hardState(30, 7600), confState: confState('1', '2') });
    expect(again.snapshot().metadata.index).toBe(7000);
  });

  it('from a peer replace the whole log', async () => {
    const directory = aDirectory();
    const log = await openLog(directory);
    await append(log, { entries: entriesFrom(1, 10), hardState: hardState(1, 2) });
    const writer = await log.receiveSnapshot(metadataAt(50, 4));
    for await (const chunk of chunksOf(TEXT)) await writer.write(chunk);
    const snapshot = await writer.publish({ contentBytes: TEXT.length });
    await append(log, { snapshot, entries: entriesFrom(51, 3, 4), hardState: hardState(4, 50) });
    for (const restart of [false, true]) {
      if (restart) await log.close();
      const reader = restart ? await openLog(directory) : log;
      expect([reader.firstIndex(), reader.lastIndex(), reader.term(50), reader.term(49)]).toEqual([
        51,
        53,
        4,
        'compacted',
      ]);
      expect(reader.entries(51, 54, Infinity)).toEqual(entriesFrom(51, 3, 4));
      expect(reader.initialState()).toEqual({ hardState: hardState(4, 50), confState: confState('1', '2') });
      expect(await contentOf(reader, metadataAt(50, 4))).toBe(TEXT);
    }
  });

  it('must be there before the log relies on them', async () => {
    const log = await openLog(aDirectory());
    expect(() =>
      log.append({ snapshot: { data: new Uint8Array(0), metadata: metadataAt(5) } }, () => undefined),
    ).toThrow('not received');
  });

  it('are refused if they are not what was sent', async () => {
    const directory = aDirectory();
    const log = await openLog(directory);
    for (const expected of [{ contentBytes: 4 }, { digest: new Uint8Array(32) }]) {
      const writer = await log.receiveSnapshot(metadataAt(5));
      await writer.write(Buffer.from('hello'));
      await expect(writer.publish(expected)).rejects.toThrow(LogCorruptError);
    }
    const given = await log.receiveSnapshot(metadataAt(6));
    await given.abort();
    expect(snapshotFiles(directory)).toEqual([]);
    expect(log.hasSnapshot(metadataAt(5))).toBe(false);
  });

  it('keep the previous one until the next is durable, then only the next', async () => {
    const directory = aDirectory();
    const log = await openLog(directory);
    await append(log, { entries: entriesFrom(1, 10), hardState: hardState(1, 9) });
    await log.createSnapshot(metadataAt(4), chunksOf('four'));
    let during: string[] = [];
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('nine');
      during = snapshotFiles(directory).filter((file) => file.endsWith('.snap'));
    }
    await log.createSnapshot(metadataAt(9), slow());
    expect(during).toEqual(['0000000000000004-1.snap']);
    await log.close();
    expect(snapshotFiles(directory)).toEqual(['0000000000000009-1.snap']);
  });

  it('give way to a newer one from a peer', async () => {
    const log = await openLog(aDirectory());
    await append(log, { entries: entriesFrom(1, 10), hardState: hardState(1, 9) });
    async function* overtaken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('own');
      const writer = await log.receiveSnapshot(metadataAt(20));
      await append(log, { snapshot: await writer.publish(), hardState: hardState(1, 20) });
    }
    expect(await log.createSnapshot(metadataAt(9), overtaken())).toBe(false);
    expect(log.snapshot().metadata.index).toBe(20);
  });

  it('are found damaged at any byte', async () => {
    const directory = aDirectory();
    const log = await openLog(directory);
    await append(log, { entries: entriesFrom(1, 10), hardState: hardState(1, 9) });
    await log.createSnapshot(metadataAt(9), chunksOf('some state', 3));
    const path = join(directory, '0000000000000009-1.snap');
    const bytes = readFileSync(path);
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] as number) ^ 0x10;
      writeFileSync(path, damaged);
      await expect(contentOf(log, metadataAt(9)), `byte ${String(at)}`).rejects.toThrow(LogCorruptError);
      writeFileSync(path, bytes.subarray(0, at));
      await expect(contentOf(log, metadataAt(9)), `cut at ${String(at)}`).rejects.toThrow(LogCorruptError);
    }
    writeFileSync(path, bytes);
    expect(await contentOf(log, metadataAt(9))).toBe('some state');
  });

  it('are missed when the log relies on them, and so is the log when there are only snapshots', async () => {
    const directory = aDirectory();
    const log = await openLog(directory);
    await append(log, { entries: entriesFrom(1, 10), hardState: hardState(1, 9) });
    await log.createSnapshot(metadataAt(9), chunksOf('state'));
    await log.close();
    const withoutSnapshot = copyOf(directory, snapshotFiles(directory));
    await expect(openLog(withoutSnapshot)).rejects.toThrow('missing');
    for (const file of segmentFiles(directory)) rmSync(join(directory, file));
    await expect(openLog(directory)).rejects.toThrow(LogCorruptError);
  });

  it('that were never finished leave nothing behind', async () => {
    const directory = aDirectory();
    const log = await openLog(directory);
    await append(log, { entries: entriesFrom(1, 10), hardState: hardState(1, 9) });
    const received = await log.receiveSnapshot(metadataAt(30));
    await received.write(Buffer.from('half'));
    const published = await log.receiveSnapshot(metadataAt(20));
    await published.publish();
    await log.abandon();
    const again = await openLog(directory);
    expect(snapshotFiles(directory)).toEqual([]);
    expect(again.lastIndex()).toBe(10);
    await received.abort();
  });

  it.each([
    ['new', undefined],
    ['that has just voted', hardState(3, 0, '2')],
  ])('from a peer are no remains of a lost log where the process ends before a log %s holds them', async (_, voted) => {
    const directory = aDirectory();
    const log = await openLog(directory);
    if (voted !== undefined) log.append({ hardState: voted }, () => undefined);
    const writer = await log.receiveSnapshot(metadataAt(50, 4));
    await writer.write(Buffer.from('state'));
    await writer.publish();
    await log.abandon();
    expect(snapshotFiles(directory)).toHaveLength(1);
    const again = await openLog(directory);
    expect(snapshotFiles(directory)).toEqual([]);
    expect(again.isEmpty).toBe(voted === undefined);
    expect(again.initialState().hardState).toEqual(voted ?? hardState(0, 0, '0'));
  });
});

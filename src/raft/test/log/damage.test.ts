import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LogCorruptError } from '../../src/log/errors.ts';
import { recoverLog } from '../../src/log/recovery.ts';
import {
  aDirectory,
  append,
  confState,
  copyOf,
  entriesFrom,
  hardState,
  openLog,
  SEGMENT_BYTES,
  segmentFiles,
} from './support.ts';

/** What recovery makes of a directory: the last index, or that it is corrupt. */
function outcome(directory: string): number | 'corrupt' {
  try {
    const { view } = recoverLog({
      directory,
      clusterId: 'cluster',
      nodeId: '1',
      segmentBytes: SEGMENT_BYTES,
      keys: undefined,
      cacheBytes: 1e6,
      keepEntries: true,
    });
    for (let index = 1; index <= view.lastIndex; index++) {
      expect(Buffer.from(view.cache.get(index)?.data ?? []).toString()).toBe(`entry ${String(index)}`);
    }
    return view.lastIndex;
  } catch (error) {
    if (error instanceof LogCorruptError) return 'corrupt';
    throw error;
  }
}

interface Written {
  readonly directory: string;
  readonly file: string;
  /** Bytes of the newest segment. */
  readonly bytes: Buffer;
  /** Offset behind each group, and the last index then. */
  readonly groups: readonly { readonly end: number; readonly last: number }[];
}

/** A log of one segment with some groups, as a crash leaves it. */
async function written(groups: number, perGroup = 3): Promise<Written> {
  const directory = aDirectory();
  const log = await openLog(directory);
  const ends: { end: number; last: number }[] = [];
  await append(log, { hardState: hardState(1) });
  for (let group = 0; group < groups; group++) {
    await append(log, { entries: entriesFrom(group * perGroup + 1, perGroup) });
    const segment = readFileSync(join(directory, segmentFiles(directory)[0] as string));
    ends.push({ end: lastUsed(segment), last: (group + 1) * perGroup });
  }
  const copy = copyOf(directory, ['synced']);
  await log.abandon();
  const file = segmentFiles(copy)[0] as string;
  return { directory: copy, file, bytes: readFileSync(join(copy, file)), groups: ends };
}

function lastUsed(bytes: Buffer): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end;
}

/** Outcomes of recovery after each change of the segment. The directory is put back in between. */
function outcomesOf<Change>(
  log: Written,
  changes: readonly Change[],
  change: (bytes: Buffer, how: Change) => Buffer,
): (number | 'corrupt')[] {
  const path = join(log.directory, log.file);
  return changes.map((how) => {
    writeFileSync(path, change(Buffer.from(log.bytes), how));
    return outcome(log.directory);
  });
}

function range(from: number, to: number, step = 1): number[] {
  return Array.from({ length: Math.max(0, Math.ceil((to - from) / step)) }, (_, i) => from + i * step);
}

describe('recovery', () => {
  it('cuts an interrupted last write at any byte back to the write before', async () => {
    const log = await written(4);
    const [before, last] = log.groups.slice(-2) as [Written['groups'][0], Written['groups'][0]];
    const cuts = range(before.end, last.end);
    const outcomes = outcomesOf(log, cuts, (bytes, cut) => bytes.subarray(0, cut));
    expect(new Set(outcomes)).toEqual(new Set([before.last]));
    const zeroed = outcomesOf(log, cuts, (bytes, cut) => bytes.fill(0, cut));
    expect(new Set(zeroed)).toEqual(new Set([before.last]));
  });

  it('repairs an interrupted write so that the next start sees nothing of it', async () => {
    const log = await written(4);
    const last = log.groups.at(-1)?.end ?? 0;
    truncateSync(join(log.directory, log.file), last - 5);
    expect(outcome(log.directory)).toBe(9);
    const repaired = readFileSync(join(log.directory, log.file));
    expect(repaired.length).toBe(SEGMENT_BYTES);
    expect(lastUsed(repaired)).toBe(log.groups.at(-2)?.end);
    const again = await openLog(log.directory);
    await append(again, { entries: entriesFrom(10, 2) });
    await again.close();
    expect(outcome(log.directory)).toBe(11);
  });

  it('declares a truncated log corrupt if more was durable', async () => {
    const log = await written(4);
    const ends = log.groups.map((group) => group.end);
    expect(
      outcomesOf(log, [ends[1] as number], (bytes, cut) => {
        bytes.fill(0, cut, cut + 64);
        return bytes;
      }),
    ).toEqual(['corrupt']);
  });

  it('never takes a flipped bit for something else', async () => {
    const log = await written(5);
    const end = log.groups.at(-1)?.end ?? 0;
    const lastStart = log.groups.at(-2)?.end ?? 0;
    const total = log.groups.at(-1)?.last;
    const places = range(0, end + 64, 3);
    const outcomes = outcomesOf(log, places, (bytes, at) => {
      bytes[at] = (bytes[at] as number) ^ (1 << (at % 8));
      return bytes;
    });
    const harmless = outcomes.filter((found, i) => found === total && (places[i] as number) < lastStart);
    // Only padding between records carries no meaning.
    expect(harmless.length).toBeLessThan(40);
    for (const [i, found] of outcomes.entries()) {
      const at = places[i] as number;
      const allowed = at < lastStart ? ['corrupt', total] : ['corrupt', total, log.groups.at(-2)?.last];
      expect(allowed, `bit flip at ${String(at)}`).toContain(found);
    }
    expect(outcomes.filter((found) => found === 'corrupt').length).toBeGreaterThan(places.length * 0.8);
  });

  it('declares zeroed and swapped blocks corrupt', async () => {
    const log = await written(60, 5);
    const end = log.groups.at(-1)?.end ?? 0;
    const lastStart = log.groups.at(-2)?.end ?? 0;
    const blocks = range(0, lastStart - 512, 512);
    const zeroed = outcomesOf(log, blocks, (bytes, at) => bytes.fill(0, at, at + 512));
    expect(new Set(zeroed)).toEqual(new Set(['corrupt']));
    const swapped = outcomesOf(log, blocks.slice(0, -1), (bytes, at) => {
      const block = Buffer.from(bytes.subarray(at, at + 512));
      bytes.copy(bytes, at, at + 512, at + 1024);
      block.copy(bytes, at + 512);
      return bytes;
    });
    expect(new Set(swapped)).toEqual(new Set(['corrupt']));
    expect(end).toBeGreaterThan(8192);
  });

  it('knows from the watermark that zeroed blocks at the end were durable', async () => {
    const directory = aDirectory();
    const log = await openLog(directory);
    for (let i = 0; i < 50; i++) await append(log, { entries: entriesFrom(i + 1, 1), hardState: hardState(1) });
    await log.close();
    const path = join(directory, segmentFiles(directory)[0] as string);
    const bytes = readFileSync(path);
    writeFileSync(path, Buffer.from(bytes).fill(0, lastUsed(bytes) - 3000));
    expect(outcome(directory)).toBe('corrupt');
    writeFileSync(path, bytes);
    expect(outcome(directory)).toBe(50);
  });

  it('declares a missing segment corrupt, wherever it was', async () => {
    const directory = aDirectory();
    const log = await openLog(directory);
    for (let i = 0; i < 30; i++) await append(log, { entries: entriesFrom(i * 400 + 1, 400), hardState: hardState(1) });
    const copy = copyOf(directory, ['synced']);
    const files = segmentFiles(copy);
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) {
      const path = join(copy, file);
      const bytes = readFileSync(path);
      rmSync(path);
      expect(outcome(copy), file).toBe('corrupt');
      writeFileSync(path, bytes);
    }
    expect(outcome(copy)).toBe(12_000);
  });

  it('names file, offset and record', async () => {
    const log = await written(3);
    const path = join(log.directory, log.file);
    const bytes = Buffer.from(log.bytes);
    const at = (log.groups[0]?.end ?? 0) + 30;
    bytes[at] = (bytes[at] as number) ^ 1;
    writeFileSync(path, bytes);
    try {
      await openLog(log.directory);
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof LogCorruptError)) throw error;
      expect(error.place).toEqual({ file: log.file, offset: log.groups[0]?.end, sequence: 5 });
      expect(error.message).toContain(log.file);
    }
  });

  it('finds damage in what is at rest when it is asked to look', async () => {
    const directory = aDirectory();
    const log = await openLog(directory);
    for (let i = 0; i < 12; i++)
      await append(log, { entries: entriesFrom(i * 400 + 1, 400), hardState: hardState(1, 10) });
    await log.createSnapshot({ index: 5, term: 1, confState: confState('1') }, [Buffer.from('state')]);
    await log.scrub();
    const files = [segmentFiles(directory)[0] as string, '0000000000000005-1.snap'];
    for (const file of files) {
      const path = join(directory, file);
      const bytes = readFileSync(path);
      const damaged = Buffer.from(bytes);
      const at = Math.floor(lastUsed(bytes) / 2);
      damaged[at] = (damaged[at] as number) ^ 1;
      writeFileSync(path, damaged);
      await expect(log.scrub(), file).rejects.toThrow(LogCorruptError);
      writeFileSync(path, bytes);
    }
    await log.scrub();
  });

  it.each([
    ['plain', undefined],
    ['encrypted', { keys: new Map([['a', new Uint8Array(32)]]), current: 'a' }],
  ])('finds damage in old entries when they are read later (%s)', async (_, keys) => {
    const directory = aDirectory();
    const log = await openLog(directory, { cacheBytes: 1000, keys });
    for (let i = 0; i < 20; i++) await append(log, { entries: entriesFrom(i * 100 + 1, 100), hardState: hardState(1) });
    const path = join(directory, segmentFiles(directory)[0] as string);
    const bytes = readFileSync(path);
    bytes[2000] = (bytes[2000] as number) ^ 1;
    writeFileSync(path, bytes);
    expect(() => log.entries(1, 2001, Infinity)).toThrow(LogCorruptError);
  });
});
